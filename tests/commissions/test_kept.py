"""A run keeps what it was computed from: inputs, the ids behind them, the plan, the code, who asked."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.commissions import cycles
from portal.commissions.kept import code_version, freeze_ids, kept, thaw_ids
from portal.engine import Refused, snapshot
from portal.extensions import db
from portal.models import Cycle, Run
from portal.store import perform
from tests.commissions.closes import end
from tests.shop import add_sale

ids = st.lists(st.integers(min_value=1, max_value=2**62), unique=True).map(sorted)


@given(ids, ids)
def test_ids_come_back_as_they_were_written(consultants, sales):
    frozen = freeze_ids(np.array(consultants, np.int64), np.array(sales, np.int64))
    assert [column.tolist() for column in thaw_ids(frozen)] == [consultants, sales]


@pytest.mark.parametrize("spoilt", [b"", b"nonsense", freeze_ids(np.arange(3), np.arange(2))[:-1]])
def test_spoilt_ids_are_refused(spoilt):
    with pytest.raises(Refused):
        thaw_ids(spoilt)


def test_a_preview_keeps_who_is_behind_its_inputs_and_what_computed_it(app, cast):
    with app.app_context():
        sale = perform(lambda uow: add_sale(uow, cast.ben, 400_00, revenue=3_000_00))
        end(cast)
        perform(partial(cycles.request_preview, cycle_id=cast.cycle, actor_id=cast.ada))
        perform(partial(cycles.preview, cycle_id=cast.cycle))

        cycle = db.session.get_one(Cycle, cast.cycle)
        run = db.session.get_one(Run, cycle.preview_run_id)
        gathered = kept(run)
        assert gathered.sales.tolist() == [sale]
        assert gathered.consultants[gathered.inputs.events.member].tolist() == [cast.ben]
        assert snapshot.digest(gathered.inputs) == run.input_hash
        assert run.plan_sha256 == cycle.plan_version.sha256
        assert (run.code_version, run.requested_by) == (code_version(), cast.ada)
        assert cycle.requested_by is None


def test_a_run_without_inputs_says_so():
    with pytest.raises(LookupError, match="no inputs"):
        kept(Run(id=7, inputs=b""))
