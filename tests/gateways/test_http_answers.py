"""What a described provider says in its own words: only what is described and about this payout counts."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from portal.gateways.errors import ProviderUnavailable
from portal.gateways.http_payouts import HttpPayouts
from portal.gateways.payout_adapter import Absent, Accepted, Found, Payout, Rejected, Unknown
from portal.gateways.public_hosts import is_public, public_address

ORDER = Payout("po_abc", 1, 50_00, "USD", "acct-9", "Ben", "PO-1")
ROW = {
    "id": "p1",
    "reference": "po_abc",
    "amount": 50_00,
    "currency": "USD",
    "status": "paid",
    "created": 100,
}
NOW = datetime.now(UTC)


class Canned:
    """A provider that answers everything alike, and counts."""

    def __init__(self) -> None:
        self.answer: object = {}
        self.calls = 0
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                told.calls += 1
                body = json.dumps(told.answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port


@pytest.fixture
def canned():
    made = Canned()
    threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def provider(canned, *, insecure=True, **changes) -> HttpPayouts:
    url = f"{'http' if insecure else 'https'}://127.0.0.1:{canned.port}/payouts"
    description = {
        "url": url,
        "token": "t",
        "fields": {name: name for name in ("reference", "amount", "currency", "destination")},
        "ref": "id",
        "lookup_url": f"{url}?reference={{reference}}",
        "list_url": f"{url}?from={{since}}&to={{until}}",
        "reverse_url": f"{url}/{{ref}}/reverse",
        **changes,
    }
    return HttpPayouts(description, insecure=insecure, timeout_seconds=2)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("accepted", Accepted),
        ("PAID", Accepted),
        ("rejected", Rejected),
        ("failed", Rejected),
        ("declined", Rejected),
        ("cancelled", Rejected),
        ("on_hold", Unknown),
        ("returned", Unknown),
    ],
)
def test_an_order_is_accepted_only_in_words_that_say_so(canned, status, answer):
    canned.answer = {"id": "p1", "status": status}

    assert isinstance(provider(canned).send(ORDER, "k1"), answer)


def test_words_are_those_of_the_description(canned):
    canned.answer = {"id": "p1", "status": "on_hold"}

    assert provider(canned, states={"sent": ["on_hold"]}).send(ORDER, "k1") == Accepted("p1")


def test_a_state_that_is_described_and_missing_is_unknown(canned):
    canned.answer = {"id": "p1"}

    assert provider(canned).send(ORDER, "k1") == Accepted("p1")
    assert isinstance(provider(canned, status="state").send(ORDER, "k1"), Unknown)


@pytest.mark.parametrize(
    "change",
    [{"reference": "po_other"}, {"reference": None}, {"amount": 60_00}, {"currency": "EUR"}],
)
def test_a_row_that_is_not_what_was_ordered_is_for_a_person(canned, change):
    canned.answer = {"data": [ROW, {**ROW, "id": "p2", **change}]}

    finding = provider(canned).lookup(ORDER)

    assert isinstance(finding, Unknown) and finding.by_hand


def test_a_look_up_in_a_word_that_is_not_described_is_unknown(canned):
    canned.answer = {"data": [{**ROW, "status": "on_hold"}]}

    assert isinstance(provider(canned).lookup(ORDER), Unknown)


def test_what_was_refused_is_absent(canned):
    canned.answer = {"data": [{**ROW, "status": "declined"}]}

    assert provider(canned).lookup(ORDER) == Absent()


def test_of_several_the_oldest_by_its_moment_counts(canned):
    younger = {**ROW, "id": "p2", "created": "2026-01-02T00:00:00Z"}
    canned.answer = {"data": [younger, ROW]}
    assert provider(canned).lookup(ORDER) == Found("p1", "paid", ("p2",))

    canned.answer = {"data": [{**ROW, "created": None}, younger]}
    finding = provider(canned).lookup(ORDER)

    assert isinstance(finding, Unknown) and finding.by_hand


@pytest.mark.parametrize(
    ("status", "answer"), [("returned", Accepted), ("paid", Unknown), ("failed", Rejected)]
)
def test_money_is_back_when_the_provider_says_so(canned, status, answer):
    canned.answer = {"id": "p1", "status": status}

    assert isinstance(provider(canned).reverse(ORDER, "p1", "back"), answer)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "many"},
        {"amount": 50.5},
        {"amount": None},
        {"id": None},
        {"created": "yesterday"},
        {"created": None},
        {"created": 10**30},
        {"status": "on_hold"},
    ],
)
def test_one_row_that_cannot_be_read_makes_the_list_unreadable_and_breaks_nothing(canned, change):
    canned.answer = {"data": [ROW, {**ROW, **change}]}

    with pytest.raises(ProviderUnavailable):
        provider(canned).transfers(NOW, NOW)


@pytest.mark.parametrize("rows", [["text"], [None], [[]]])
def test_rows_that_are_no_objects_are_unreadable(canned, rows):
    canned.answer = {"data": rows}

    assert isinstance(provider(canned).lookup(ORDER), Unknown)


@pytest.mark.parametrize(("text", "cents"), [("50", 50_00), ("50.5", 50_50), ("50.50", 50_50), (50, 50_00)])
def test_amounts_in_units_are_read_to_the_cent(canned, text, cents):
    canned.answer = {"data": [{**ROW, "amount": text}]}

    (line,) = provider(canned, amount_in="units").transfers(NOW, NOW)

    assert line.amount_cents == cents


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
        *("::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "no address"),
    ],
)
def test_addresses_that_are_not_of_the_public_network_are_known(address):
    assert not is_public(address)


def test_public_addresses_are_public():
    assert is_public("93.184.215.14") and is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


def test_in_production_no_call_reaches_the_own_network(canned):
    assert isinstance(provider(canned, insecure=False).send(ORDER, "k1"), Unknown)

    assert canned.calls == 0
    with pytest.raises(ProviderUnavailable):
        public_address("localhost", 443)
