"""Somebody who works for a vendor of the demo, and what a vendor's week looks like: signed contracts, a
statement that disagrees with the events, and events that were given up."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.access.passwords import hash_password
from portal.cli.demo.names import Invented
from portal.cli.demo.offers import OFFERS, Stored
from portal.cli.demo.rows import Known
from portal.cli.demo.signins import SignIn
from portal.cli.demo.weeks import quietly
from portal.cli.users import made_up_password
from portal.gateways.vendor_events import parse
from portal.models import Consultant, Contract, ContractFact, Inbox, Person, TermsVersion
from portal.sales.service import take_event
from portal.sales.worth import worth
from portal.statements.differences import compare_statement
from portal.statements.events import Event
from portal.statements.lines import Line
from portal.statements.service import receive_statement
from portal.store import UnitOfWork
from portal.store.inbox import Arrival, receive, vendor_source
from portal.store.statement_days import bounds
from portal.vendors.members import add_member

CLERK = ("Vera Lindqvist", "vera@example.com")
_SIGNED = 6
_REFUSED = (
    ("solar-tile", "contract.service", "There is no service solar-tile."),
    ("solar-tile", "contract.service", "There is no service solar-tile."),
    ("solar-roof", "consultant_code", "There is no consultant with the code SUNNY123."),
)


def add_partner(known: Known, *, invented: Invented, now: datetime, zone: ZoneInfo) -> SignIn:
    """Let a clerk of the first vendor sign in, and give that vendor a week to look at."""
    sign_in = SignIn("vendor", invented.reserve(CLERK[1]), made_up_password())
    vendor = known.offers[0]
    clerk = {"public_id": invented.public_id(), "name": CLERK[0], "email": sign_in.email}
    quietly(partial(_hire, vendor, sign_in, clerk), at=now - timedelta(days=30))
    # At noon of the company's yesterday and the day before it.
    noon = now.astimezone(zone).replace(hour=12, minute=0, second=0, microsecond=0)
    sellers = quietly(partial(_codes, known), at=now)
    for ago in (2, 1):
        at = noon - timedelta(days=ago)
        events = [_signed(sellers[number], at, ago=ago, number=number) for number in range(_SIGNED)]
        quietly(partial(_tell, vendor, events[:-1]), at=at + timedelta(hours=1))
        lines = [_line(event, number) for number, event in enumerate(events, start=1)]
        quietly(partial(_state, vendor, lines[1:], zone=zone), at=at + timedelta(hours=9))
    quietly(partial(_give_up, vendor), at=now - timedelta(hours=3))
    return sign_in


def _hire(vendor: Stored, sign_in: SignIn, clerk: dict[str, str], uow: UnitOfWork) -> None:
    person = Person(**clerk, created_at=uow.clock())
    uow.session.add(person)
    uow.session.flush()
    password_hash = hash_password(sign_in.password)
    add_member(uow, vendor_id=vendor.vendor_id, person=person, password_hash=password_hash)


def _codes(known: Known, uow: UnitOfWork) -> list[str]:
    first = select(Consultant.code).where(Consultant.id.in_(known.sellers[:_SIGNED]))
    return list(uow.session.scalars(first.order_by(Consultant.id)))


def _signed(code: str, at: datetime, *, ago: int, number: int) -> Event:
    """A contract that was signed: nothing is paid for it before it is activated."""
    return Event(
        type="service.signed",
        occurred_at=at + timedelta(minutes=7 * number),
        customer_ref=f"C-{ago}{number}01",
        contract_ref=f"K-{ago}{number}01",
        consultant_code=code,
        service_code=OFFERS[0].offer.code,
        size_thousandths=5_000 + 400 * number,
    )


def _line(event: Event, number: int) -> Line:
    """What the statement says of it; of one contract another size."""
    return Line(
        line=number,
        type=event.type,
        contract_ref=event.contract_ref,
        occurred_at=event.occurred_at,
        customer_ref=event.customer_ref,
        consultant_code=event.consultant_code,
        service_code=event.service_code,
        size_thousandths=(event.size_thousandths or 0) + (800 if number == _SIGNED // 2 else 0),
    )


def _tell(vendor: Stored, events: list[Event], uow: UnitOfWork) -> None:
    for event in events:
        row = _arrive(uow, vendor, event)
        take_event(uow, vendor_id=vendor.vendor_id, event=parse(row.body, now=uow.clock()), inbox_id=row.id)
        row.state, row.attempts, row.done_at = "done", 1, uow.clock()
        row.outcome = "noted; nothing to pay by it"


def _state(vendor: Stored, lines: list[Line], uow: UnitOfWork, *, zone: ZoneInfo) -> None:
    day = lines[0].occurred_at.astimezone(zone).date()
    lines = lines + _other_lines(uow, vendor, day, zone=zone, after=lines)
    content = "\n".join(
        ["contract,size", *(f"{each.contract_ref},{each.size_thousandths}" for each in lines)]
    )
    statement = receive_statement(
        uow,
        vendor_id=vendor.vendor_id,
        day=day,
        lines=lines,
        source="csv",
        content=content.encode(),
        file_name=f"sunpath-{day}.csv",
    )
    compare_statement(uow, statement_id=statement.id, zone=zone, revenue_of=_revenue)


def _other_lines(
    uow: UnitOfWork, vendor: Stored, day: date, *, zone: ZoneInfo, after: list[Line]
) -> list[Line]:
    """What else was reported of the day, as the vendor's books have it too."""
    begins, ends = bounds(day, zone)
    told = (
        select(Contract.ref, ContractFact)
        .join(ContractFact, ContractFact.contract_id == Contract.id)
        .where(Contract.vendor_id == vendor.vendor_id, Contract.ref.not_like("K-__01"))
        .where(ContractFact.type.startswith("service."))
        .where(ContractFact.occurred_at >= begins, ContractFact.occurred_at < ends)
        .order_by(ContractFact.occurred_at, ContractFact.id)
    )
    first = max(line.line for line in after) + 1
    return [
        Line(
            line=number,
            type=fact.type,
            contract_ref=ref,
            occurred_at=fact.occurred_at,
            period=fact.period,
            share=fact.share,
        )
        for number, (ref, fact) in enumerate(uow.session.execute(told), start=first)
    ]


def _give_up(vendor: Stored, uow: UnitOfWork) -> None:
    for number, (service, problem, said) in enumerate(_REFUSED):
        code = "SUNNY123" if problem == "consultant_code" else None
        event = Event(
            type="service.activated",
            occurred_at=uow.clock() - timedelta(hours=number),
            customer_ref=f"C-9{number}01",
            contract_ref=f"K-9{number}01",
            consultant_code=code,
            service_code=service,
            size_thousandths=6_400,
        )
        row = _arrive(uow, vendor, event)
        row.state, row.attempts, row.problem, row.last_error = "dead", 12, problem, said


def _arrive(uow: UnitOfWork, vendor: Stored, event: Event) -> Inbox:
    name = f"{event.type.replace('.', '-')}-{event.contract_ref}"
    source = vendor_source(vendor.vendor_id)
    arrival = Arrival(
        source, name, event.type, event.body(), vendor_id=vendor.vendor_id, object_ref=event.contract_ref
    )
    receive(uow, arrival=arrival)
    return uow.session.scalars(select(Inbox).where(Inbox.source == source, Inbox.event_id == name)).one()


def _revenue(terms: TermsVersion, milestone: str, size_thousandths: int) -> int | None:
    value = worth(terms, size_thousandths=size_thousandths, milestone=milestone)
    return None if value is None else value.revenue
