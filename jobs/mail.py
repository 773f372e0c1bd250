"""E-mails: facts put them in the queue, `drain` sends what is due, each once."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import select

from jobs.retries import next_try
from portal.access.one_time import password_link
from portal.extensions import db
from portal.gateways import brevo
from portal.gateways.brevo import BrevoMailer, Mail, MailRejected, MailRetryLater, MailUnknown
from portal.kernel.clock import utc_now
from portal.messages import commissions, held_sales, leads, licences, sending, service
from portal.messages.sending import Claimed
from portal.models import AccountUser
from portal.store import UnitOfWork, perform

MOST_MAILS = 200
WITH_PASSWORD_LINK = frozenset({"vendor_invitation"})
REPEAT_WITHIN = timedelta(seconds=brevo.SAFE_TO_REPEAT_SECONDS)

log = logging.getLogger(__name__)


def welcome(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A consultant registered."""
    service.say_welcome(uow, consultant_id=body["consultant_id"])


def payment_received(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A payment came in."""
    service.say_payment_received(uow, payment_id=body["payment_id"])


def pack_changed(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A consultant holds another pack, because of what was or was not paid."""
    service.say_pack_changed(uow, consultant_id=body["consultant_id"], number=body["number"])


def commission_credited(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A closed cycle brought people money."""
    commissions.say_commissions(uow, cycle_id=body["cycle_id"])


def cycle_undone(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A close was undone: what waits to tell of it is not sent."""
    commissions.unsay_commissions(uow, cycle_id=body["cycle_id"], run_id=body["run_id"])


def withdrawal_paid(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A withdrawal was paid."""
    service.say_withdrawal_paid(uow, withdrawal_id=body["withdrawal_id"])


def withdrawal_returned(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A withdrawal came back."""
    service.say_withdrawal_returned(uow, withdrawal_id=body["withdrawal_id"])


def payee_changed(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """Somebody's bank details were saved."""
    service.say_payee_changed(uow, destination_id=body["destination_id"], change=body.get("change", 0))


def adjustment_booked(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A wallet was corrected by hand."""
    service.say_adjustment_booked(uow, adjustment_id=body["adjustment_id"])


def signed_up(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A customer signed up through the page."""
    leads.say_signed_up(uow, lead_id=body["lead_id"])


def lead_taken(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A lead came in by a form or from another system."""
    leads.say_lead_taken(uow, lead_id=body["lead_id"], sources=("form", "api"))


def lead_offered(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A lead waits for a consultant's answer."""
    leads.say_lead_offered(uow, offer_id=body["offer_id"])


def licence_verified(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """Somebody vouched for a licence."""
    licences.say_licence_decided(uow, licence_id=body["licence_id"], verified=True)


def licence_rejected(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A licence was sent back."""
    licences.say_licence_decided(uow, licence_id=body["licence_id"], verified=False)


def sale_held(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A rule keeps a sale from earning."""
    held_sales.say_sale_held(uow, held_sale_id=body["held_sale_id"])


def sale_settled(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A held sale was released or refused."""
    held_sales.say_sale_settled(uow, held_sale_id=body["held_sale_id"])


def drain() -> int:
    """Send what is due, one after the other; how many were tried."""
    mailer, tried = make_mailer(), 0
    while tried < MOST_MAILS and send_next(mailer):
        tried += 1
    return tried


def send_next(mailer: BrevoMailer) -> bool:
    """Send one message; False when none is due. The call to the provider stands outside both transactions."""
    claimed = perform(lambda uow: sending.claim_next(uow, repeat_within=REPEAT_WITHIN))
    if claimed is None:
        return False
    try:
        sent = mailer.send(compose(claimed))
    except MailRejected as refusal:
        _refused(claimed, refusal)
    except MailRetryLater as refusal:
        _later(claimed, str(refusal), after_seconds=refusal.after_seconds)
    except MailUnknown as lost:
        _later(claimed, str(lost), perhaps_sent=True)
    else:
        message_id, provider_ref = claimed.message_id, sent.message_id
        perform(lambda uow: sending.mark_sent(uow, message_id=message_id, provider_ref=provider_ref))
    return True


def compose(claimed: Claimed) -> Mail:
    """The words of a message; the first line of the text is its subject."""
    settings = current_app.config["SETTINGS"]
    words = {
        "name": claimed.name,
        "base_url": settings.base_url,
        "company": settings.company,
        **claimed.params,
        **_links(claimed, base_url=settings.base_url),
    }
    render = current_app.jinja_env.get_template
    subject, _, text = render(f"mail/{claimed.template}.txt").render(words).strip().partition("\n")
    return Mail(
        to_email=claimed.email,
        to_name=claimed.name,
        subject=subject,
        html=render(f"mail/{claimed.template}.html").render(words, subject=subject),
        text=text.strip() + "\n",
        idempotency_key=claimed.public_id,
        tags=(claimed.template,),
    )


def _links(claimed: Claimed, *, base_url: str) -> dict[str, str]:
    """Where mails are stopped; and what opens once and must not be kept, made at the moment of sending."""
    links = {"stop_url": f"{base_url}/stop/{claimed.stop_token}"}
    if claimed.template not in WITH_PASSWORD_LINK:
        return links
    user = db.session.scalars(select(AccountUser).where(AccountUser.email == claimed.email)).one()
    return {**links, "link": password_link(user)}


def make_mailer() -> BrevoMailer:
    """Brevo, or the sandbox where there is no key."""
    settings = current_app.config["SETTINGS"]
    host = f"{settings.base_url}/sandbox/brevo/v3" if not settings.brevo_key else brevo.HOST
    return BrevoMailer(settings.brevo_key or "sandbox", sender=settings.mail_from, host=host)


def _refused(claimed: Claimed, refusal: MailRejected) -> None:
    log.error("message %s refused: %s", claimed.message_id, refusal.reason)
    if refusal.final:
        perform(lambda uow: sending.mark_failed(uow, claimed=claimed, error=refusal.reason))
    else:
        _later(claimed, refusal.reason)


def _later(claimed: Claimed, error: str, *, after_seconds: int = 0, perhaps_sent: bool = False) -> None:
    log.warning("message %s, try %s: %s", claimed.message_id, claimed.attempts, error)
    now = utc_now()
    at = max(next_try(now, attempts=claimed.attempts), now + timedelta(seconds=after_seconds))
    perform(
        lambda uow: sending.mark_retry(
            uow, claimed=claimed, error=error, next_at=at, perhaps_sent=perhaps_sent
        )
    )
