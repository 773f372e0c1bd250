"""Leads in and out as CSV: seen before they are written, all or none, and safe in a spreadsheet."""

from __future__ import annotations

from io import BytesIO

from sqlalchemy import select

from portal.models import Lead, Person
from portal.store import people
from tests.rooms.desk.conftest import stage, written

FILE = """Full Name,E-mail,Mobile,State,Notes,Color
Dana Reed,dana@example.com,303-555-0142,Colorado,met at the fair,red
Eli Stone,,(303) 555-0143,CO,,
Eli S,,303.555.0143,,,
Stop Person,stop@example.com,,,,
"=HYPERLINK(""x"")",evil@example.com,,,,
"""


def uploaded(browser, text):
    browser.visit("/leads/import")
    return uploaded_here(browser, text)


def uploaded_here(browser, text):
    assert 'type="file"' in browser.page.text
    data = {"file": (BytesIO(text.encode()), "leads.csv")}
    return browser.submit("/leads/import", data, content_type="multipart/form-data")


def test_a_file_is_looked_at_and_then_taken_without_those_who_are_there(street, ben, do):
    written(ben, email="dana@example.com", phone="")

    def stop(uow):
        mark = people.mark_of("email", "stop@example.com")
        people.stop(uow, channel="email", mark=mark, reason="asked", asked_by=None)

    do(stop)
    uploaded(ben, FILE)
    for words in (
        "you have this person already",
        "the same as line 3",
        "asked not to be contacted",
        "2 new leads",
        "3 lines to look at",
    ):
        assert words in ben.words, words
    assert len(stage(street)) == 1
    assert 'name="name" value="leads.csv"' in ben.page.text
    ben.submit("/leads/import/take", {"anyway": ["4", "5"]})
    ben.follow()
    assert "3 leads were taken" in ben.words and "from the file leads.csv" in ben.words
    names = street.read(
        lambda session: session.scalars(select(Person.name).join(Lead, Lead.person_id == Person.id)).all()
    )
    assert sorted(names) == ['=HYPERLINK("x")', "Dana Reed", "Eli S", "Eli Stone"]
    export = ben.client.get("/leads/export.csv").text
    assert "'=HYPERLINK" in export and "\n=HYPERLINK" not in export


def test_a_file_with_nobody_to_take_has_no_button_to_take_them(street, ben, do):
    mark = people.mark_of("email", "stop@example.com")
    do(people.stop, channel="email", mark=mark, reason="asked", asked_by=None)
    uploaded(ben, "name,email\nStop Person,stop@example.com\n")
    assert "always left out" in ben.words and "There is nothing to take" in ben.words
    assert "Take them" not in ben.words and "unless you choose" not in ben.words


def test_a_file_may_have_semicolons_or_tabs(street, ben):
    for sign in ";\t":
        uploaded(
            ben, "\n".join(("Name;E-mail;Note", 'Dana Reed;d@example.com;"a, b"', ";;")).replace(";", sign)
        )
        assert "1 new lead" in ben.words, ben.words
    ben.submit("/leads/import/take")
    assert stage(street) == ["new"]


def test_one_fault_takes_nothing_and_each_is_named_by_its_line(street, ben):
    answer = uploaded(
        ben, "name,phone,state\nDana Reed,12,CO\n,303-555-0144,CO\nEli,303-555-0145,Moon\nZoe,,\n"
    )
    assert answer.status_code == 422
    for words in (
        "2 phone",
        "3 name this must not be empty",
        "4 state a state is written",
        "5 the whole line",
    ):
        assert words in ben.words, words
    # The corrected file is chosen on the very page.
    assert uploaded_here(ben, "name,phone\nDana Reed,303-555-0142\n").status_code == 200
    for text in ("", "name;phone\nDana;1", "phone\n303-555-0144\n"):
        assert uploaded(ben, text).status_code == 422, text
    assert stage(street) == []
