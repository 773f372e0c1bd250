"""Which mails are about the reader's own account, money or contract; every other one is promotional.

A person who asked not to be contacted gets the first kind alone. A new mail is promotional until it is named
here.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.models import Person
from portal.store import people

ABOUT_OWN_BUSINESS = frozenset(
    {
        "adjustment_booked",
        "commission_credited",
        "lead_offered",
        "lead_taken",
        "pack_changed",
        "licence_ends",
        "licence_rejected",
        "licence_verified",
        "payee_changed",
        "payment_received",
        "renewal_failed",
        "sale_held",
        "sale_refused",
        "sale_released",
        "signed_up",
        "vendor_invitation",
        "webhook_disabled",
        "welcome",
        "withdrawal_paid",
        "withdrawal_returned",
    }
)
NOT_WANTED = "The person asked not to be contacted; only mails about their own business are sent."


def is_promotional(template: str) -> bool:
    """Whether a mail may only go to people who may be contacted."""
    return template not in ABOUT_OWN_BUSINESS


def is_unwanted(session: Session, *, template: str, person: Person) -> bool:
    """Whether a mail must not go to a person, because they asked for that."""
    return is_promotional(template) and people.EMAIL in people.is_stopped(session, person)
