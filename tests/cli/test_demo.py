"""The demo: a company with a past whose books are in order, the same one for the same seed."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from jobs.providers import provider_of
from portal.cli import demo as demo_command
from portal.commissions.runs import is_reproducible
from portal.extensions import db
from portal.gateways.sandbox import charges
from portal.gateways.sandbox.store import Store
from portal.kernel import clock
from portal.ledger.audit import broken_invariants
from portal.members.queries import waiting_people
from portal.models import (
    AccountUser,
    CommissionLine,
    Consultant,
    Contract,
    Cycle,
    Destination,
    Outbox,
    Payment,
    PayoutMethod,
    Person,
    Placement,
    Release,
    Run,
    Sale,
    StatementDifference,
    Task,
    Vendor,
    Withdrawal,
)
from portal.payouts.payees.destinations import destinations_of
from portal.store import perform
from tests.html import Visitor
from tests.people import add_user

SMALL = ("demo", "--members", "60", "--weeks", "3")


def load(app, *words):
    return app.test_cli_runner().invoke(args=[*SMALL, *words])


def count(model, *conditions):
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions))


def test_the_demo_is_a_company_whose_books_are_in_order(app):
    done = load(app, "--json")
    assert done.exit_code == 0, done.output

    with app.app_context():
        assert broken_invariants(db.session()) == []
        assert list(db.session.scalars(select(Cycle.state).order_by(Cycle.starts_at))) == [
            *["closed"] * 3,
            "ended",
            "open",
        ]
        assert (count(Consultant), count(Vendor)) == (60, 5)
        assert count(Sale, Sale.reverses_id.is_not(None)) > 0
        sold = Contract.activated_at.is_not(None)
        assert count(Contract, Contract.state == "cancelled", sold) == count(
            Sale, Sale.reverses_id.is_not(None)
        )
        assert all(is_reproducible(run) for run in db.session.scalars(select(Run)))
        moments = set(db.session.scalars(select(Release.released_at).where(Release.released_at.is_not(None))))
        assert len(moments) > 1, "money becomes available week by week, and not all of it at the end"
        fees = select(Payment.received_at).where(Payment.kind != "order").order_by(Payment.id)
        received = list(db.session.scalars(fees))
        assert received == sorted(received), "the list of payments is in the order of time"
        states = set(db.session.scalars(select(Withdrawal.state)))
        assert states == {"requested", "approved", "exported", "paid", "rejected", "cancelled", "returned"}


def test_automatic_payouts_bank_files_and_payments_can_be_tried_at_once(sqlite_app):
    load(sqlite_app)

    with sqlite_app.app_context():
        rested = Destination.usable_at < clock.utc_now() - timedelta(hours=72)
        ready = select(PayoutMethod.code, func.count()).join(Destination).where(Destination.ready, rested)
        ways = dict(db.session.execute(ready.group_by(PayoutMethod.code)).all())
        maya = db.session.scalar(select(Consultant).join(Person).where(Person.email == "maya@example.com"))
        assert set(ways) == {"bank", "ach", "stripe"} and min(ways.values()) >= 3
        assert {place.method.code for place in destinations_of(db.session(), maya.id)} == set(ways)
        assert set(db.session.scalars(select(Payment.kind))) == {"pack", "renewal", "order"} - (
            set() if count(Payment, Payment.kind == "renewal") else {"renewal"}
        )
        assert {"paid", "partly_refunded", "refunded", "disputed"} == set(
            db.session.scalars(select(Payment.state))
        )
        method = db.session.scalars(select(PayoutMethod).where(PayoutMethod.code == "ach")).one()
        assert provider_of(method).adapter.capabilities.by_file


def test_the_played_stripe_knows_every_payment_and_account_of_the_demo(sqlite_app):
    load(sqlite_app)

    store = Store(sqlite_app.config["SETTINGS"].instance / "sandbox.sqlite")
    with sqlite_app.app_context(), store.reading() as books:
        for payment in db.session.scalars(select(Payment)).unique():
            charge = charges.charge_of(books, payment.provider_ref)
            assert (charge["amount"], charge["amount_refunded"]) == (
                payment.amount_cents,
                payment.refunded_cents,
            )
        accounts = [place.provider_account for place in db.session.scalars(select(Destination)).unique()]
        for account in filter(None, accounts):
            assert books.find("account", account)["capabilities"]["transfers"] == "active"
        assert books.newest("event") == [], "the past is told to nobody"


def test_nobody_hears_of_the_past(sqlite_app):
    load(sqlite_app)

    with sqlite_app.app_context():
        assert count(Outbox) > 0
        assert (count(Outbox, Outbox.relayed_at.is_(None)), count(Task)) == (0, 0)


def test_everybody_stands_once_below_somebody_who_was_there_before(sqlite_app):
    load(sqlite_app)

    with sqlite_app.app_context():
        parents = dict(db.session.execute(select(Placement.consultant_id, Placement.parent_id)).all())
        joined = dict(db.session.execute(select(Consultant.id, Consultant.joined_at)).all())
        assert list(parents.values()).count(None) == 1
        assert all(joined[parent] < joined[one] for one, parent in parents.items() if parent)
        maya = db.session.scalar(select(Consultant).join(Person).where(Person.email == "maya@example.com"))
        assert len(waiting_people(db.session(), maya.id)) == 2


def test_those_on_the_printed_list_sign_in_and_nobody_else(sqlite_app):
    printed = json.loads(load(sqlite_app, "--json").stdout)["sign_ins"]
    assert [row["role"] for row in printed] == ["consultant", "smart", "admin", "admin", "finance", "vendor"]

    for row in printed:
        Visitor(sqlite_app).sign_in(row["email"], row["password"])
    with sqlite_app.app_context():
        hashes = list(db.session.scalars(select(AccountUser.password_hash)))
        stranger = db.session.scalar(select(AccountUser.email).where(AccountUser.password_hash == "!"))
    assert sorted(set(hashes) - {"!"}) == sorted(one for one in hashes if one != "!") and len(hashes) == 64
    for password in ("!", "a password that belongs to nobody"):
        laptop = Visitor(sqlite_app)
        laptop.visit("/login")
        assert laptop.submit("/login", {"email": stranger, "password": password}).status_code != 303


def test_passwords_and_keys_are_kept_for_their_owner_alone(sqlite_app):
    printed = json.loads(load(sqlite_app, "--json").stdout)
    folder = sqlite_app.config["SETTINGS"].instance

    for name, rows in (("demo-signins.json", "sign_ins"), ("demo-vendor-keys.json", "vendor_keys")):
        assert json.loads((folder / name).read_text()) == printed[rows]
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def sums(app):
    with app.app_context():
        paid = select(CommissionLine.kind, func.sum(CommissionLine.amount_cents)).group_by(
            CommissionLine.kind
        )
        sold = select(func.count(), func.sum(Sale.volume), func.sum(Sale.revenue_cents))
        asked = select(Withdrawal.state, func.sum(Withdrawal.amount_cents)).group_by(Withdrawal.state)
        people = select(Person.public_id, Person.name, Person.email).order_by(Person.public_id)
        found = [db.session.execute(question).all() for question in (sold, people)]
        return [*found, sorted(db.session.execute(paid)), sorted(db.session.execute(asked))]


@pytest.mark.postgres
def test_the_same_seed_gives_the_same_company_on_both_engines(
    make_app, sqlite_database, postgresql_database, monkeypatch
):
    now = clock.utc_now()
    monkeypatch.setattr(demo_command, "utc_now", lambda: now)
    companies = []
    for database, seed in ((sqlite_database, "7"), (postgresql_database, "7")):
        app = make_app(database)
        assert load(app, "--seed", seed).exit_code == 0
        companies.append(sums(app))

    assert companies[0] == companies[1]


def test_the_demo_refuses_a_database_with_people(sqlite_app):
    with sqlite_app.app_context():
        perform(lambda uow: add_user(uow, "Eve", role="admin"))

    refused = load(sqlite_app)

    assert (refused.exit_code, refused.output.count("\n")) == (1, 1)
    assert "needs an empty one" in refused.output


def test_the_demo_refuses_production(sqlite_app):
    sqlite_app.config["SETTINGS"] = replace(sqlite_app.config["SETTINGS"], environment="production")

    assert "never loaded in production" in load(sqlite_app).output
    with sqlite_app.app_context():
        assert count(Person) == 0


def test_a_vendor_has_somebody_who_signs_in_and_something_to_look_at(sqlite_app):
    clerk = json.loads(load(sqlite_app, "--json").stdout)["sign_ins"][-1]
    browser = Visitor(sqlite_app)
    browser.sign_in(clerk["email"], clerk["password"])

    browser.visit("/vendor")
    assert "SunPath" in browser.words and "3 events were given up" in browser.words
    browser.visit("/vendor/statements")
    assert browser.words.count("open") >= 2
    with sqlite_app.app_context():
        kinds = db.session.scalars(select(StatementDifference.kind)).all()
        assert set(kinds) == {"different", "extra", "missing"}
