"""Whatever a file holds, there is an answer or a refusal, never a traceback."""

import copy
import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.engine import Refused, calculate, case
from tests.engine.networks import SHAPES, random_case
from tests.engine.sound import SOUND

JUNK = (
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    "x",
    "-0.00",
    "1e9",
    "99999999999999999.99",
    [],
    [[]],
    {},
    {"left": 1},
)


def places(value, path=()):
    yield path
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 10**9), st.sampled_from(SHAPES), st.integers(1, 4))
def test_whatever_is_put_anywhere_there_is_an_answer_or_a_refusal(seed, shape, times):
    rng = random.Random(seed)
    document = random_case(seed % 50, shape)
    for _ in range(times):
        path = rng.choice([path for path in places(document) if path])
        at = document
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = copy.deepcopy(rng.choice(JUNK))

    try:
        inputs, names = case.read(json.dumps(document).encode())
        json.dumps(case.write(calculate(inputs), names))
    except Refused as refused:
        assert refused.faults
        assert all(fault and fault.isprintable() for fault in refused.faults)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 1500), st.integers(0, 8))
def test_whatever_the_bytes_are_there_is_an_answer_or_a_refusal(noise, at, cut):
    data = json.dumps(SOUND).encode()
    try:
        calculate(case.read(data[:at] + noise + data[at + cut :])[0])
    except Refused as refused:
        assert refused.faults
