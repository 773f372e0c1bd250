"""Mails about other systems that people connected."""

from __future__ import annotations

from portal.messages.service import queue_message
from portal.models import AccountUser, WebhookDelivery
from portal.store import UnitOfWork


def say_webhook_disabled(uow: UnitOfWork, *, delivery_id: int) -> None:
    """Tell whoever connected an address that it is told nothing more, and why."""
    endpoint = uow.session.get_one(WebhookDelivery, delivery_id).endpoint
    user = uow.session.get_one(AccountUser, endpoint.created_by)
    side = "/admin/integrations" if endpoint.consultant_id is None else "/settings/integrations"
    queue_message(
        uow,
        key=f"webhook-disabled:{endpoint.id}:{delivery_id}",
        template="webhook_disabled",
        person_id=user.person_id,
        params={
            "url": endpoint.url,
            "reason": endpoint.disabled_reason or "",
            "page": f"{side}/webhooks/{endpoint.public_id}",
        },
    )
