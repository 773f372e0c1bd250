"""P8: events in any order, any number of times: every order of four ends as the one they happened in."""

from __future__ import annotations

from itertools import permutations

import pytest

from jobs import effects
from portal.payments import reversals
from tests.payments.stage import build

# What happens, one act after the other, and which of the events that come of it are shuffled: four of each.
FEE_LOST = (("pay", "refund-part", "dispute", "lose"), "pack", "funds_withdrawn charge.refunded")
STORIES = {
    "a fee, refunded in part, disputed and lost": FEE_LOST,
    "a fee, refunded in part, disputed and won": (
        ("pay", "refund-part", "dispute", "win"),
        "pack",
        "funds charge.refunded",
    ),
    "a fee, refunded, and the refund fails": (("pay", "refund", "fail-refund"), "pack", ""),
    "a fee, refunded in two parts": (
        ("pay", "refund-part", "refund"),
        "pack",
        "charge.refunded!",
    ),
    "an order, disputed and won": (("pay", "dispute", "win"), "order", "funds_reinstated"),
    "an order, disputed and lost": (("pay", "dispute", "lose"), "order", ""),
    "an order, refunded, and the refund fails": (("pay", "refund", "fail-refund"), "order", ""),
    "an order, refunded in part, disputed and lost": (
        ("pay", "refund-part", "dispute", "lose"),
        "order",
        "funds_withdrawn charge.refunded",
    ),
    "an order, refunded in two parts": (("pay", "refund-part", "refund-part"), "order", "charge.refunded!"),
    "an order, refunded in part, and the refund fails": (
        ("pay", "refund-part", "fail-refund"),
        "order",
        "charge.refunded!",
    ),
    "an order, refunded in part, disputed and won": (
        ("pay", "refund-part", "dispute", "win"),
        "order",
        "funds charge.refunded",
    ),
}
END = {
    "a fee, refunded in part, disputed and lost": {"pack": "smart"},
    "a fee, refunded in part, disputed and won": {"pack": "pack"},
    "a fee, refunded, and the refund fails": {"pack": "pack"},
    "a fee, refunded in two parts": {"pack": "smart"},
    "an order, disputed and won": {"order": "paid", "contract": "signed", "net": (32_00, 160_00)},
    "an order, disputed and lost": {"order": "disputed", "contract": "cancelled", "net": (0, 0)},
    "an order, refunded, and the refund fails": {
        "order": "paid",
        "contract": "signed",
        "net": (32_00, 160_00),
    },
    "an order, refunded in part, disputed and lost": {
        "order": "disputed",
        "contract": "cancelled",
        "net": (0, 0),
    },
    # Of $1,300.00, $433.34 stay paid.
    "an order, refunded in two parts": {"order": "paid", "contract": "signed", "net": (10_67, 53_33)},
    "an order, refunded in part, and the refund fails": {
        "order": "paid",
        "contract": "signed",
        "net": (32_00, 160_00),
    },
    # $866.67 stay paid.
    "an order, refunded in part, disputed and won": {
        "order": "paid",
        "contract": "signed",
        "net": (21_33, 106_67),
    },
}


def happen(stage, story):
    """Begin a story anew and let it happen: its subject, and its four events."""
    acts, what, left_out = STORIES[story]
    subject = stage.order() if what == "order" else stage.register(what)
    events = stage.act(subject, *acts)
    for part in left_out.split():
        events = [event for event in events if part.rstrip("!") not in event["type"]]
    return subject, events


def ends(stage, story, orders):
    """How a story ends for each order in which its events come."""
    subjects = []
    for order in orders:
        subject, events = happen(stage, story)
        stage.deliver(events[place] for place in order)
        stage.drain()
        subjects.append(subject)
    stage.finish()
    return [stage.state_of(subject) for subject in subjects]


def all_orders(stage, story):
    return list(permutations(range(len(happen(stage, story)[1]))))


@pytest.mark.parametrize("story", STORIES)
def test_all_orders_end_the_same(small_stage, story):
    orders = all_orders(small_stage, story)

    in_order, *others = ends(small_stage, story, orders)

    assert len(orders) in (6, 24)
    assert in_order | END[story] == in_order
    assert [order for order, end in zip(orders[1:], others, strict=True) if end != in_order] == []
    assert small_stage.faults() == []


@pytest.mark.postgres
def test_all_orders_end_the_same_on_postgresql(postgresql_database, make_app, tmp_path):
    stage = build(make_app(postgresql_database), tmp_path)
    story = "an order, refunded in part, disputed and lost"

    in_order, *others = ends(stage, story, all_orders(stage, story))

    assert in_order | END[story] == in_order
    assert [end for end in others if end != in_order] == []
    assert stage.faults() == []


def test_at_least_six_of_the_stories_have_four_events(small_stage):
    lengths = {story: len(happen(small_stage, story)[1]) for story in STORIES}

    assert sum(length == 4 for length in lengths.values()) >= 6, lengths


def test_without_the_order_of_states_the_orders_end_differently(small_stage, monkeypatch):
    monkeypatch.setattr(reversals, "ORDER", _Whatever())
    story = "a fee, refunded in part, disputed and lost"

    in_order, *others = ends(small_stage, story, all_orders(small_stage, story))

    assert any(end != in_order for end in others)


class _Whatever(dict):
    """Every state counts as later than the one that is known: the last to come wins."""

    def __missing__(self, kind):
        class Steps:
            asked = 0

            def index(self, state):
                self.asked += 1
                return -self.asked

        return Steps()


def test_without_waking_what_came_too_early_waits_for_its_turn(small_stage, monkeypatch):
    subject, events = happen(small_stage, "a fee, refunded in part, disputed and lost")
    monkeypatch.setattr("jobs.money_in._wake", lambda *_: None)

    small_stage.deliver(reversed(events))
    small_stage.drain()

    assert small_stage.state_of(subject)["reversals"] == []
    assert set(effects.STRIPE_EFFECTS) >= {event["type"] for event in events}
