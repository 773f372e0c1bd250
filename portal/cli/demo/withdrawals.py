"""Forty withdrawals in every state there is, made by the real services at moments of the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random

from sqlalchemy import select

from portal.cli.demo.calendar import Calendar
from portal.cli.demo.weeks import Staff, quietly
from portal.extensions import db
from portal.kernel.ids import payout_reference
from portal.kernel.money import Cents
from portal.models import Account, AccountUser, Consultant, Destination, PayoutMethod, TaxForm, Withdrawal
from portal.payouts import batches, results, selections, service
from portal.payouts.candidates import Criteria
from portal.payouts.payees.shipped import BANK_FILE
from portal.payouts.result_files import ResultRow

_SMALLEST, _LARGEST = 20_00, 400_00
_POOL = 3
_BY_OTHER_WAYS = 3


@dataclass(frozen=True)
class Wave:
    """Requests of one moment, by what becomes of them; `weeks_ago` counts from the open week."""

    weeks_ago: int
    paid: int = 0
    returned: int = 0
    rejected: int = 0
    cancelled: int = 0
    exported: int = 0
    approved: int = 0
    requested: int = 0


WAVES = (
    Wave(7, paid=8, returned=1),
    Wave(4, paid=6, returned=1, rejected=1),
    Wave(3, rejected=2, cancelled=2),
    Wave(0, exported=6, approved=5, requested=8),
)


class Finance:
    """Asks for withdrawals and decides on them, as consultants and finance do."""

    def __init__(self, rng: Random, *, calendar: Calendar, staff: Staff, scale: int) -> None:
        self._rng = rng
        self._calendar = calendar
        self._staff = staff
        self._scale = scale
        self._first: int | None = None
        self._waves = list(WAVES)

    def favour(self, consultant_id: int) -> None:
        """Somebody who asks first, and whose money arrives."""
        self._first = consultant_id

    def work(self, index: int) -> None:
        """What happens after the week of this index was closed."""
        for wave in list(self._waves):
            if len(self._calendar.weeks) - 1 - wave.weeks_ago == index:
                self._make(wave, self._calendar.worked_out_at(index) + timedelta(hours=2))

    def finish(self) -> None:
        """What happened in the last days, and what there was no money for before."""
        for wave in list(self._waves):
            lately = timedelta(hours=3) if wave.requested else timedelta(hours=48)
            self._make(wave, self._calendar.now - lately)

    def find_people(self) -> None:
        """A selection that somebody has begun to look through."""
        find = partial(selections.find, criteria=Criteria(minimum=100_00), actor_id=self._staff.fin)
        quietly(lambda uow: find(uow).id, at=self._calendar.now - timedelta(hours=1))

    def by_other_ways(self) -> None:
        """Some ask for their money by Stripe and wait; some by the bank file, approved already."""
        at = self._calendar.now - timedelta(hours=2)
        for code, approved in (("stripe", False), ("ach", True)):
            for destination_id, user_id, balance in self._places(code, at):
                ask = partial(
                    service.request_to,
                    destination_id=destination_id,
                    amount=Cents(min(balance, _LARGEST)),
                    key=f"demo-{code}-{destination_id}",
                    actor_id=user_id,
                )
                made = quietly(ask, at=at).id
                if approved:
                    self._approve([made], at)

    def _places(self, code: str, at: datetime) -> list[tuple[int, int, int]]:
        """Destinations of a way whose owners have enough, the richest first; with sign-in and balance."""
        asked = select(Withdrawal.consultant_id).where(Withdrawal.state.in_(("requested", "approved")))
        rows = db.session.execute(
            select(Destination.id, AccountUser.id, Account.balance)
            .join(PayoutMethod, PayoutMethod.id == Destination.method_id)
            .join(Consultant, Consultant.id == Destination.consultant_id)
            .join(AccountUser, AccountUser.person_id == Consultant.person_id)
            .join(TaxForm, TaxForm.consultant_id == Consultant.id)
            .join(Account, Account.owner_id == Consultant.id)
            .where(
                PayoutMethod.code == code,
                Destination.usable_at <= at,
                Consultant.id.not_in(asked),
                Account.owner_type == "consultant",
                Account.purpose == "available",
                Account.balance >= _SMALLEST,
            )
            .order_by(Account.balance.desc(), Account.owner_id)
            .limit(_BY_OTHER_WAYS)
        ).all()
        db.session.rollback()
        return [(place, user_id, balance) for place, user_id, balance in rows]

    def _make(self, wave: Wave, at: datetime) -> None:
        """All withdrawals of a wave, through their whole life, from `at` on."""
        counts = {name: self._scaled(count) for name, count in vars(wave).items() if name != "weeks_ago"}
        ids = self._ask(sum(counts.values()), at)
        if not ids:
            return
        self._waves.remove(wave)
        asked = iter(ids)
        lives = {name: [next(asked, None) for _ in range(count)] for name, count in counts.items()}
        made = {name: [one for one in found if one is not None] for name, found in lives.items()}
        for name in ("paid", "returned", "exported", "approved"):
            self._approve(made[name], at)
        self._pay(made["paid"] + made["returned"], at)
        self._return(made["returned"], at)
        self._hear_of(made["exported"], self._export(made["exported"], at), at)
        for withdrawal_id in made["rejected"]:
            self._reject(withdrawal_id, at)
        for withdrawal_id in made["cancelled"]:
            self._cancel(withdrawal_id, at)

    def _scaled(self, count: int) -> int:
        return min(count, max(1, count * self._scale // 2000)) if count else 0

    def _ask(self, count: int, at: datetime) -> list[int]:
        """Who has most, without those who asked in this wave already."""
        owners = self._who_could_ask(count, at)
        return [self._request(owner, user_id, balance, at) for owner, user_id, balance in owners]

    def _who_could_ask(self, count: int, at: datetime) -> list[tuple[int, int, int]]:
        rows = db.session.execute(
            select(Account.owner_id, AccountUser.id, Account.balance)
            .join(Consultant, Consultant.id == Account.owner_id)
            .join(AccountUser, AccountUser.person_id == Consultant.person_id)
            .join(Destination, Destination.consultant_id == Consultant.id)
            .join(PayoutMethod, PayoutMethod.id == Destination.method_id)
            .join(TaxForm, TaxForm.consultant_id == Consultant.id)
            .where(
                PayoutMethod.code == BANK_FILE,
                Destination.usable_at <= at,
                Account.owner_type == "consultant",
                Account.purpose == "available",
                Account.balance >= _SMALLEST,
            )
            .order_by(Account.balance.desc(), Account.owner_id)
            .limit(count * _POOL)
        ).all()
        db.session.rollback()
        able = [(owner, user_id, balance) for owner, user_id, balance in rows]
        first = [row for row in able if row[0] == self._first]
        self._first = None if first else self._first
        others = [row for row in able if row not in first]
        return first + self._rng.sample(others, min(count - len(first), len(others)))

    def _request(self, owner: int, user_id: int, balance: int, at: datetime) -> int:
        whole = min(balance, _LARGEST) // 100
        amount = Cents(self._rng.randrange(_SMALLEST // 100, whole + 1) * 100)
        key = f"demo-{self._rng.getrandbits(64):016x}"
        ask = partial(
            service.request_withdrawal, consultant_id=owner, amount=amount, key=key, actor_id=user_id
        )
        return int(quietly(lambda uow: ask(uow).id, at=at))

    def _approve(self, ids: Sequence[int], at: datetime) -> None:
        for withdrawal_id in ids:
            decide = partial(service.approve, withdrawal_id=withdrawal_id, actor_id=self._staff.fin)
            quietly(decide, at=at + timedelta(minutes=40))

    def _export(self, ids: Sequence[int], at: datetime) -> int | None:
        if not ids:
            return None
        export = partial(batches.export_batch, withdrawal_ids=ids, actor_id=self._staff.sam)
        return int(quietly(lambda uow: export(uow).id, at=at + timedelta(minutes=50)))

    def _pay(self, ids: Sequence[int], at: datetime) -> None:
        batch_id = self._export(ids, at)
        if batch_id is not None:
            confirm = partial(batches.confirm_batch, batch_id=batch_id, actor_id=self._staff.fin)
            quietly(confirm, at=at + timedelta(hours=20))

    def _hear_of(self, ids: Sequence[int], batch_id: int | None, at: datetime) -> None:
        """The bank's first answer about a batch: it names another amount than was exported."""
        if batch_id is None:
            return
        line = ResultRow(
            line=2,
            reference=payout_reference(ids[0]),
            amount="9.99",
            cents=9_99,
            currency="USD",
            outcome="paid",
            reason="",
        )
        hear = partial(results.import_result, rows=[line], batch_id=batch_id, actor_id=self._staff.fin)
        quietly(hear, at=at + timedelta(hours=2))

    def _return(self, ids: Sequence[int], at: datetime) -> None:
        for withdrawal_id in ids:
            give_back = partial(
                service.return_withdrawal,
                withdrawal_id=withdrawal_id,
                actor_id=self._staff.fin,
                reason="The bank does not know this account.",
            )
            quietly(give_back, at=at + timedelta(hours=44))

    def _reject(self, withdrawal_id: int, at: datetime) -> None:
        reject = partial(
            service.reject,
            withdrawal_id=withdrawal_id,
            actor_id=self._staff.fin,
            reason="The name on the account is not yours. Please check it and ask again.",
        )
        quietly(reject, at=at + timedelta(hours=1))

    def _cancel(self, withdrawal_id: int, at: datetime) -> None:
        found = db.session.get_one(Withdrawal, withdrawal_id)
        owner, user_id = found.consultant_id, found.requested_by
        cancel = partial(
            service.cancel_withdrawal, withdrawal_id=withdrawal_id, consultant_id=owner, actor_id=user_id
        )
        quietly(cancel, at=at + timedelta(minutes=20))
