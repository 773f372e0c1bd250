"""The pages: sent in with a file, verified by who may, the file handed out to nobody else."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select

from portal.compliance.documents import LARGEST_BYTES
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import Licence
from portal.store import perform
from tests.compliance.conftest import PDF, PNG
from tests.html import Visitor
from tests.people import PASSWORD, add_user

WRITTEN = {
    "kind": "solar",
    "region": "CA",
    "number": "HIS 123456",
    "valid_from": "2026-01-01",
    "expires_on": "2028-12-31",
}


@pytest.fixture
def enter(app, vera):
    def browser(name):
        visitor = Visitor(app)
        visitor.sign_in(f"{name.lower()}@example.com", PASSWORD)
        return visitor

    return browser


def send(visitor, content=PDF, name="licence.pdf", **changes):
    visitor.visit("/licences/new")
    data = {**WRITTEN, **changes, "document": (BytesIO(content), name)}
    return visitor.submit("/licences", data, content_type="multipart/form-data")


def address(app):
    with app.app_context():
        found = db.session.scalars(select(Licence.public_id).order_by(Licence.id.desc())).first()
        db.session.rollback()
    return found


def test_sent_in_verified_and_shown_with_what_it_lets_sell(app, enter):
    ben = enter("Ben")
    ben.visit("/licences")
    assert "You need a licence in CA, NV." in ben.words
    assert send(ben).status_code == 303
    ben.follow()
    assert "waits to be verified" in ben.words and "••3456" in ben.words and "HIS 123456" not in ben.words

    ada = enter("Ada")
    ada.visit("/admin")
    assert "1 licence waits" in ada.words
    ada.visit("/admin/licences")
    assert "Ben" in ada.words and "HIS 123456" not in ada.words
    page = f"/admin/licences/{address(app)}"
    ada.visit(page)
    assert "HIS 123456" in ada.words
    assert ada.submit(f"{page}/verify", {"reason": ""}).status_code == 422
    assert ada.submit(f"{page}/verify", {"reason": "In the register."}).status_code == 303
    ben.visit("/licences")
    assert "Lets you sell: Solar" in ben.words and "You may sell it in CA." in ben.words


def test_sent_back_it_says_why_at_home_and_on_the_page(app, enter):
    ben, ada = enter("Ben"), enter("Ada")
    send(ben)
    page = f"/admin/licences/{address(app)}"
    ada.visit(page)
    ada.submit(f"{page}/reject", {"reason": "The picture is too dark."})
    for path in ("/licences", "/home"):
        ben.visit(path)
        assert "The picture is too dark." in ben.words


def test_the_file_goes_to_its_owner_and_to_who_verifies_as_a_download(app, enter):
    ben = enter("Ben")
    send(ben, content=PNG, name="../../evil.html")
    path = f"/licences/{address(app)}/document"
    for visitor, place in ((ben, path), (enter("Ada"), f"/admin{path}")):
        answer = visitor.client.get(place)
        assert (answer.status_code, answer.data) == (200, PNG)
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    cem = enter("Cem")
    refused = [cem.client.get(each).status_code for each in (path, f"/admin{path}")]
    assert refused == [404, 403]
    assert enter("Fin").client.get(f"/admin{path}").status_code == 403
    assert Visitor(app).client.get(path).status_code in (302, 303)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html><script>alert(1)</script>", "PDF, JPEG or PNG"),
        (b"", "choose the file"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * LARGEST_BYTES, "at most 5 MB"),
    ],
)
def test_what_is_no_document_is_refused_at_its_field(enter, content, said):
    ben = enter("Ben")

    assert send(ben, content=content).status_code == 422
    assert said in ben.words


def test_a_file_as_large_as_may_be_is_taken_and_a_far_larger_one_is_not_read(app, enter):
    ben = enter("Ben")

    assert send(ben, content=PDF + b"\x00" * (LARGEST_BYTES - len(PDF))).status_code == 303
    photo = send(ben, content=PDF + b"\x00" * (4 * LARGEST_BYTES), number="HIS 2")
    assert photo.status_code == 422 and "at most 5 MB" in ben.words and 'value="HIS 2"' in photo.text
    assert send(ben, content=PDF + b"\x00" * (6 * LARGEST_BYTES), number="3").status_code == 413
    assert "The file is too large." in ben.words


def test_whoever_mends_the_form_is_told_to_choose_the_file_again(enter):
    ben = enter("Ben")

    assert send(ben, number="<script>").status_code == 422
    assert "Please choose the file again." in ben.words
    assert send(ben, content=b"").status_code == 422
    assert "Please choose the file again." not in ben.words


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("kind", "flying"),
        ("region", "XX"),
        ("number", "<script>"),
        ("expires_on", "2025-12-31"),
        ("expires_on", "2226-12-31"),
        ("valid_from", ""),
    ],
)
def test_what_cannot_be_right_is_refused(app, enter, field, written):
    assert send(enter("Ben"), **{field: written}).status_code == 422
    assert address(app) is None


def test_the_list_filters_by_state_and_by_days(app, enter, licensed):
    today = utc_now().date()
    for number, (days, region) in enumerate(((5, "CA"), (20, "NV"), (50, "CA"), (200, "NV"))):
        licensed(last=today + timedelta(days=days), region=region, number=f"N-{1000 + number}")
    ada = enter("Ada")

    def listed(query):
        ada.visit(f"/admin/licences?{query}")
        return [number for number in range(4) if f"••{1000 + number}" in ada.words]

    assert listed("within=7") == [0]
    assert listed("within=30") == [0, 1]
    assert listed("within=60") == [0, 1, 2]
    assert listed("within=60&region=CA") == [0, 2]
    assert listed("state=verified") == [0, 1, 2, 3]
    assert listed("state=expired") == []


def test_the_role_compliance_sees_licences_and_nothing_of_the_books(app, enter):
    with app.app_context():
        perform(lambda uow: add_user(uow, "Cora", role="compliance").id)
    cora = enter("Cora")
    assert cora.visit("/").location == "/admin/licences"
    assert cora.visit("/admin/licences").status_code == 200
    assert [cora.visit(path).status_code for path in ("/admin", "/admin/payouts")] == [403, 403]


def test_the_home_card_says_what_is_at_stake(enter, licensed, sell):
    licensed(last=utc_now().date() + timedelta(days=3))
    sell("K1", state="NV")
    ben = enter("Ben")
    ben.visit("/home")

    assert "In 3 days. Sales signed after" in ben.words
    assert "no verified solar licence for Nevada covers Nov 2, 2026" in ben.words
