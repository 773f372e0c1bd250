"""`vendor simulate`: a file becomes signed events, the same for the same seed; dirt is handled by rule."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.serving import make_server

from jobs import inbox
from portal.cli.vendor_delivery import Line, deliver
from portal.cli.vendor_feed import BadFeed, Feed, Schedule, is_name, read_events
from portal.extensions import db
from portal.gateways.vendor_events import parse
from portal.gateways.vendor_fields import TYPES
from portal.gateways.vendor_sender import Key
from portal.kernel.vendor_scenarios import SCENARIOS, Offered, events_of
from portal.models import Contract, Customer, Inbox, Sale
from tests.people import Cast
from tests.vendors import Vera, invite_vera

START = datetime(2026, 1, 5, tzinfo=UTC)
FILE = """,size_kw,installer_company
0,8.4,Vera Solar
1,5.25,Vera Solar
2,8.4,Other Solar
3,5.25,Vera Solar
4,7.0,ActiveX VT_ERROR:
5,0,Vera Solar
6,3.1234567,Vera Solar
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "installs.csv"
    path.write_text(FILE)
    return path


def feed(**more: Any) -> Feed:
    about: dict[str, Any] = {
        "columns": {"size": "size_kw"},
        "constants": {"service": "solar"},
        "schedule": Schedule(start=START, days=7),
        "vendor_column": "installer_company",
        "consultants": ("AAAA2222", "BBBB3333"),
    }
    return Feed(**{**about, **more})


def test_rows_become_events_and_dirt_is_counted_by_name(file: Path) -> None:
    events, reading = read_events(file, feed())

    assert (reading.rows, reading.trimmed, reading.repeated) == (7, 0, 1)
    assert dict(reading.refused) == {"installer ActiveX VT_ERROR:": 1, "size 0": 1}
    assert len(events) == 2 * 5
    ids = [event.event_id for event in events]
    assert ids[:2] == ["customer-registered-K-0", "service-activated-K-0"]
    repeated = [event for event in events if event.event_id == "service-activated-K-1"]
    assert len(repeated) == 2
    assert len({event.body for event in repeated}) == 1


def test_every_event_is_one_the_portal_takes(file: Path) -> None:
    events, _ = read_events(file, feed(cancel_share=1))

    parsed = [parse(event.body, now=START + timedelta(days=8)) for event in events]

    assert {event.type for event in parsed} == {
        "customer.registered",
        "service.activated",
        "service.cancelled",
    }
    sizes = {event.contract_ref: event.size_thousandths for event in parsed if event.contract_ref}
    assert sizes == {"K-0": 8_400, "K-1": 5_250, "K-2": 8_400, "K-6": 3_123}
    assert all(
        START - timedelta(hours=1) <= event.occurred_at < START + timedelta(days=7) for event in parsed
    )


def test_blanks_around_a_value_are_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "blanks.csv"
    path.write_text(",size_kw,installer_company\n0,8.4,Vera Solar \n1, 9 ,Vera Solar\n")

    events, reading = read_events(path, feed())

    assert reading.trimmed == 2
    assert {event.vendor for event in events} == {"Vera Solar"}


def test_the_same_seed_sends_the_same_and_another_seed_does_not(file: Path) -> None:
    disturbed = {"duplicate_share": 0.5, "reorder_share": 0.5, "cancel_share": 0.5}
    first, again, other = (read_events(file, feed(seed=seed, **disturbed))[0] for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_windows_of_a_schedule_together_are_the_whole(file: Path) -> None:
    middle = START + timedelta(days=3)
    whole, _ = read_events(file, feed(cancel_share=1))
    first, _ = read_events(file, feed(cancel_share=1, schedule=Schedule(START, 7, until=middle)))
    second, _ = read_events(file, feed(cancel_share=1, schedule=Schedule(START, 7, since=middle)))

    assert 0 < len(first) < len(whole)
    assert [event.body for event in first + second] == [event.body for event in whole]


def test_a_column_called_as_a_field_needs_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "first.csv"
    path.write_text("customer_ref,contract_ref,size,service\nsim-1,sim-2,8.00,roof\n")
    about = {"columns": {}, "vendor_column": "", "constants": {"service": "solar"}}

    events, _ = read_events(path, feed(**about))

    registered, activated = (parse(event.body, now=START + timedelta(days=8)) for event in events)
    assert registered.customer_ref == activated.customer_ref == "sim-1"
    assert (activated.contract_ref, activated.size_thousandths) == ("sim-2", 8_000)
    assert activated.service_code == "solar"


def test_a_column_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(BadFeed, match="There is no column kw"):
        read_events(file, feed(columns={"size": "kw"}))


@pytest.mark.parametrize(
    ("name", "fits"), [("Self", True), ("A;B, C", True), ("", False), ("ActiveX VT_ERROR:", False)]
)
def test_what_is_a_name(name: str, fits: bool) -> None:
    assert is_name(name) is fits


@pytest.fixture
def served(app: Flask, cast: Cast) -> Iterator[tuple[str, Vera]]:
    vera = invite_vera(app, cast)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}", vera
    server.shutdown()
    thread.join()


def now_feed(vera: Vera, **more: Any) -> Feed:
    from portal.kernel.clock import utc_now

    return feed(consultants=(vera.ana, vera.ben), schedule=Schedule(utc_now()), **more)


def test_a_file_is_delivered_once_and_counted(app: Flask, served: tuple[str, Vera], file: Path) -> None:
    url, vera = served
    line = Line(url=url, keys={"": Key(vera.public_id, vera.key.secret)})
    events, _ = read_events(file, now_feed(vera, cancel_share=0.4, duplicate_share=0.3, reorder_share=0.3))

    first, again = deliver(events, line), deliver(events, line)
    with app.app_context():
        inbox.drain()
        counted = [
            db.session.scalar(select(func.count()).select_from(model)) for model in (Customer, Contract)
        ]
        net = db.session.execute(
            select(Contract.state, func.sum(Sale.volume)).outerjoin(Sale).group_by(Contract.id)
        ).all()
        states = set(db.session.scalars(select(Inbox.state)))

    different = len({event.event_id for event in events})
    assert (first.sent, first.accepted, first.repeated) == (len(events), different, len(events) - different)
    assert (again.accepted, again.repeated) == (0, len(events))
    assert first.refused.total() == again.refused.total() == 0
    assert counted == [4, 4]
    assert {(state, bool(volume)) for state, volume in net} == {("active", True), ("cancelled", False)}
    assert states <= {"done", "ignored"}


def test_each_vendor_signs_with_its_own_key_and_refusals_are_counted(
    app: Flask, served: tuple[str, Vera], cast: Cast, file: Path
) -> None:
    url, vera = served
    other = invite_vera(app, cast, name="Other Solar")
    keys = {
        "Vera Solar": Key(vera.key.public_id, vera.key.secret),
        "Other Solar": Key(other.public_id, vera.key.secret),
    }

    counts = deliver(read_events(file, now_feed(vera))[0], Line(url=url, keys=keys, connections=2))

    assert (counts.sent, counts.accepted, counts.repeated) == (10, 6, 2)
    assert dict(counts.refused) == {"401 webhook-signature: no signature fits this body and a live key": 2}


def test_the_commands_work_together(app: Flask, served: tuple[str, Vera], file: Path, tmp_path: Path) -> None:
    url, vera = served
    runner = app.test_cli_runner()
    added = runner.invoke(args=["vendor", "add", "Sun & Sons", "--json"])
    key = json.loads(added.output)
    (tmp_path / "codes").write_text(f"{vera.ana}\n{vera.ben}\n")

    command = ["vendor", "simulate", str(file), "--url", url, "--key", f"{key['key_id']}:{key['secret']}"]
    command += ["--map", "size=size_kw", "--set", "service=solar", "--consultants", str(tmp_path / "codes")]
    done = runner.invoke(args=[*command, "--limit", "3", "--json"])
    with app.app_context():
        inbox.drain()
        volumes = db.session.scalars(select(Sale.volume).order_by(Sale.volume)).all()

    assert key["url"].endswith(f"/api/v1/vendors/{key['public_id']}/events")
    assert done.exit_code == 0, done.output
    counts = json.loads(done.output)
    assert (counts["rows"], counts["sent"], counts["accepted"], counts["refused"]) == (3, 6, 6, 0)
    assert volumes == [262_50, 420_00, 420_00]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--key", "a:b"], "A key is ID:SECRET"),
        ([], "Give --key ID:SECRET or --keys FILE.json."),
        (["--map", "colour=red"], "There is no field colour"),
        (["--start", "noon"], "noon is no instant"),
    ],
)
def test_wrong_options_are_said_in_one_line(
    sqlite_app: Flask, file: Path, wrong: list[str], said: str
) -> None:
    done = sqlite_app.test_cli_runner().invoke(
        args=["vendor", "simulate", str(file), "--url", "http://127.0.0.1:1", *wrong]
    )

    assert done.exit_code == 1
    assert said in done.output


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_tried_out_from_its_first_event_to_its_end(
    app: Flask, served: tuple[str, Vera], name: str
) -> None:
    url, vera = served
    arguments = ["vendor", "simulate", "--url", url, "--key", f"{vera.public_id}:{vera.key.secret}"]
    arguments += ["--scenario", name, "--consultant", vera.ben, "--count", "2", "--json"]
    working = threading.Event()

    def work() -> None:
        while not working.wait(0.05):
            with app.app_context():
                inbox.drain()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        done = app.test_cli_runner().invoke(args=[*arguments, "--wait", "20"])
    finally:
        working.set()
        worker.join()

    assert done.exit_code == 0, done.output
    found = json.loads(done.output.splitlines()[-1])
    assert set(found["states"]) == {"done"}, done.output
    assert set(found["answers"]) == ({"202", "200"} if name == "duplicate" else {"202"})
    with app.app_context():
        worth = sum(db.session.scalars(select(Sale.volume)))
    assert (worth == 0) == (name in ("cancel", "refund"))


def test_a_scenario_is_the_same_for_the_same_seed_and_day() -> None:
    offered = Offered("ABCD2345", "solar")
    first, again, other = (
        events_of("sale", offered, count=3, seed=seed, now=START + timedelta(hours=hour))
        for seed, hour in ((1, 0), (1, 9), (2, 0))
    )

    assert first == again
    assert first != other
    assert len({sent.id for sent in first}) == 12


def test_every_event_of_every_scenario_is_one_the_portal_takes() -> None:
    offered = Offered("ABCD2345", "solar")
    taken = {
        parse(json.dumps(sent.event).encode(), now=START).type
        for name in SCENARIOS
        for sent in events_of(name, offered, count=5, seed=3, now=START)
    }

    assert taken == set(TYPES) - {"service.suspended"}


def test_a_scenario_needs_to_know_who_sold(sqlite_app: Flask) -> None:
    arguments = ["vendor", "simulate", "--url", "http://127.0.0.1:1", "--key", "a:b", "--scenario", "sale"]

    assert "--consultant CODE" in sqlite_app.test_cli_runner().invoke(args=arguments).output


def test_made_up_customers_tell_what_terms_may_ask_for() -> None:
    registered, *_rest = events_of("sale", Offered("AAAA2222", "solar"), count=2, seed=1, now=START)

    parsed = parse(json.dumps(registered.event).encode(), now=START)

    assert all((parsed.customer_name, parsed.customer_email, parsed.customer_phone, parsed.customer_address))
