"""A cycle that was frozen can be computed again, and proven to be the same."""

import dataclasses
import hashlib
import json
import zlib

import numpy as np
import pytest

from portal.engine import Lines, Refused, calculate, case, snapshot
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


FAR = 2**61
RANGES = {
    "alike": [(0, 1)] * 6,
    "small": [(0, 9), (0, 3), (-4, 5), (0, 3), (-1, 2), (0, 2)],
    "tied in their first columns": [(0, 2), (0, 2), (0, 2**58), (0, 2), (0, 2**58), (0, 2)],
    "as wide as they can be": [(0, 3), (0, 2), (-FAR, FAR), (-(2**62), 2**62), (-1, 3), (0, 2)],
}


@pytest.mark.parametrize("ranges", RANGES.values(), ids=RANGES)
def test_the_digest_is_that_of_the_lines_sorted_by_their_columns(ranges):
    random = np.random.default_rng(7)
    columns = [random.choice(random.integers(low, high, 40), 500) for low, high in ranges]
    result = calculate(inputs_of(random_case(7, "random")))
    result = dataclasses.replace(result, parts=(Lines(*columns),))

    rows = sorted(zip(*(column.tolist() for column in columns), strict=True))
    whole = hashlib.sha256(f"{len(rows)} {len(result.members.pv)}\n".encode())
    for column in zip(*rows, strict=True):
        whole.update(np.array(column, "<i8").tobytes())
    for field in dataclasses.fields(result.members):
        column = getattr(result.members, field.name)
        if field.name != "rank" or (column != -1).any():
            whole.update(column.astype("<i8").tobytes())

    assert snapshot.result_digest(result) == whole.hexdigest()


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
