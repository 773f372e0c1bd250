"""The bank's answer: only a line that is as it was exported moves money, and each file counts once."""

from __future__ import annotations

import csv
import gzip
import io

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.errors import BadInput, Conflict
from portal.models import PayoutBatch, ResultLine, Withdrawal
from portal.payouts import batches, queries, results, service
from portal.payouts.result_files import MOST_BYTES, MOST_LINES, read_result
from portal.payouts.stored import content_of


@pytest.fixture
def app(sqlite_app):
    return sqlite_app


@pytest.fixture
def exported(do, ben, cast):
    """A batch of four withdrawals of Ben's."""

    def make(uow):
        ids = []
        for number in range(4):
            named = {
                "consultant_id": ben,
                "amount": 50_00 + number,
                "key": f"k{number}",
                "actor_id": cast.ada,
            }
            ids.append(service.request_withdrawal(uow, **named).id)
        for row_id in ids:
            service.approve(uow, withdrawal_id=row_id, actor_id=cast.fin)
        return batches.export_batch(uow, withdrawal_ids=ids, actor_id=cast.ada).id

    return do(make)


@pytest.fixture
def answer(app, exported):
    """The exported file as the bank sends it back; `change(rows)` edits its lines."""

    def make(change=lambda rows: None, outcome="paid"):
        with app.app_context():
            content = content_of(queries.file_of(db.session(), exported, format="csv"))
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        for row in rows:
            row |= {"outcome": outcome, "reason": ""}
        change(rows)
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()

    return make


@pytest.fixture
def read(do, exported, cast):
    def run(content):
        rows = read_result(content)
        return vars(do(lambda uow: results.import_result(uow, rows, batch_id=exported, actor_id=cast.fin)))

    return run


@pytest.fixture
def states(app):
    def look():
        with app.app_context():
            return list(db.session.scalars(select(Withdrawal.state).order_by(Withdrawal.id)))

    return look


def counts(paid=0, returned=0, known=0, problems=0):
    return {"paid": paid, "returned": returned, "known": known, "problems": problems}


def test_paid_lines_are_paid_and_failed_ones_go_back_with_the_reason(
    answer, read, states, purse, ben, app, exported
):
    def fail(rows):
        rows[1] |= {"outcome": "failed", "reason": "R03 no account"}

    assert read(answer(fail)) == counts(paid=3, returned=1)

    assert states() == ["paid", "returned", "paid", "paid"]
    assert purse(ben) == (0, 500_00 - 150_05, 0, 0)
    with app.app_context():
        assert db.session.get_one(PayoutBatch, exported).state == "confirmed"
        assert db.session.scalars(select(Withdrawal.reason)).all()[1] == "R03 no account"


def test_the_same_file_twice_changes_nothing(answer, read, states, purse, ben):
    content = answer()
    read(content)
    before = (states(), purse(ben))

    assert read(content) == counts(known=4)
    assert (states(), purse(ben)) == before


def test_what_the_file_leaves_out_waits(answer, read, states, app, exported):
    assert read(answer(lambda rows: rows.__delitem__(0))) == counts(paid=3)

    assert states() == ["exported", "paid", "paid", "paid"]
    with app.app_context():
        assert db.session.get_one(PayoutBatch, exported).state == "exported"
    assert read(answer()) == counts(paid=1, known=3)
    assert states() == ["paid"] * 4


EDITS = {
    "amount": ({"amount": "50.01"}, "The amount is not"),
    "large amount": ({"amount": "5000.00"}, "The amount is not"),
    "no amount": ({"amount": "fifty"}, "The amount is not"),
    "currency": ({"currency": "EUR"}, "The currency is not"),
    "reference": ({"reference": "PO-99999-9"}, "No line of this batch"),
    "account": ({"account_number": "99999999"}, "account_number is not"),
    "routing": ({"routing_number": "011401533"}, "routing_number is not"),
    "holder": ({"account_holder": "Mallory"}, "account_holder is not"),
    "outcome": ({"outcome": "perhaps"}, "The outcome is neither"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_altered_line_moves_no_money_and_waits_for_a_person(answer, read, states, app, edit):
    changes, said = EDITS[edit]

    assert read(answer(lambda rows: rows[0].update(changes))) == counts(paid=3, problems=1)

    assert states() == ["exported", "paid", "paid", "paid"]
    with app.app_context():
        ((line, _batch),) = results.suspense(db.session())
        assert line.problem.startswith(said)
    read(answer(lambda rows: rows[0].update(changes)))
    with app.app_context():
        assert len(results.suspense(db.session())) == 1, "the same line is told once"


def test_what_the_bank_contradicted_is_not_confirmed_before_a_person_settled_it(
    answer, read, states, do, cast, app, exported
):
    read(answer(lambda rows: rows[0].update(amount="5.00")))
    with app.app_context():
        line = db.session.scalars(select(ResultLine.id).where(ResultLine.problem.is_not(None))).one()

    with pytest.raises(Conflict, match="do not fit"):
        do(batches.confirm_batch, batch_id=exported, actor_id=cast.fin)
    assert states() == ["exported", "paid", "paid", "paid"]
    do(results.settle, line_id=line, actor_id=cast.fin, note="The bank paid it in full after all.")
    do(batches.confirm_batch, batch_id=exported, actor_id=cast.fin)

    assert states() == ["paid"] * 4


def test_a_line_that_says_both_moves_nothing(answer, read, states):
    def twice(rows):
        rows.insert(1, rows[0] | {"outcome": "failed"})

    assert read(answer(twice)) == counts(paid=3, problems=2)
    assert states()[0] == "exported"


def test_money_that_came_back_is_not_paid_by_a_later_file(answer, read, states, purse, ben):
    read(answer(outcome="failed"))

    assert read(answer()) == counts(problems=4)
    assert states() == ["returned"] * 4 and purse(ben) == (0, 500_00, 0, 0)


def test_a_bounce_after_the_payment_comes_back_once(answer, read, states, purse, ben):
    read(answer())
    bounced = answer(outcome="failed")

    assert read(bounced) == counts(returned=4)
    assert read(bounced) == counts(known=4)
    assert states() == ["returned"] * 4 and purse(ben) == (0, 500_00, 0, 0)


def test_a_void_batch_takes_no_answer(answer, read, do, cast, exported):
    content = answer()
    do(lambda uow: batches.void_batch(uow, batch_id=exported, actor_id=cast.fin).id)

    with pytest.raises(Conflict):
        read(content)


def test_a_person_settles_what_waits_with_a_note_once(answer, read, do, cast, app):
    read(answer(lambda rows: rows[0].update(currency="EUR")))
    with app.app_context():
        line = db.session.scalars(select(ResultLine.id).where(ResultLine.problem.is_not(None))).one()

    with pytest.raises(BadInput):
        do(results.settle, line_id=line, actor_id=cast.fin, note=" ")
    do(results.settle, line_id=line, actor_id=cast.fin, note="The bank sent a corrected file.")
    with pytest.raises(Conflict):
        do(results.settle, line_id=line, actor_id=cast.fin, note="Again.")
    with app.app_context():
        assert results.suspense(db.session()) == []
        assert len(results.suspense(db.session(), settled=True)) == 1


HEAD = b"reference,amount,currency,outcome\r\n"
BAD_FILES = {
    "empty": (b"", "empty"),
    "zip bomb": (b"PK\x03\x04" + b"0" * 1000, "a workbook or a zip file"),
    "gzip bomb": (gzip.compress(b"0" * 1_000_000), "a packed file"),
    "latin-1": (HEAD + "Müller".encode("latin-1"), "UTF-8"),
    "utf-16": ("reference,amount".encode("utf-16"), "UTF-8"),
    "nul": (HEAD + b"a\x00b", "no text"),
    "no columns": (b"a,b,c\r\n1,2,3\r\n", "reference, amount, currency, outcome is missing"),
    "too big": (HEAD + b"x" * MOST_BYTES, "larger than"),
    "too many lines": (HEAD + b"a,1,U,p\r\n" * (MOST_LINES + 1), "more than 20,000 lines"),
    "long cell": (HEAD + b"x" * 501 + b",1,USD,paid\r\n", "longer than 500"),
    "open quote": (HEAD + b'"a,1,USD,paid\r\n', "no CSV file"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_what_is_no_result_file_is_refused_with_a_reason(kind):
    content, said = BAD_FILES[kind]

    with pytest.raises(BadInput, match=said) as refused:
        read_result(content)
    assert refused.value.field == "file"


def test_a_file_with_a_byte_order_mark_and_other_order_is_read():
    rows = read_result(b'\xef\xbb\xbfOutcome,Currency,Amount,Reference\npaid,USD,"1,250.00",PO-1\n\n')

    assert [(row.reference, row.cents, row.outcome) for row in rows] == [("PO-1", 1_250_00, "paid")]


@pytest.mark.parametrize("outcome", ["paid", "failed"])
def test_one_line_written_twice_in_other_ways_counts_once(answer, read, states, purse, ben, outcome):
    def repeat(rows):
        rows.insert(1, {**rows[0], "amount": "50.0", "reason": "Once more."})

    done = read(answer(repeat, outcome))

    assert done == counts(**{"paid" if outcome == "paid" else "returned": 4}, known=1)
    assert states() == ["paid" if outcome == "paid" else "returned"] * 4


def test_a_line_read_before_is_known_however_its_amount_is_written(answer, read):
    read(answer())

    assert read(answer(lambda rows: rows[0].update(amount="50.0"))) == counts(known=4)
