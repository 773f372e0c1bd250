"""A cycle that was frozen can be computed again, and proven to be the same."""

import dataclasses
import json
import zlib

import numpy as np
import pytest

from portal.engine import Refused, calculate, case, snapshot
from tests.engine.networks import SHAPES, random_case


def inputs_of(document):
    return case.read(json.dumps(document).encode())[0]


@pytest.mark.parametrize("shape", SHAPES)
def test_what_was_frozen_computes_the_same_again(shape):
    inputs = inputs_of(random_case(7, shape))

    thawed = snapshot.thaw(snapshot.freeze(inputs))

    assert snapshot.freeze(thawed) == snapshot.freeze(inputs)
    assert snapshot.digest(thawed) == snapshot.digest(inputs)
    assert snapshot.result_digest(calculate(thawed)) == snapshot.result_digest(calculate(inputs))


def test_every_change_shows_in_the_digest():
    document = random_case(7, "random")
    digests = {snapshot.digest(inputs_of(document))}
    document["plan"]["name"] = "another"
    digests.add(snapshot.digest(inputs_of(document)))
    document["members"][0]["pv_prior"] = "0.01"
    digests.add(snapshot.digest(inputs_of(document)))

    assert len(digests) == 3


def test_the_digest_of_a_result_does_not_ask_for_the_order_of_its_lines():
    result = calculate(inputs_of(random_case(7, "random")))
    turned = dataclasses.replace(result, parts=(result.lines.where(np.arange(len(result.lines))[::-1]),))
    fewer = dataclasses.replace(result, parts=(result.lines.where(np.arange(1, len(result.lines))),))

    assert snapshot.result_digest(turned) == snapshot.result_digest(result)
    assert snapshot.result_digest(fewer) != snapshot.result_digest(result)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        zlib.compress(b"no line"),
        zlib.compress(b"{}\n"),
        zlib.compress(b"[]\n"),
        zlib.compress(b'{"format": "another"}\n'),
        zlib.compress(
            b'{"format": "canopy inputs 1", "packs": [], "columns": [["network", "leg", "<i8", 9]]}\n'
        ),
        zlib.compress(b'{"format": "canopy inputs 1", "packs": [], "columns": []}\n'),
    ],
)
def test_anything_else_is_refused(data):
    with pytest.raises(Refused, match="snapshot: this cannot be read"):
        snapshot.thaw(data)
