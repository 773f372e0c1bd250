"""Vera's solar service needs a licence in California; Ben sells it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobs import inbox, reactions, relay
from portal.compliance import licences
from portal.compliance.documents import read_document
from portal.compliance.licences import Wish
from portal.extensions import db
from portal.models import Contract, HeldSale, Sale, TermsVersion
from portal.store.inbox import Arrival, receive, vendor_source
from tests.vendors import Vera, activated, body_of, invite_vera

PDF = b"%PDF-1.7\n1 0 obj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
SIGNED = date(2026, 11, 2)


@pytest.fixture
def vera(app: Flask, cast: Any, do: Callable[..., Any]) -> Vera:
    """Solar needs the licence `solar` in California and Nevada."""
    made = invite_vera(app, cast)

    def need(uow: Any) -> None:
        terms = uow.session.scalars(select(TermsVersion)).one()
        terms.licence_kind, terms.licence_states = "solar", ["CA", "NV"]

    do(need)
    return made


@pytest.fixture
def sell(app: Flask, vera: Vera, do: Callable[..., Any]) -> Callable[..., None]:
    """A contract over 8.4 kW is activated: `sell("K1", state="CA", signed_on=…)`."""

    def run(ref: str = "K1", *, state: str = "CA", signed_on: date = SIGNED) -> None:
        event = replace(activated(vera), contract_ref=ref, customer_ref=f"C{ref}", signed_on=signed_on)
        document = body_of(event)
        document["customer"]["state"] = state
        arrival = Arrival(
            vendor_source(vera.vendor_id),
            f"event-{ref}",
            kind=event.type,
            body=json.dumps(document).encode(),
            vendor_id=vera.vendor_id,
            object_ref=ref,
        )
        do(lambda uow: receive(uow, arrival=arrival) and None)
        with app.app_context():
            inbox.drain()

    return run


@pytest.fixture
def react(app: Flask) -> Callable[[], None]:
    """The relay carries every fact and the jobs follow, until nothing is left."""

    def run() -> None:
        with app.app_context():
            while relay.carry():
                pass
            while reactions.drain_money() + reactions.drain_mail():
                pass

    return run


@pytest.fixture
def licensed(do: Callable[..., Any], cast: Any, vera: Vera) -> Callable[..., str]:
    """Ben's licence, sent in and, unless `verify=False`, verified by Ada; its public id."""

    def run(
        first: date = date(2026, 1, 1),
        last: date = date(2027, 12, 31),
        *,
        region: str = "CA",
        verify: bool = True,
        number: str = "HIS 123456",
    ) -> str:
        wish = Wish("solar", region, number, first, last)
        named = {"consultant_id": cast.ben, "actor_id": cast.ada}
        public_id = do(lambda uow: licences.submit(uow, wish, read_document("a.pdf", PDF), **named).public_id)
        if verify:
            seen = {"public_id": public_id, "actor_id": cast.ada, "reason": "Seen in the register."}
            do(lambda uow: licences.verify(uow, **seen) and None)
        return str(public_id)

    return run


@pytest.fixture
def books(app: Flask) -> Callable[[str], tuple[int, int, str, list[str]]]:
    """Of a contract: sales, their volume, how it is held, the codes of the reasons."""

    def read(ref: str = "K1") -> tuple[int, int, str, list[str]]:
        with app.app_context():
            of_contract = Sale.contract_id == select(Contract.id).where(Contract.ref == ref).scalar_subquery()
            counted = select(func.count(Sale.id), func.coalesce(func.sum(Sale.volume), 0)).where(of_contract)
            number, volume = db.session.execute(counted).one()
            of_ref = select(HeldSale).join(Contract, Contract.id == HeldSale.contract_id)
            held = db.session.scalars(of_ref.where(Contract.ref == ref)).unique().one_or_none()
            state = held.state if held else ""
            codes = [str(reason["code"]) for reason in held.reasons] if held else []
            db.session.rollback()
            return number, int(volume), state, codes

    return read
