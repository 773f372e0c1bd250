"""A cycle written down as a case file: anybody who computes the file gets what the cycle gave."""

import json

import numpy as np
import pytest

from portal.engine import calculate, case, case_text, printed
from tests.engine.networks import SHAPES, random_case


def document_of(inputs, names):
    return "".join(case.case_text(inputs, names)).encode()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(6))
def test_a_case_that_was_written_computes_the_same(shape, seed, monkeypatch):
    monkeypatch.setattr(case_text, "_AT_ONCE", 7)
    inputs, names = case.read(json.dumps(random_case(seed, shape, most=40)).encode())

    again, again_named = case.read(document_of(inputs, names))

    assert (list(again_named.members), list(again_named.events)) == (list(names.members), list(names.events))
    assert case.write(calculate(again), again_named) == case.write(calculate(inputs), names)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_was_written_once_is_written_the_same_again(shape):
    inputs, names = case.read(json.dumps(random_case(3, shape, most=40)).encode())
    written = document_of(inputs, names)

    assert document_of(*case.read(written)) == written


def test_events_at_the_same_instant_keep_their_order():
    document = random_case(2, "random")
    for number, event in enumerate(document["events"]):
        event["at"] = "2026-11-16T10:00:00Z"
        event["id"] = f"{1000 - number}" if not event.get("reverses") else event["id"]
    document["events"] = [event for event in document["events"] if not event.get("reverses")]
    inputs, names = case.read(json.dumps(document).encode())

    again, _ = case.read(document_of(inputs, names))

    def order(events):
        return np.lexsort((events.order, events.at)).tolist()

    assert order(again.events) == order(inputs.events) != list(range(len(inputs.events)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_the_text_of_a_result_is_the_document_to_the_last_byte(shape, seed, monkeypatch):
    monkeypatch.setattr(printed, "_AT_ONCE", 5)
    inputs, names = case.read(json.dumps(random_case(seed, shape, most=40)).encode())
    result = calculate(inputs)

    assert "".join(case.text(result, names)) == json.dumps(case.write(result, names), indent=1)
