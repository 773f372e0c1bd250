"""Where wanted ids stand among the known ones."""

import numpy as np
import pytest

from portal.commissions.gathering import places


@pytest.mark.parametrize("apart", [1, 3, 10**12], ids=["close", "gaps", "far apart"])
@pytest.mark.parametrize("count", [1, 3_000], ids=["one", "many"])
def test_each_id_is_found_at_its_place_and_no_other(apart, count):
    random = np.random.default_rng(7)
    known = np.unique(random.integers(0, 900, 500)) * apart + 41
    wanted = random.integers(-50, 950, count) * apart + random.integers(40, 43, count)
    expected = {known_id: place for place, known_id in enumerate(known.tolist())}

    found = places(known, wanted)

    assert found.tolist() == [expected.get(one, -1) for one in wanted.tolist()]


@pytest.mark.parametrize("known", [[], [5], [5, 6]], ids=len)
def test_nobody_stands_for_a_place(known):
    ids = np.array(known, np.int64)

    assert places(ids, np.array([-1, 4, 7])).tolist() == [-1, -1, -1]
    assert places(ids, np.zeros(0, np.int64)).tolist() == []
