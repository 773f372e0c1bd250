"""The files of a batch in every format: what stands in them, and that no cell calculates."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.extensions import db
from portal.kernel.errors import BadInput
from portal.models import Consultant, Destination, PayoutMethod, Withdrawal
from portal.payouts import batches, queries, results, service
from portal.payouts.files import Contents, Line, csv_file, guarded, xlsx_file
from portal.payouts.payees import methods
from portal.payouts.payees.providers import nacha_settings
from portal.payouts.result_files import read_result
from portal.payouts.stored import content_of

EVIL = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tcmd",
    "\rcmd",
    "\n=1",
    " =1",
    '"=1',
    "'=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    '=HYPERLINK("http://x")',
]
AT = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


@pytest.fixture
def app(sqlite_app):
    return sqlite_app


def contents(names):
    lines = [Line(f"PO-2222{n}-X", name, 12_34 + n, "USD", name, "021000021") for n, name in enumerate(names)]
    return Contents("batch", lines, "USD", AT)


def sheet_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/sharedStrings.xml").decode()


def test_a_workbook_holds_texts_and_numbers_and_no_formula():
    sheet, strings = sheet_of(xlsx_file(contents(EVIL)))

    assert "<f>" not in sheet and "<f " not in sheet
    assert 't="str"' not in sheet
    for number in range(len(EVIL)):
        assert (
            f"<v>{12 + (34 + number) // 100}.{(34 + number) % 100:02d}</v>".replace("0</v>", "</v>") in sheet
        )
    assert "021000021" in strings and "hyperlink" not in sheet


def test_the_csv_guards_each_cell_that_would_calculate():
    text = csv_file(contents(EVIL)).decode()

    assert [guarded(cell) for cell in EVIL] == [f"'{cell}" for cell in EVIL]
    assert text.count("'=") >= 4


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_finds_no_formula(tmp_path):
    for name, write in (("batch.csv", csv_file), ("batch.xlsx", xlsx_file)):
        file = Path(tmp_path / name)
        file.write_bytes(write(contents(EVIL)))
        command = ["soffice", "--headless", "--convert-to", "fods", "--outdir", str(tmp_path), str(file)]
        subprocess.run(command, check=True, timeout=120, capture_output=True)
        assert "table:formula" not in (tmp_path / "batch.fods").read_text()


def test_a_bank_file_is_written_where_the_method_asks_for_one(app, do, ben, cast):
    batch = export_by_nacha(do, ben, cast)

    with app.app_context():
        formats = [file.format for file in queries.files_of(db.session(), batch)]
        written = content_of(queries.file_of(db.session(), batch, format="nacha")).decode()
    assert sorted(formats) == ["csv", "nacha", "xlsx"]
    lines = written.split("\r\n")[:-1]
    assert {len(line) for line in lines} == {94} and len(lines) % 10 == 0
    (entry,) = [line for line in lines if line.startswith("6")]
    assert entry[1:3] == "22" and entry[3:12] == "021000021" and entry[29:39] == "0000012000"
    assert re.search(r"PO-[0-9A-Z]{5}-[0-9A-Z]", entry)


def test_a_bank_file_that_cannot_be_written_is_refused(do, ben, cast):
    def lose_the_account(uow):
        for place in uow.session.query(Destination):
            place.details = None

    with pytest.raises(BadInput, match="bank file"):
        export_by_nacha(do, ben, cast, before_export=lose_the_account)


def export_by_nacha(do, ben, cast, before_export=lambda uow: None):
    bank = {
        "bank_routing": "021000021",
        "bank_name": "First Bank",
        "company_name": "Canopy",
        "company_id": "1234567890",
        "description": "PAYOUT",
    }

    def work(uow):
        method = methods.method_by_code(uow.session, "bank")
        method.kind, method.settings = "nacha", methods.json.dumps(nacha_settings(bank))
        uow.session.get_one(Consultant, ben).person.name = "Ben Osei"
        named = {"consultant_id": ben, "amount": 120_00, "key": "k", "actor_id": cast.ada}
        row = service.request_withdrawal(uow, **named).id
        service.approve(uow, withdrawal_id=row, actor_id=cast.fin)
        before_export(uow)
        uow.session.flush()
        return batches.export_batch(uow, withdrawal_ids=[row], actor_id=cast.ada).id

    assert do(lambda uow: uow.session.query(PayoutMethod).count()) == 3
    return do(work)


def return_file(written, code):
    """What the bank sends back: the entries of the file that came back, each with its reason."""
    lines = written.split("\r\n")
    entries = [line for line in lines if line.startswith("6")]
    reason = f"799{code}021000020000001      02100002".ljust(79) + "021000020000001"
    return "\r\n".join([*lines[:2], *(part for entry in entries for part in (entry, reason))]).encode()


def test_the_banks_return_file_brings_the_money_back_once(app, do, ben, cast, purse):
    batch = export_by_nacha(do, ben, cast)
    with app.app_context():
        written = content_of(queries.file_of(db.session(), batch, format="nacha")).decode()
    do(batches.confirm_batch, batch_id=batch, actor_id=cast.fin)
    assert purse(ben) == (0, 380_00, 0, 0)

    rows = read_result(return_file(written, "R03"))
    for known in (0, 1):
        done = do(lambda uow: vars(results.import_result(uow, rows, batch_id=batch, actor_id=cast.fin)))
        assert (done["returned"], done["known"], done["problems"]) == (1 - known, known, 0)

    assert purse(ben) == (0, 500_00, 0, 0)
    with app.app_context():
        (found,) = db.session.scalars(select(Withdrawal)).all()
        assert (found.state, found.reason) == (
            "returned",
            "R03: no such account, or the name does not fit",
        )


@pytest.mark.parametrize("content", [b"101 short", b"101 ".ljust(94)])
def test_a_return_file_without_a_returned_payment_is_refused(app, content):
    with pytest.raises(BadInput) as refused:
        read_result(content)

    assert refused.value.field == "file"
