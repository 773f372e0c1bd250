"""A company whose clock the test turns: facts become known at one moment and carry another date."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import func, select

from portal.commissions import cycles, undo
from portal.commissions.closing import CLOSE_STEPS
from portal.commissions.gathering import gather
from portal.commissions.kept import kept
from portal.commissions.plans.versions import add_plan
from portal.commissions.replay import replay
from portal.commissions.weeks import cycle_of
from portal.engine import snapshot
from portal.extensions import db
from portal.ledger.audit import broken_invariants
from portal.members import moves
from portal.members.packs import ensure_defaults
from portal.models import Contract, ContractFact, Cycle, CycleRhythm, Entry, Placement, Posting, Run, Sale
from portal.sales import service
from portal.store import perform
from tests.commissions.five_weeks import RICH
from tests.people import add_consultant, add_user
from tests.vendors import Vera, activated, cancelled, invite_vera

DENVER = ZoneInfo("America/Denver")
NAMES = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}
WINDOW = timedelta(minutes=30)
KINDS = ("sale", "larger", "smaller", "cancellation", "registration", "move")
_NOW = Placement.valid_until.is_(None)
_numbers = count(1)


@dataclass
class Company:
    """Whoever acts does so at `now`; `expected` says in which cycle each sale has to be found."""

    app: Flask
    rhythm: str
    now: datetime
    vera: Vera = field(init=False)
    people: list[int] = field(init=False)
    staff: tuple[int, int] = field(init=False)
    looked: datetime = field(init=False)
    expected: dict[int, str] = field(default_factory=dict)
    joined: dict[int, str] = field(default_factory=dict)
    moved: dict[int, str] = field(default_factory=dict)
    contracts: list[str] = field(default_factory=list)
    books: dict[int, tuple[object, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.looked = self.now
        self.people, self.staff = self.act(self._found)
        ana, ben = self.people[:2]
        self.vera = invite_vera(self.app, SimpleNamespace(ana=ana, ben=ben))

    def act(self, work):
        """Do something in a unit of work of its own, at this company's time."""
        return perform(work, lambda: self.now)

    def open_name(self) -> str:
        """The cycle that has to be open: the one of the calendar when somebody last looked for ends."""
        return self.looked.astimezone(DENVER).strftime(NAMES[self.rhythm])

    def end_what_is_due(self) -> None:
        """What the job does every minute, unless it was held up."""
        while self.act(lambda uow: cycles.end_if_due(uow, zone=DENVER) is not None):
            pass
        self.looked = self.now

    def learn(self, kind: str, occurred_at: datetime, chance) -> None:
        """A fact becomes known now, and says that it happened at another time."""
        getattr(self, f"_{kind}")(occurred_at, chance)
        for sale_id in db.session.scalars(select(Sale.id)):
            self.expected.setdefault(sale_id, self.open_name())

    def preview(self, cycle_id: int) -> None:
        self.act(lambda uow: cycles.preview(uow, cycle_id=cycle_id) and None)

    def approve(self, cycle_id: int, person: int) -> None:
        run_id = self.cycle(cycle_id).preview_run_id
        self.act(partial(cycles.approve, cycle_id=cycle_id, run_id=run_id, actor_id=person))

    def step(self, number: int, cycle_id: int) -> None:
        """One of the commits of a close; what is closed is remembered as it stands then."""
        self.act(partial(CLOSE_STEPS[number], cycle_id=cycle_id, zone=DENVER, window=WINDOW))
        if self.cycle(cycle_id).closed_at is not None:
            self.books[cycle_id] = books_of(cycle_id)

    def close(self, cycle_id: int) -> None:
        """Preview, two people, both commits."""
        self.preview(cycle_id)
        for person in self.staff:
            self.approve(cycle_id, person)
        for number in range(len(CLOSE_STEPS)):
            self.step(number, cycle_id)

    def undo(self, cycle_id: int) -> None:
        why = "The wrong plan was used."
        asked = partial(undo.request_undo, cycle_id=cycle_id, actor_id=self.staff[0], reason=why)
        self.act(asked)
        self.act(partial(undo.undo, cycle_id=cycle_id))
        del self.books[cycle_id]

    def cycle(self, cycle_id: int) -> Cycle:
        db.session.rollback()
        return db.session.get_one(Cycle, cycle_id)

    def in_order(self, *states: str) -> list[int]:
        """The cycles in these states, the earliest first."""
        db.session.rollback()
        wanted = select(Cycle.id).where(Cycle.state.in_(states))
        return list(db.session.scalars(wanted.order_by(Cycle.starts_at)))

    def problems(self) -> list[str]:
        """Every fact that is not where the rules say, and every closed book that is not as it was closed."""
        db.session.rollback()
        names = dict(db.session.execute(select(Cycle.id, Cycle.name)).all())
        found = [
            f"sale {sale_id} of {occurred_at} is in {names[cycle_id]}, not in {self.expected[sale_id]}"
            for sale_id, cycle_id, occurred_at in db.session.execute(
                select(Sale.id, Sale.cycle_id, Sale.occurred_at)
            )
            if names[cycle_id] != self.expected[sale_id]
        ]
        for cycle_id, books in self.books.items():
            if books_of(cycle_id) != books:
                found.append(f"the closed books of {names[cycle_id]} changed")
        return found + [str(each) for each in broken_invariants(db.session())]

    def _sale(self, occurred_at: datetime, chance) -> None:
        ref = f"K{next(_numbers)}"
        about = self._about(ref, occurred_at, size_thousandths=chance.randint(1_000, 30_000))
        self.act(lambda uow: service.take_event(uow, vendor_id=self.vera.vendor_id, event=about) and None)
        self.contracts.append(ref)

    def _larger(self, occurred_at: datetime, chance) -> None:
        """A larger size is a further sale of the contract."""
        self._resize(occurred_at, chance, lambda size: size + 3_000)

    def _smaller(self, occurred_at: datetime, chance) -> None:
        """A smaller size takes a part of a sale back."""
        self._resize(occurred_at, chance, lambda size: max(size * 2 // 3, 1))

    def _resize(self, occurred_at: datetime, chance, change) -> None:
        ref = chance.choice(self.contracts)
        contract = db.session.scalars(select(Contract).where(Contract.ref == ref)).unique().one()
        said = select(func.max(ContractFact.occurred_at)).where(ContractFact.contract_id == contract.id)
        at = max(occurred_at, db.session.scalar(said) + timedelta(seconds=1))
        event = self._about(ref, at, size_thousandths=change(contract.size_thousandths))
        event = replace(event, type="service.changed", milestone="")
        self.act(lambda uow: service.take_event(uow, vendor_id=self.vera.vendor_id, event=event) and None)

    def _cancellation(self, occurred_at: datetime, chance) -> None:
        ref = chance.choice(self.contracts)
        event = cancelled(self.vera, contract_ref=ref, customer_ref=f"C{ref}", occurred_at=occurred_at)
        work = partial(service.take_event, vendor_id=self.vera.vendor_id, event=event)
        self.act(lambda uow: work(uow) and None)

    def _registration(self, _occurred_at: datetime, chance) -> None:
        """Whoever registers late is there from the moment in which it is known."""
        top, leg = self._free_spot(chance)
        name = f"Late{next(_numbers)}"
        late = self.act(partial(add_consultant, name=name, sponsor=top, under=(top, leg)))
        self.people.append(late)
        self.joined[late] = self.open_name()

    def _move(self, _occurred_at: datetime, chance) -> None:
        """A move that two people agree on now counts from the next cycle on."""
        who = next((each for each in self.people[3:] if each not in self.moved), None)
        if who is None:
            return
        parent, leg = self._free_spot(chance, above=who)
        wish = moves.Wish(who, parent, leg, "Placed on the wrong side by mistake")
        move = self.act(lambda uow: moves.propose(uow, wish, actor_id=self.staff[0]).id)
        self.act(lambda uow: moves.approve(uow, move_id=move, actor_id=self.staff[1]) and None)
        self.moved[who] = self.open_name()

    def _about(self, ref: str, occurred_at: datetime, **more):
        event = activated(self.vera, contract_ref=ref, customer_ref=f"C{ref}", occurred_at=occurred_at)
        return replace(event, signed_on=occurred_at.date(), **more)

    def _free_spot(self, chance, above: int = 0) -> tuple[int, str]:
        """A spot nobody stands on, not below this person."""
        rows = select(Placement.consultant_id, Placement.parent_id, Placement.leg)
        stands = {who: (parent, leg) for who, *(parent, leg) in db.session.execute(rows.where(_NOW))}
        below = {above}
        while more := {who for who in self.people if stands[who][0] in below} - below:
            below |= more
        free = [(who, leg) for who in self.people for leg in "LR" if who not in below]
        return chance.choice([spot for spot in free if spot not in stands.values()])

    def _found(self, uow) -> tuple[list[int], tuple[int, int]]:
        ensure_defaults(uow)
        first = cycle_of(self.rhythm, self.now, DENVER).starts_at
        uow.session.add(CycleRhythm(rhythm=self.rhythm, valid_from=first, decided_at=self.now))
        uow.session.flush()
        add_plan(uow, RICH, valid_from=first)
        cycles.open_first_cycle(uow, at=self.now, zone=DENVER)
        ana = add_consultant(uow, "Ana")
        ben, cem = (
            add_consultant(uow, name, sponsor=ana, under=(ana, leg))
            for name, leg in (("Ben", "L"), ("Cem", "R"))
        )
        below = [
            add_consultant(uow, name, sponsor=top, under=(top, leg))
            for name, top, leg in (("Dee", ben, "L"), ("Eve", ben, "R"), ("Fay", cem, "L"), ("Gus", cem, "R"))
        ]
        staff = (add_user(uow, "Ada", role="admin").id, add_user(uow, "Fin", role="finance").id)
        return [ana, ben, cem, *below], staff


def books_of(cycle_id: int) -> tuple[object, ...]:
    """All that may never change about a closed cycle: what it is computed from, its rows, its entries."""
    db.session.rollback()
    cycle = db.session.get_one(Cycle, cycle_id)
    run = db.session.get_one(Run, cycle.close_run_id)
    entries = db.session.execute(
        select(Entry.key, Entry.kind, Posting.debit_id, Posting.credit_id, Posting.amount_cents)
        .join(Posting.entry)
        .where(Entry.cause_type == "run", Entry.cause_id == run.id)
        .order_by(Entry.key)
    ).all()
    again = snapshot.digest(gather(db.session(), cycle).inputs)
    seen = kept(run)
    same = replay(db.session(), run).is_same
    return run.id, run.output_hash, again == run.input_hash, same, tuple(entries), tuple(seen.sales.tolist())


def edges(until: datetime, change: date) -> list[datetime]:
    """Dates that a clock in the wrong zone, or one hour off, would put into another cycle."""
    midnight = datetime.combine(change, datetime.min.time(), DENVER).astimezone(UTC)
    around = [midnight + timedelta(hours=hours, minutes=30) for hours in (-1, 0, 1, 2, 3, 22, 23, 24)]
    seconds = [until + timedelta(seconds=each) for each in (-3_601, -1, 0, 1, 3_599, 25_200)]
    return around + seconds
