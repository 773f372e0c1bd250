"""The one call to the outside: a page of Stripe's on which the plan is paid."""

from __future__ import annotations

import logging

from flask import current_app, url_for

from portal.config import Settings
from portal.extensions import db
from portal.gateways.errors import ProviderUnavailable
from portal.gateways.stripe import CheckoutPage, CheckoutRequest, stripe_of
from portal.members import service
from portal.models import Pack, Registration
from portal.store import perform

log = logging.getLogger(__name__)


def open_page(registration: Registration, pack: Pack) -> CheckoutPage:
    """The payment page of an accepted registration; the same one when it is asked for again.

    Outside any unit of work. Raises `ProviderUnavailable` when the provider cannot be reached now.
    """
    request = _request(registration, pack)
    # The connection goes back to the pool: a slow provider must not hold the database.
    db.session.rollback()
    try:
        page = stripe_of(_settings()).open_checkout(request)
    except ProviderUnavailable as failure:
        log.warning("no payment page for registration %s: %s", request.registration_id, failure.message)
        raise
    perform(
        lambda uow: service.note_checkout(
            uow, public_id=request.registration_id, checkout_session=page.session_id
        )
    )
    return page


def _request(registration: Registration, pack: Pack) -> CheckoutRequest:
    base_url = _settings().base_url
    done = url_for("join.done", registration_id=registration.public_id)
    return CheckoutRequest(
        registration_id=registration.public_id,
        name=pack.name,
        once_cents=pack.price_cents,
        monthly_cents=pack.monthly_cents,
        email=registration.person.email,
        success_url=f"{base_url}{done}",
        cancel_url=f"{base_url}{url_for('join.check', cancelled=1)}",
        idempotency_key=registration.public_id,
    )


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
