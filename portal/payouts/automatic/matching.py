"""The daily match: withdrawals, the books and a provider's own record say the same, or payouts stop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.kernel.errors import NotYours
from portal.ledger.accounts import AccountKey
from portal.ledger.company import trial_balance
from portal.models import Account, Entry, PayoutMatch, PayoutMethod, Posting, Withdrawal
from portal.payouts import stops
from portal.payouts.automatic import arrivals, steps
from portal.payouts.automatic.orders import Order, group_of, order_of, public_id_of
from portal.payouts.payees.methods import AUTOMATIC_KINDS
from portal.payouts.settling import post_key
from portal.store.unit_of_work import UnitOfWork

CAUSE: Final = "match"
WINDOW: Final = timedelta(days=3)
OVERDUE: Final = timedelta(days=2)
# A payout may be found days after its transfer was made.
EARLIER: Final = timedelta(days=8)
_SHOWN = 5
_PAID = ("sent", "paid")
_UNDER_WAY = ("queued", "sending", "resolving", "review")


@dataclass(frozen=True)
class Line:
    """One line of the provider's record: what was not reversed of it, in cents, and its state there."""

    ref: str
    group: str
    amount_cents: int
    currency: str
    state: str


@dataclass(frozen=True)
class Difference:
    """A line without its partner. `what` is twice, stranger, not_here, not_there, amount or not_booked."""

    what: str
    group: str
    ref: str
    here_cents: int
    there_cents: int
    state: str = ""


def methods_to_match(session: Session) -> list[PayoutMethod]:
    """The methods by which a provider ever paid, or may pay now."""
    used = select(Withdrawal.method_id).where(Withdrawal.provider_ref.is_not(None))
    wanted = (PayoutMethod.kind.in_(AUTOMATIC_KINDS), PayoutMethod.enabled | PayoutMethod.id.in_(used))
    return list(session.scalars(select(PayoutMethod).where(*wanted).order_by(PayoutMethod.id)))


def to_ask(session: Session, *, method_id: int, since: datetime, until: datetime) -> list[Order]:
    """The payouts of a window one by one, for a provider that has no list."""
    return [order_of(session, each) for each in _settled(session, method_id, since, until)]


def keep_match(
    uow: UnitOfWork, lines: Sequence[Line], *, method_id: int, since: datetime, until: datetime
) -> PayoutMatch:
    """Compare and keep the result; a difference stops payouts. `lines` were read before this began.

    What only its event was missing of is put right: money that came back, a payout that reached the bank.
    """
    _catch_up(uow, lines)
    settled = _settled(uow.session, method_id, since, until)
    differences = [*_of_provider(uow.session, lines, until), *_of_house(uow.session, lines, settled)]
    match = PayoutMatch(
        method_id=method_id,
        since=since.date(),
        until=until.date(),
        checked_at=uow.clock(),
        compared=len(settled),
        sum_cents=sum(each.net_cents for each in settled),
        differences=[asdict(each) for each in differences],
    )
    uow.session.add(match)
    uow.session.flush()
    if differences:
        shown = "; ".join(f"{each.group or each.ref}: {each.what}" for each in differences[:_SHOWN])
        stops.stop(uow, cause=CAUSE, detail=f"{len(differences)} differences with a provider: {shown}")
    return match


def note_balance(uow: UnitOfWork, match: PayoutMatch, *, there_cents: int | None, account: AccountKey) -> int:
    """Keep beside a match what the provider has and what the books say; the cents that nobody booked since.

    Money of our own that is sent there or fetched from there, and bills of the provider, are in no entry of
    ours: what moved besides the entries stops nothing, but people see it.
    """
    if there_cents is None:
        return 0
    standing = trial_balance(uow.session)
    match.there_cents = there_cents
    match.booked_cents = sum(
        line.balance
        for line in standing
        if (line.owner_type, line.purpose) == (account.owner_type, account.purpose)
    )
    uow.session.flush()
    before = balance_before(uow.session, match)
    return 0 if before is None else (match.there_cents - match.booked_cents) - before


def balance_before(session: Session, match: PayoutMatch) -> int | None:
    """What the provider had more than the books said, in cents, at the match before; None where untold."""
    earlier = (
        PayoutMatch.method_id == match.method_id,
        PayoutMatch.id < match.id,
        PayoutMatch.there_cents.is_not(None),
    )
    newest = select(PayoutMatch.there_cents - PayoutMatch.booked_cents).where(*earlier)
    return session.scalar(newest.order_by(PayoutMatch.id.desc()).limit(1))


def seconds_of(lines: Iterable[Line]) -> dict[str, tuple[str, ...]]:
    """What was carried out more than once, oldest first, by group."""
    groups = defaultdict(list)
    for line in lines:
        if line.amount_cents > 0 and line.state != "returned":
            groups[line.group].append(line.ref)
    return {group: tuple(refs) for group, refs in groups.items() if group and len(refs) > 1}


def order_for(session: Session, group: str) -> Order | None:
    """The order behind a provider's name; None where it is not ours."""
    found = session.scalar(select(Withdrawal).where(Withdrawal.public_id == public_id_of(group)))
    return order_of(session, found) if found is not None else None


def last_matches(session: Session, *, limit: int = 10) -> list[tuple[PayoutMatch, str]]:
    """The newest matches, each with the name of its method."""
    question = select(PayoutMatch, PayoutMethod.name).join(
        PayoutMethod, PayoutMethod.id == PayoutMatch.method_id
    )
    rows = session.execute(question.order_by(PayoutMatch.id.desc()).limit(limit))
    return [(match, name) for match, name in rows]


def compared(session: Session, match_id: int) -> tuple[str, Sequence[Withdrawal]]:
    """The name of the method of a match, and the payouts of its window; raises `NotYours`.

    What came back since is not among them any more.
    """
    match = session.get(PayoutMatch, match_id)
    if match is None:
        raise NotYours("There is no such match.")
    method = session.get_one(PayoutMethod, match.method_id)
    since = match.checked_at - WINDOW
    return method.name, _settled(session, method.id, since, match.checked_at)


def overdue(session: Session, *, now: datetime) -> list[str]:
    """The names of the methods that paid lately and were not compared for two days."""
    compared = select(PayoutMatch.method_id).where(PayoutMatch.checked_at > now - OVERDUE)
    paid = select(Withdrawal.method_id).where(
        Withdrawal.state.in_(_PAID),
        Withdrawal.settled_at > now - WINDOW,
        Withdrawal.settled_at < now - OVERDUE,
    )
    wanted = (
        PayoutMethod.kind.in_(AUTOMATIC_KINDS),
        PayoutMethod.id.in_(paid),
        PayoutMethod.id.not_in(compared),
    )
    return list(session.scalars(select(PayoutMethod.name).where(*wanted).order_by(PayoutMethod.id)))


def _settled(session: Session, method_id: int, since: datetime, until: datetime) -> Sequence[Withdrawal]:
    return session.scalars(
        select(Withdrawal)
        .where(
            Withdrawal.method_id == method_id,
            Withdrawal.state.in_(_PAID),
            Withdrawal.settled_at >= since,
            Withdrawal.settled_at < until,
        )
        .order_by(Withdrawal.id)
    ).all()


def _catch_up(uow: UnitOfWork, lines: Iterable[Line]) -> None:
    for line in lines:
        if line.state == "returned":
            arrivals.reversed_there(uow, ref=line.ref, group=line.group)
        elif line.state == "paid":
            known = select(Withdrawal.id).where(
                Withdrawal.provider_ref == line.ref, Withdrawal.state == "sent", Withdrawal.next_at.is_(None)
            )
            if (withdrawal_id := uow.session.scalar(known)) is not None:
                steps.move(uow, withdrawal_id, old="sent", new="paid")


def _of_provider(session: Session, lines: Sequence[Line], until: datetime) -> list[Difference]:
    """Lines there that have no partner here; what came back after `until`, when they were read, is none."""
    public_ids = {public_id_of(line.group) for line in lines}
    found = session.scalars(select(Withdrawal).where(Withdrawal.public_id.in_(public_ids)))
    known = {group_of(withdrawal.public_id): withdrawal for withdrawal in found}
    differences, twice = [], seconds_of(lines)
    for line in lines:
        withdrawal = known.get(line.group)
        if line.amount_cents == 0 or line.state in ("returned", "rejected") or _ended(withdrawal, until):
            continue
        what = _missing_here(line, withdrawal, is_second=line.ref in twice.get(line.group, ())[1:])
        if what:
            here = withdrawal.net_cents if withdrawal is not None else 0
            state = withdrawal.state if withdrawal is not None else ""
            differences.append(Difference(what, line.group, line.ref, here, line.amount_cents, state))
    return differences


def _ended(withdrawal: Withdrawal | None, until: datetime) -> bool:
    if withdrawal is None or withdrawal.state != "returned":
        return False
    return withdrawal.settled_at is not None and withdrawal.settled_at >= until


def _missing_here(line: Line, withdrawal: Withdrawal | None, *, is_second: bool) -> str:
    if withdrawal is None:
        return "stranger"
    if is_second:
        return "twice"
    if withdrawal.state in _UNDER_WAY:
        return ""
    if withdrawal.state not in _PAID or withdrawal.provider_ref != line.ref:
        return "not_here"
    same = (withdrawal.net_cents, withdrawal.currency) == (line.amount_cents, line.currency)
    return "" if same else "amount"


def _of_house(session: Session, lines: Sequence[Line], settled: Sequence[Withdrawal]) -> list[Difference]:
    """Payouts here that have no partner there, or no entry in the books."""
    there = {line.ref for line in lines}
    booked = _booked(session, settled)
    differences = []
    for withdrawal in settled:
        here = withdrawal.net_cents
        told = (group_of(withdrawal.public_id), withdrawal.provider_ref or "", here)
        if withdrawal.provider_ref not in there:
            differences.append(Difference("not_there", *told, 0, withdrawal.state))
        elif booked.get(post_key(withdrawal)) != here:
            differences.append(Difference("not_booked", *told, here, withdrawal.state))
    return differences


def _booked(session: Session, settled: Sequence[Withdrawal]) -> dict[str, int]:
    """What the books say left the company, in cents, by the key of its entry."""
    keys = [post_key(withdrawal) for withdrawal in settled]
    left = (
        select(Entry.key, func.sum(Posting.amount_cents))
        .join(Posting, Posting.entry_id == Entry.id)
        .join(Account, Account.id == Posting.credit_id)
        .where(Entry.key.in_(keys), Account.purpose.in_(("bank", "stripe_balance")))
        .group_by(Entry.key)
    )
    return {key: int(total) for key, total in session.execute(left)}
