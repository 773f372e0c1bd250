"""Selections: the company finds whom to pay, leaves single people out, and makes all withdrawals at once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict
from portal.kernel.ids import new_id
from portal.kernel.money import format_money
from portal.ledger import book
from portal.ledger.accounts import CURRENCY, available, reserved
from portal.ledger.book import Draft, Move
from portal.ledger.releases import held_wallets
from portal.models import PayoutMethod, PayoutSelection, PayoutSelectionLine, Withdrawal
from portal.payouts.candidates import Candidate, Criteria, candidates, owners_of
from portal.payouts.stops import refuse_while_stopped
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

LONGEST_REASON = 500
_AT_ONCE = 1_000


@dataclass(frozen=True)
class _Making:
    """A selection that is being made, and by whom."""

    selection_id: int
    public_id: str
    criteria: Criteria
    actor_id: int


def find(
    uow: UnitOfWork, criteria: Criteria, *, actor_id: int, cycle_id: int | None = None
) -> PayoutSelection:
    """Write down everybody who fits, with what they would get, or the reason why they cannot be paid."""
    _check(criteria)
    selection = PayoutSelection(
        public_id=new_id(),
        cycle_id=cycle_id,
        criteria=stored(criteria),
        state="draft",
        created_by=actor_id,
        created_at=uow.clock(),
    )
    uow.session.add(selection)
    uow.session.flush()
    for owners in owners_of(uow.session, criteria, actor_id=actor_id):
        found = candidates(uow.session, owners, criteria, now=uow.clock())
        rows = [_line_row(selection.id, one) for one in found]
        if rows:
            uow.session.execute(insert(PayoutSelectionLine), rows)
    uow.note("selection.find", thing="payout_selection", thing_id=selection.id, actor_id=actor_id)
    return selection


def leave_out(uow: UnitOfWork, *, selection_id: int, consultant_id: int, actor_id: int, reason: str) -> None:
    """Leave one person out, with a written reason.

    Raises `BadInput` without one, `Conflict` once the withdrawals are made.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise BadInput("Please write why, in up to 500 letters.", field="reason")
    _draft(uow, selection_id)
    line = _line(uow, selection_id, consultant_id)
    if line.excluded_reason is None:
        line.excluded_reason, line.excluded_by = reason, actor_id
        detail = {"consultant": consultant_id}
        uow.note(
            "selection.leave_out",
            thing="payout_selection",
            thing_id=selection_id,
            actor_id=actor_id,
            **detail,
        )
        uow.session.flush()


def take_in(uow: UnitOfWork, *, selection_id: int, consultant_id: int, actor_id: int) -> None:
    """Take back who was left out by a person; who cannot be paid stays out.

    Raises `Conflict` once the withdrawals are made.
    """
    _draft(uow, selection_id)
    line = _line(uow, selection_id, consultant_id)
    if line.excluded_by is not None:
        line.excluded_reason, line.excluded_by = None, None
        uow.note("selection.take_in", thing="payout_selection", thing_id=selection_id, actor_id=actor_id)
        uow.session.flush()


def drop(uow: UnitOfWork, *, selection_id: int, actor_id: int) -> None:
    """Nothing is made of it.

    Raises `Conflict` once the withdrawals are made.
    """
    _draft(uow, selection_id).state = "dropped"
    uow.note("selection.drop", thing="payout_selection", thing_id=selection_id, actor_id=actor_id)
    uow.session.flush()


def make(uow: UnitOfWork, *, selection_id: int, actor_id: int) -> PayoutSelection:
    """Reserve the money and ask for the withdrawals, in the name of who makes them; another person approves.

    Whoever cannot be paid any more is left out with the reason. Raises `Conflict` when they are made already
    or payouts are stopped, `BadInput` when nobody is left or a method's limit for one run is passed.
    """
    selection = _draft(uow, selection_id)
    refuse_while_stopped(uow)
    making = _Making(selection_id, selection.public_id, read_criteria(selection.criteria), actor_id)
    sums: dict[int, int] = {}
    for shown in included(uow.session, selection_id):
        for method_id, cents in _make_some(uow, making, shown):
            sums[method_id] = sums.get(method_id, 0) + cents
    if not sums:
        raise BadInput("Nobody is left who could be paid.")
    for method_id, cents in sums.items():
        refuse_above_run_limit(uow, method_id, cents)
    selection = lock_row(uow, PayoutSelection, selection_id)
    selection.state, selection.made_by, selection.made_at = "made", actor_id, uow.clock()
    uow.note("selection.make", thing="payout_selection", thing_id=selection_id, actor_id=actor_id)
    uow.session.flush()
    return selection


def refuse_above_run_limit(uow: UnitOfWork, method_id: int, cents: int) -> None:
    """Go on only within what a method may pay in one run; raises `BadInput`."""
    method = uow.session.get_one(PayoutMethod, method_id)
    if cents > method.run_limit_cents:
        limit = format_money(method.run_limit_cents)
        raise BadInput(f"{method.name} pays {limit} in one run at most; this is {format_money(cents)}.")


def stored(criteria: Criteria) -> dict[str, object]:
    """Criteria as they are kept."""
    day = criteria.paid_before
    return asdict(criteria) | {"paid_before": day.isoformat() if day else None}


def read_criteria(kept: dict[str, object]) -> Criteria:
    """Criteria as they were kept."""
    known = {name: value for name, value in kept.items() if name in Criteria.__dataclass_fields__}
    day = known.pop("paid_before", None)
    return Criteria(**known, paid_before=date.fromisoformat(str(day)) if day else None)  # type: ignore[arg-type]


def included(session: Session, selection_id: int) -> list[dict[int, int]]:
    """What each included consultant was shown to get, in cents, a thousand at a time."""
    rows = session.execute(
        select(PayoutSelectionLine.consultant_id, PayoutSelectionLine.amount_cents)
        .where(
            PayoutSelectionLine.selection_id == selection_id, PayoutSelectionLine.excluded_reason.is_(None)
        )
        .order_by(PayoutSelectionLine.consultant_id)
    ).all()
    return [dict(iter(rows[start : start + _AT_ONCE])) for start in range(0, len(rows), _AT_ONCE)]


def _check(criteria: Criteria) -> None:
    if criteria.minimum < 1:
        raise BadInput("The smallest amount is more than 0.", field="minimum")
    if criteria.tax_form not in ("any", "valid", "missing"):
        raise BadInput("Please choose what you ask of the tax form.", field="tax_form")


def _draft(uow: UnitOfWork, selection_id: int) -> PayoutSelection:
    selection = lock_row(uow, PayoutSelection, selection_id)
    if selection.state != "draft":
        raise Conflict(f"This selection is {selection.state} already.")
    return selection


def _line(uow: UnitOfWork, selection_id: int, consultant_id: int) -> PayoutSelectionLine:
    ours = (
        PayoutSelectionLine.selection_id == selection_id,
        PayoutSelectionLine.consultant_id == consultant_id,
    )
    return uow.session.scalars(select(PayoutSelectionLine).where(*ours)).one()


def _line_row(selection_id: int, one: Candidate) -> dict[str, object]:
    return {
        "selection_id": selection_id,
        "consultant_id": one.consultant_id,
        "amount_cents": one.terms.amount if one.terms else one.balance,
        "excluded_reason": one.reason or None,
        "excluded_by": None,
    }


def _make_some(uow: UnitOfWork, making: _Making, shown: dict[int, int]) -> list[tuple[int, int]]:
    """Withdrawals of what was shown; (method, cents) of each. The wallets are locked until the commit."""
    held_wallets(uow, list(shown))
    found = candidates(uow.session, list(shown), making.criteria, now=uow.clock(), caps=shown)
    now = {one.consultant_id: one for one in found}
    rows = []
    for owner, cents in shown.items():
        one = now.get(owner)
        if one is None or one.terms is None or one.terms.amount != cents:
            reason = one.reason if one and one.reason else "Less can be paid now than was shown."
            _exclude(uow, making.selection_id, owner, reason)
        else:
            rows.append(_withdrawal_row(uow, making, one))
    entries = book.post_many(uow, [_reserve(row, making.actor_id) for row in rows])
    for row, entry_id in zip(rows, entries, strict=True):
        row["reserve_entry_id"] = entry_id
    if rows:
        uow.session.execute(insert(Withdrawal), rows)
    return [(row["method_id"], row["amount_cents"]) for row in rows]


def _exclude(uow: UnitOfWork, selection_id: int, owner: int, reason: str) -> None:
    ours = (PayoutSelectionLine.selection_id == selection_id, PayoutSelectionLine.consultant_id == owner)
    uow.session.execute(update(PayoutSelectionLine).where(*ours).values(excluded_reason=reason))


def _withdrawal_row(uow: UnitOfWork, making: _Making, one: Candidate) -> dict[str, Any]:
    assert one.terms is not None and one.destination is not None, "who can be paid has both"
    return {
        "public_id": new_id(),
        "key": f"selection-{making.public_id}-{one.consultant_id}",
        "consultant_id": one.consultant_id,
        "amount_cents": one.terms.amount,
        "fee_cents": one.terms.fee,
        "withheld_cents": one.terms.withheld,
        "currency": CURRENCY,
        "state": "requested",
        "method_id": one.destination.method_id,
        "destination_id": one.destination.id,
        "selection_id": making.selection_id,
        "requested_by": making.actor_id,
        "requested_at": uow.clock(),
    }


def _reserve(row: dict[str, Any], actor_id: int) -> Draft:
    owner = row["consultant_id"]
    move = Move(available(owner), reserved(owner), row["amount_cents"])
    return Draft(f"wd:{row['public_id']}", "withdrawal requested", [move], actor_id=actor_id)
