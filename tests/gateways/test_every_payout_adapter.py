"""Three adapters, one interface: what each can do is said by its capabilities, and nothing raises instead."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from jobs.providers import ADAPTERS
from portal.gateways.http_payouts import HttpPayouts
from portal.gateways.nacha import Originator, read_returns
from portal.gateways.nacha_payouts import NachaPayouts, banking_days_after
from portal.gateways.payout_adapter import Absent, Accepted, Capabilities, Found, Payout, Rejected, Unknown
from portal.gateways.stripe_connect import AccountRequest
from tests.gateways.test_http_payouts import described
from tests.gateways.test_stripe_payouts import connect

COMPANY = Originator("021000021", "Bank of Tests", "Canopy, Inc.", "1123456789")
FRIDAY = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs/payouts.md"


def stripe(outside):
    made = connect(outside, timeout_seconds=10)
    account = made.open_account(AccountRequest("d1", "ben@example.com", "US", "d1"))
    outside.post(f"/connect/accounts/{account}/details")
    return made, account


def http(outside):
    return HttpPayouts(described(outside), insecure=True, timeout_seconds=10), "acct-9"


def bare_http(outside):
    about = {name: value for name, value in described(outside).items() if not name.endswith("_url")}
    return HttpPayouts(about | {"url": f"{outside.address}/http-provider/payouts"}, insecure=True), "acct-9"


def nacha(_outside):
    return NachaPayouts(COMPANY, made_at=FRIDAY), "123456789"


MAKERS = {"stripe": stripe, "http": http, "http without look-ups": bare_http, "nacha": nacha}


@pytest.fixture(params=MAKERS)
def adapter(request, outside):
    """(adapter, an order that it can carry out)."""
    made, destination = MAKERS[request.param](outside)
    details = {"routing": "021000021", "type": "checking"}
    return made, Payout("PO-22223-A", 1, 50_00, "USD", destination, "Ben", "PO-22223-A", details)


def test_the_list_of_adapters_shows_three():
    assert set(ADAPTERS) == {"stripe", "http", "nacha"}


def test_one_order_is_taken_once_and_found_where_that_is_promised(adapter):
    made, order = adapter
    can = made.capabilities
    if can.can_lookup:
        assert made.lookup(order) == Absent()

    first = made.send(order, "k1")

    assert isinstance(first, Accepted)
    if can.keeps_keys:
        assert made.send(order, "k1") == first
    if can.can_lookup:
        assert made.lookup(order) == Found(first.ref, "sent")
    else:
        assert made.lookup(order) == Unknown("This provider cannot be asked.", by_hand=True)


def test_what_an_adapter_cannot_do_is_an_answer_and_no_exception(adapter):
    made, order = adapter
    first = made.send(order, "k1")
    assert isinstance(first, Accepted)

    if not made.capabilities.can_reverse:
        assert isinstance(made.reverse(order, first.ref, "b1"), Rejected)
    if not made.capabilities.tells_balance:
        assert made.balance_cents("USD") is None
    listed = made.transfers(FRIDAY - timedelta(days=400), FRIDAY + timedelta(days=4_000))
    if listed is not None:
        assert [(line.ref, line.amount_cents, line.state) for line in listed] == [(first.ref, 50_00, "sent")]


def a_file(*, today=None, returns=()):
    made = NachaPayouts(COMPANY, made_at=FRIDAY, today=today, returns=returns)
    details = {"routing": "021000021", "type": "checking"}
    orders = [Payout(f"PO-{n}", 1, 10_00 + n, "USD", "123456789", "Ben", f"PO-{n}", details) for n in (1, 2)]
    refs = [made.send(order, order.group).ref for order in orders]
    return made, orders, refs


def returned(made, code="R03", cents=None):
    """The bank's return of the second line."""
    line = [each for each in made.content().decode().splitlines() if each.startswith("6")][1]
    if cents is not None:
        line = f"{line[:29]}{cents:010d}{line[39:]}"
    return read_returns(f"{line}\r\n799{code}{line[79:94]}".ljust(96 + 79).encode() + b"021000020000001")


def test_a_line_comes_back_by_its_trace_number_or_arrives_when_the_days_are_over():
    made, orders, refs = a_file()
    back = returned(made)
    assert [each.trace for each in back] == [refs[1]]
    assert (made.settles_on, made.arrives_by) == (date(2026, 11, 23), date(2026, 11, 27))

    for today, state in ((date(2026, 11, 25), "sent"), (date(2026, 11, 27), "paid")):
        asked, _orders, _refs = a_file(today=today, returns=back)
        assert asked.lookup(orders[0]) == Found(refs[0], state)
        assert asked.lookup(orders[1]) == Found(refs[1], "returned")
        (_first, second) = asked.transfers(FRIDAY, FRIDAY + timedelta(days=1))
        assert (second.ref, second.amount_cents, second.state) == (refs[1], 0, "returned")


def test_a_return_of_another_amount_is_for_people():
    made, orders, _refs = a_file()
    asked, _orders, _refs = a_file(returns=returned(made, cents=1))

    assert asked.lookup(orders[1]).by_hand


def test_what_no_bank_would_take_is_refused_and_not_in_the_file():
    made, (order, _other), _refs = a_file()
    wrong = Payout("PO-9", 1, 5_00, "USD", "1" * 18, "Ben", "PO-9", order.details)

    assert isinstance(made.send(wrong, "k9"), Rejected)
    assert isinstance(made.send(order, "k9"), Rejected), "the same payment under another key"
    assert made.send(wrong, "PO-1").by_hand, "another payment under the same key"
    assert made.content().count(b"PO-") == 2


def test_a_file_counts_its_days_past_weekends_and_holidays():
    # Thanksgiving of 2026 is November 26.
    assert banking_days_after(date(2026, 11, 25), 1) == date(2026, 11, 27)
    assert banking_days_after(date(2026, 11, 27), 1) == date(2026, 11, 30)


@pytest.mark.parametrize(
    ("name", "can"),
    [("Stripe Connect", connect), ("Bank file (NACHA)", NachaPayouts)],
)
def test_the_page_says_of_each_adapter_what_it_can_do(name, can, outside):
    made: Capabilities = (can(outside) if can is connect else can).capabilities
    (row,) = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| {name}")]
    told = [cell.strip() == "yes" for cell in row.strip("|").split("|")[1:]]
    flags = ("can_lookup", "can_reverse", "keeps_keys", "tells_balance", "by_file")

    assert told == [getattr(made, flag) for flag in flags]
    assert set(flags) == {each.name for each in fields(Capabilities) if each.type == "bool"}
