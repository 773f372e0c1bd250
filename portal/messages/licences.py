"""Mails about licences: what was decided on one, and that one expires."""

from __future__ import annotations

from datetime import date

from portal.kernel.us import STATES
from portal.messages.service import queue_message
from portal.models import Consultant, Licence
from portal.store import UnitOfWork


def say_licence_ends(uow: UnitOfWork, *, licence_id: int, step: int, today: date) -> None:
    """Remind a consultant that a licence expires: one mail for each step, however often it is asked for."""
    licence = uow.session.get_one(Licence, licence_id)
    left = (licence.expires_on - today).days
    _say(uow, licence, key=f"licence-ends:{licence_id}:{step}", template="licence_ends", days=left)


def say_licence_decided(uow: UnitOfWork, *, licence_id: int, verified: bool) -> None:
    """Tell a consultant that a licence counts now, or why it does not."""
    licence = uow.session.get_one(Licence, licence_id)
    deed = "verified" if verified else "rejected"
    reason = "" if verified else licence.decision or ""
    _say(uow, licence, key=f"licence-{deed}:{licence_id}", template=f"licence_{deed}", reason=reason)


def _say(uow: UnitOfWork, licence: Licence, *, key: str, template: str, **more: object) -> None:
    last = licence.expires_on
    params = {
        "kind": licence.kind.replace("-", " ").replace("_", " "),
        "state": STATES.get(licence.region, licence.region),
        "last_day": f"{last:%B} {last.day}, {last.year}",
        **more,
    }
    person_id = uow.session.get_one(Consultant, licence.consultant_id).person_id
    queue_message(uow, key=key, template=template, person_id=person_id, params=params)
