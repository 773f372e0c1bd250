"""How much of what a consultant's own household uses counts in a month; each rule holds from a day on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.models import OwnUseRule
from portal.store import UnitOfWork
from portal.store.locks import lock_where

MOST_VOLUME = 1_000_000_00


def rules(session: Session) -> Sequence[OwnUseRule]:
    """All rules, the newest first."""
    return session.scalars(select(OwnUseRule).order_by(OwnUseRule.valid_from.desc())).all()


def rule_on(session: Session, day: date) -> OwnUseRule | None:
    """The rule that holds on a day; None where own use is not limited."""
    begun = select(OwnUseRule).where(OwnUseRule.valid_from <= day)
    return session.scalar(begun.order_by(OwnUseRule.valid_from.desc()).limit(1))


def set_rule(uow: UnitOfWork, *, valid_from: date, monthly_volume: int, actor_id: int) -> OwnUseRule:
    """Limit the volume (hundredths) of a month from a day on; a rule that has not begun is replaced.

    What was sold under a rule stays, so none begins in the past. Raises `BadInput`, `Conflict`.
    """
    today = uow.clock().date()
    if not 0 <= monthly_volume <= MOST_VOLUME:
        raise BadInput("Please write a volume from 0 to 1,000,000.", field="monthly_volume")
    if valid_from < today:
        raise BadInput("A rule cannot begin in the past.", field="valid_from")
    rule = lock_where(uow, OwnUseRule, OwnUseRule.valid_from == valid_from)
    if rule is not None and valid_from == today:
        raise Conflict("A rule began today already; choose tomorrow or later.", field="valid_from")
    if rule is None:
        rule = OwnUseRule(valid_from=valid_from)
        uow.session.add(rule)
    rule.monthly_volume, rule.decided_by, rule.decided_at = monthly_volume, actor_id, uow.clock()
    uow.session.flush()
    uow.note(
        "own use limited", thing="own_use_rule", thing_id=rule.id, actor_id=actor_id, volume=monthly_volume
    )
    return rule


def take_back(uow: UnitOfWork, *, rule_id: int, actor_id: int) -> None:
    """Take back a rule that has not begun. Raises `NotYours`, `Conflict`."""
    rule = lock_where(uow, OwnUseRule, OwnUseRule.id == rule_id)
    if rule is None:
        raise NotYours("There is nothing here under this address.")
    if rule.valid_from <= uow.clock().date():
        raise Conflict("This rule has begun. Write another one that follows it.")
    uow.session.delete(rule)
    uow.note("own use rule taken back", thing="own_use_rule", thing_id=rule_id, actor_id=actor_id)
