"""The payout pages: the queue with its filters, decisions, batches."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select, update

from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.models import AccountUser, Consultant, LoginSession, PayoutBatch, RoleGrant
from portal.payouts import service
from tests.html import Visitor
from tests.payouts.purses import fund
from tests.people import PASSWORD


def approve(browser, *chosen, state="requested"):
    browser.visit(f"/admin/payouts?state={state}")
    return browser.submit("/admin/payouts/approve", {"chosen": list(chosen)})


def export(browser, *chosen):
    browser.visit("/admin/payouts?state=approved")
    answer = browser.submit("/admin/payouts/export", {"chosen": list(chosen)})
    assert answer.status_code == 303, browser.words
    browser.follow()
    return answer.location


def test_the_queue_shows_what_waits(fin, asked):
    fin.visit("/admin/payouts")

    for words in ("Ben", "$120.00", "Cem", "$80.00", "Waiting $200.00 2 withdrawals"):
        assert words in fin.words
    people = re.findall(r"(/admin/consultants/\w+/statement)\">(?:Ben|Cem)", fin.page.text)
    assert len(people) == 2 and "Statement of" in (fin.visit(people[0]) and fin.words)


def test_filters_by_state_name_and_amount(fin, asked):
    approve(fin, asked["cem"])

    shown = {
        "state=requested": ["Ben"],
        "state=approved": ["Cem"],
        "state=all": ["Ben", "Cem"],
        "state=all&name=ce": ["Cem"],
        "state=all&name=CEM": ["Cem"],
        "state=all&name=%25": [],
        "state=all&least=100": ["Ben"],
        "state=nonsense": ["Ben"],
        "state=all&least=nonsense": ["Ben", "Cem"],
    }
    for address, names in shown.items():
        page = fin.visit(f"/admin/payouts?{address}")
        assert [name for name in ("Ben", "Cem") if f"Choose {name}" in fin.words] == names, address
        assert page.status_code == 200


def test_what_is_ticked_is_approved_and_nothing_else(fin, asked, states):
    assert approve(fin, asked["ben"]).status_code == 303

    assert states() == ["approved", "requested"]


def test_nothing_ticked_is_said_in_the_form(fin, states):
    assert approve(fin).status_code == 422

    assert "Please choose at least one withdrawal." in fin.words
    assert states() == ["requested", "requested"]


def test_what_was_decided_meanwhile_stops_the_whole_choice(fin, asked, states):
    approve(fin, asked["ben"])

    assert approve(fin, asked["cem"], asked["ben"]).status_code == 409

    assert "This withdrawal is approved." in fin.words
    assert states() == ["approved", "requested"]


def test_a_rejection_needs_a_reason(fin, asked, states):
    fin.visit("/admin/payouts")
    assert fin.submit("/admin/payouts/reject", {"chosen": [asked["ben"]]}).status_code == 422
    assert "Please give a reason" in fin.words

    fin.submit("/admin/payouts/reject", {"chosen": [asked["ben"]], "reason": "The name does not fit."})

    assert states() == ["rejected", "requested"]


def test_nobody_approves_their_own(app, asked, do, cast, states):
    do(_make_finance, consultant_id=cast.ben)
    ben = Visitor(app)
    ben.sign_in("ben@example.com", PASSWORD)

    assert approve(ben, asked["ben"]).status_code == 422
    assert "Somebody else has to decide on your own withdrawal." in ben.words
    assert approve(ben, asked["cem"]).status_code == 303
    assert states() == ["requested", "approved"]


def test_who_approved_what_consultants_asked_for_does_not_export_it(fin, ada, asked, states):
    approve(fin, *asked.values())
    fin.visit("/admin/payouts?state=approved")
    assert "You approved it; somebody else exports it." in fin.words

    answer = fin.submit("/admin/payouts/export", {"chosen": list(asked.values())})

    assert answer.status_code == 422
    assert "You approved some of these. Somebody else has to export them." in fin.words
    assert states() == ["approved", "approved"]
    ada.visit("/admin/payouts?state=approved")
    assert "You approved it" not in ada.words
    export(ada, *asked.values())
    assert states() == ["exported", "exported"]


def test_a_batch_is_exported_downloaded_twice_and_confirmed(fin, ada, asked, states):
    approve(fin, *asked.values())
    place = export(ada, *asked.values())
    assert "$200.00 in 2 lines" in ada.words

    first, second = fin.visit(f"{place}/file.csv"), fin.visit(f"{place}/file.csv")
    assert first.data == second.data
    assert first.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert first.data.endswith(b"CONTROL,2,,,,,200.00,USD\r\n")

    fin.visit(place)
    fin.submit(f"{place}/confirm")
    fin.follow()
    assert "The batch is paid." in fin.words
    assert states() == ["paid", "paid"]

    fin.submit(f"{place}/confirm")
    fin.follow()
    assert "This batch is confirmed already." in fin.words


def test_a_void_batch_puts_its_lines_back(fin, ada, asked, states):
    approve(fin, *asked.values())
    place = export(ada, asked["ben"])

    ada.submit(f"{place}/void")

    assert states() == ["approved", "approved"]


def test_a_returned_line_goes_back_to_the_wallet_with_its_reason(fin, ada, asked, states):
    approve(fin, *asked.values())
    place = export(ada, *asked.values())
    fin.visit(place)

    fin.submit(f"/admin/payouts/{asked['ben']}/return", {"reason": ""})
    fin.follow()
    assert "Please give a reason" in fin.words
    fin.submit(f"/admin/payouts/{asked['ben']}/return", {"reason": "No such account."})
    fin.follow()

    assert "No such account." in fin.words
    assert fin.page.request.path == place
    assert states() == ["returned", "exported"]


def test_two_at_once_cannot_export_the_same_line(fin, ada, asked, app):
    approve(fin, asked["ben"])
    ada.visit("/admin/payouts?state=approved")
    form = dict(ada.hidden)
    export(ada, asked["ben"])

    answer = ada.client.post("/admin/payouts/export", data={**form, "chosen": [asked["ben"]]})

    assert answer.status_code == 409
    with app.app_context():
        assert len(db.session.scalars(select(PayoutBatch)).all()) == 1


def test_money_needs_a_fresh_password(fin, asked, states, do):
    fin.visit("/admin/payouts")
    do(
        lambda uow: uow.session.execute(
            update(LoginSession).values(confirmed_at=utc_now() - timedelta(minutes=11))
        )
    )

    answer = fin.submit("/admin/payouts/approve", {"chosen": [asked["ben"]]})

    assert answer.status_code == 303 and answer.location.startswith("/login/confirm")
    assert states() == ["requested", "requested"]


def test_consultants_do_not_get_in(app, asked, states):
    ben = Visitor(app)
    ben.sign_in("ben@example.com", PASSWORD)
    ben.visit("/earnings/withdraw")

    assert ben.visit("/admin/payouts").status_code == 403
    for step in ("approve", "reject", "export"):
        assert ben.submit(f"/admin/payouts/{step}", {"chosen": [asked["ben"]]}).status_code == 403
    assert states() == ["requested", "requested"]


def test_what_is_not_there_is_not_there(fin):
    fin.visit("/admin/payouts")

    assert fin.visit("/admin/payouts/batches/nothing").status_code == 404
    assert fin.visit("/admin/payouts/batches/nothing/file.csv").status_code == 404
    assert fin.submit("/admin/payouts/approve", {"chosen": ["nothing"]}).status_code == 404
    assert fin.submit("/admin/payouts/nothing/return", {"reason": "x"}).status_code == 404


def test_many_rows_come_in_pages(fin, cast, do, app):
    do(_ask_often, consultant_id=cast.cem, cycle=cast.cycle, times=60)

    page = fin.visit("/admin/payouts").text
    assert page.count('name="chosen"') == 50
    assert "after=" in page


def _make_finance(uow, *, consultant_id):
    person_id = uow.session.get_one(Consultant, consultant_id).person_id
    user = uow.session.scalars(select(AccountUser).where(AccountUser.person_id == person_id)).one()
    uow.session.add(RoleGrant(user_id=user.id, role="finance"))


def _ask_often(uow, *, consultant_id, cycle, times):
    fund(uow, consultant_id, 10_00 * times, cycle=cycle)
    for number in range(times):
        service.request_withdrawal(
            uow, consultant_id=consultant_id, amount=10_00, key=f"often-{number}", actor_id=consultant_id
        )
