"""Large networks are computed block by block, and nothing depends on where a block ends."""

import json

import pytest

from portal.engine import calculate, case, snapshot
from portal.engine.blocks import blocks
from tests.engine.naive import naive_result
from tests.engine.networks import SHAPES, random_case
from tests.engine.sound import changed
from tests.engine.test_against_naive import computed


@pytest.fixture(params=[1, 2, 7])
def short_blocks(request, monkeypatch):
    """Blocks of a few rows, so that small networks have many."""
    monkeypatch.setattr("portal.engine.blocks.BLOCK", request.param)
    return request.param


@pytest.mark.parametrize("shape", SHAPES)
def test_both_readings_of_the_rules_agree_over_many_blocks(shape, short_blocks):
    for seed in range(1000, 1040):
        document = random_case(seed, shape)

        assert computed(document) == naive_result(document), f"{shape} {seed}"


def test_a_large_sale_behind_small_ones_keeps_its_amount(monkeypatch):
    sale = {"id": "e3", "member": "ben", "at": "2026-11-16T12:00:00Z", "volume": "9000000000.00"}
    inputs, _ = case.read(json.dumps(changed("events", 2, to=sale | {"revenue": "9000000000.00"})).encode())
    whole = calculate(inputs)
    monkeypatch.setattr("portal.engine.blocks.BLOCK", 1)

    assert whole.lines.amount.max() == 45_000_000_000
    assert snapshot.result_digest(calculate(inputs)) == snapshot.result_digest(whole)


def test_blocks_hold_every_row_once(short_blocks):
    rows = [row for block in blocks(20) for row in range(block.start, block.stop)]
    lengths = {block.stop - block.start for block in blocks(20, each=3)}

    assert rows == list(range(20))
    assert max(lengths) == max(1, short_blocks // 3)
    assert list(blocks(0)) == [slice(0, 0)]
