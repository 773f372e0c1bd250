"""Many amounts, added up for each of those they belong to."""

from collections import Counter

import numpy as np
import pytest

from portal.commissions.credits import added_up


@pytest.mark.parametrize("apart", [1, 10, 10**12], ids=["close", "gaps", "far apart"])
def test_amounts_are_added_up_however_far_apart_their_owners_are(apart):
    random = np.random.default_rng(7)
    whose = random.integers(0, 50, 2_000) * apart + 90
    amounts = random.integers(-3, 4, 2_000)
    expected = Counter()
    for owner, amount in zip(whose.tolist(), amounts.tolist(), strict=True):
        expected[owner] += amount

    owners, sums = added_up(whose, amounts)

    assert list(zip(owners.tolist(), sums.tolist(), strict=True)) == [
        (owner, expected[owner]) for owner in sorted(expected) if expected[owner]
    ]


@pytest.mark.parametrize("apart", [1, 10**12], ids=["close", "far apart"])
def test_what_comes_to_nothing_is_left_out(apart):
    owners, sums = added_up(np.array([1, 2, 2]) * apart, np.array([5, 7, -7]))

    assert (owners.tolist(), sums.tolist()) == ([apart], [5])


def test_of_nothing_nothing_is_owed():
    owners, sums = added_up(np.zeros(0, np.int64), np.zeros(0, np.int64))

    assert len(owners) == len(sums) == 0
