"""A form on a page elsewhere brings leads: once a day, only from its pages, by the words people saw."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from portal.api import form_doors
from portal.api.form_bodies import value_of
from portal.extensions import db
from portal.leads import consents, forms
from portal.leads.stopping import stop_address
from portal.models import Consent, Consultant, Lead, LeadStep, Pack, Person
from portal.store import people

SITE = "https://www.example.com"


@pytest.fixture
def make_form(do, cast):
    """`make_form("ben", origins=…)`: the public id of a form; the company's for None."""

    def make(owner="ben", **wish):
        def work(uow):
            consents.ensure_texts(uow)
            consultant_id = getattr(cast, owner) if owner else None
            wanted = forms.Wish("My page", **{"origins": (SITE,), **wish})
            return forms.add_form(uow, consultant_id=consultant_id, wish=wanted, actor_id=cast.ada).public_id

        return do(work)

    return make


@pytest.fixture
def text(do):
    """`text()`: how a form names the text that holds now."""

    def named(purpose=consents.CONTACT):
        do(consents.ensure_texts)
        return do(lambda uow: value_of(consents.current_text(uow.session, purpose)))

    return named


@pytest.fixture
def post(app, text):
    """`post(form_id, origin=…, as_json=…, **fields)`: what a browser sends from a page."""

    def send(form_id, *, origin=SITE, as_json=False, **fields):
        fields = fields if {"contact", "signup"} & fields.keys() else {**fields, "contact": text()}
        sent = {"name": "Dana Reed", "email": "dana@example.com", **fields}
        sent = {name: value for name, value in sent.items() if value is not None}
        headers = {"Origin": origin} if origin else {}
        body = {"json": sent} if as_json else {"data": sent}
        return app.test_client().post(f"/api/v1/forms/{form_id}/leads", headers=headers, **body)

    return send


@pytest.fixture
def seen(app):
    """`seen(Lead.source, …)`: rows, of leads where nothing else is joined."""

    def rows(*columns):
        with app.app_context():
            found = [tuple(row) for row in db.session.execute(select(*columns)).all()]
            db.session.rollback()
        return found

    return rows


def test_a_lead_stands_on_the_desk_of_who_made_the_form(cast, make_form, post, seen, text):
    answer = post(make_form(ask_phone=True), phone="(303) 555-0142", zip="80202", note="Call\nme")

    assert answer.status_code == 303 and answer.location.endswith("/thanks")
    assert seen(Lead.consultant_id, Lead.region) == [(cast.ben, "CO")]
    assert seen(Lead.source, Lead.source_name) == [("form", "My page")]
    assert seen(Person.email, Person.phone_end_mark)[-1] == ("dana@example.com", people.end_mark_of("0142"))
    assert ("Call me",) in seen(LeadStep.text)
    version, _, sha256 = text().rpartition(":")
    assert seen(Consent.text_version, Consent.text_sha256, Consent.source) == [(version, sha256, "form")]


def test_a_lead_of_the_company_is_routed(make_form, post, seen):
    post(make_form(None))

    assert seen(Lead.consultant_id) == [(None,)]


def test_a_consultant_without_a_desk_keeps_no_leads_from_being_routed(do, cast, make_form, post, seen):
    form_id = make_form()

    def lose_desk(uow):
        ben = uow.session.get_one(Consultant, cast.ben)
        pack = uow.session.get_one(Pack, ben.pack)
        pack.features = {**pack.features, "lead_desk": False}

    do(lose_desk)
    post(form_id)

    assert seen(Lead.consultant_id) == [(None,)]


def test_afterwards_people_go_where_the_form_says(make_form, post):
    form_id = make_form(thanks_url=f"{SITE}/thanks?from=form")

    assert post(form_id).location == f"{SITE}/thanks?from=form"
    # A browser that sends it from our page may not be led elsewhere by it: there the thanks have a link.
    ours = post(form_id, origin="http://localhost").location
    assert ours.endswith(f"/forms/{form_id}/thanks")


@pytest.mark.parametrize("as_json", [False, True])
def test_only_the_pages_of_a_form_may_send_it(make_form, post, seen, as_json):
    form_id = make_form()
    for origin in ("https://evil.example", "null", "", f"{SITE}.evil.example", "http://www.example.com"):
        answer = post(form_id, origin=origin, as_json=as_json)
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert ("problem" in answer.mimetype) == as_json
    assert seen(Lead.id) == []
    assert post(form_id, as_json=as_json).status_code == (201 if as_json else 303)


def test_a_form_that_names_no_page_is_sent_by_any(make_form, post):
    form_id = make_form(origins=())

    assert post(form_id, origin="https://anybody.example").status_code == 303
    answer = post(form_id, origin="", as_json=True)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (201, "*")


def test_a_script_of_the_page_asks_first_and_reads_every_answer(app, make_form, post):
    form_id = make_form()
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    path = f"/api/v1/forms/{form_id}/leads"
    asked = app.test_client().options(path, headers={"Origin": SITE, **ask})
    refused = app.test_client().options(path, headers={"Origin": "https://evil.example", **ask})
    sent = post(form_id, as_json=True)
    wrong = post(form_id, as_json=True, email="nobody", name=None)

    assert (asked.status_code, refused.status_code) == (204, 403)
    assert asked.headers["Access-Control-Allow-Methods"] == "POST"
    assert asked.headers["Access-Control-Allow-Headers"] == "Content-Type"
    for answer in (asked, sent, wrong):
        assert answer.headers["Access-Control-Allow-Origin"] == SITE
        assert "Origin" in answer.vary
    assert (sent.status_code, sent.json["received"]) == (201, True)
    assert (wrong.status_code, wrong.mimetype) == (422, "application/problem+json")
    assert {error["field"] for error in wrong.json["errors"]} == {"name", "email"}


def test_two_clicks_and_two_forms_make_one_lead_of_a_person(make_form, post, seen):
    first, second = make_form(), make_form()
    for form_id in (first, first, second):
        assert post(form_id).status_code == 303

    assert len(seen(Lead.id)) == 1
    assert [kind for (kind,) in seen(LeadStep.kind)].count("again") == 1


def test_clicks_at_the_same_moment_make_one_lead(make_form, post, seen, text):
    form_id, contact = make_form(), text()
    with ThreadPoolExecutor(4) as clicks:
        answers = list(clicks.map(lambda _: post(form_id, contact=contact).status_code, range(4)))

    assert answers == [303] * 4
    assert len(seen(Lead.id)) == 1


def test_who_comes_back_the_same_day_makes_no_second_lead_even_when_the_first_is_over(
    do, make_form, post, seen
):
    form_id = make_form()
    post(form_id)

    def lose(uow):
        uow.session.scalars(select(Lead)).unique().one().stage = "lost"

    do(lose)
    post(form_id)

    assert len(seen(Lead.id)) == 1


def test_who_is_not_to_be_contacted_makes_no_lead_and_is_told_the_same(do, cast, make_form, post, seen):
    form_id = make_form()
    for reached in ("dana@example.com", "303 555 0142"):
        do(lambda uow, reached=reached: stop_address(uow, reached=reached, reason="", actor_id=cast.ada))

    answers = [post(form_id), post(form_id, email="other@example.com", phone="(303) 555-0142")]
    assert seen(Lead.id) == []
    friendly = post(form_id, email="eli@example.com")
    assert {(one.status_code, one.location) for one in answers} == {(303, friendly.location)}
    assert len(seen(Lead.id)) == 1


def test_an_earlier_text_still_counts_and_is_the_one_that_is_kept(do, cast, make_form, post, seen, text):
    form_id, earlier = make_form(), text()
    body = "Other words, which the company has published since the form was put on the page."
    do(
        lambda uow: consents.publish_text(
            uow, version="contact-2", purpose=consents.CONTACT, body=body, actor_id=cast.ada
        )
    )

    assert text() != earlier
    assert post(form_id, contact=earlier).status_code == 303
    assert seen(Consent.text_version) == [("contact-1",)]


@pytest.mark.parametrize("as_json", [False, True])
def test_a_page_that_was_copied_with_the_text_of_a_sign_up_goes_on(make_form, post, seen, text, as_json):
    form_id, signup = make_form(), text(consents.SIGNUP)
    wrong = post(form_id, as_json=as_json, signup=signup, email="dana@")
    answer = post(form_id, as_json=as_json, signup=signup)

    assert (wrong.status_code, answer.status_code) == (422, 201 if as_json else 303)
    assert as_json or (f'value="{signup}"' in wrong.text and "checked" in wrong.text)
    assert seen(Consent.purpose, Consent.text_version) == [("signup", "signup-1")]


@pytest.mark.parametrize("as_json", [False, True])
def test_a_text_that_never_was_is_refused(make_form, post, seen, text, as_json):
    form_id, (version, _, sha256) = make_form(), text().rpartition(":")
    for wrong in (f"{version}:{'0' * 64}", f"contact-9:{sha256}", text(consents.SIGNUP)):
        answer = post(form_id, as_json=as_json, contact=wrong)
        assert answer.status_code == (409 if as_json else 422)
    nothing = post(form_id, as_json=as_json, contact=None)
    assert nothing.status_code == 422
    if as_json:
        assert [error["field"] for error in nothing.json["errors"]] == ["contact"]
    else:
        assert "please agree to be contacted" in nothing.text
    assert seen(Lead.id) == []


def test_machines_that_fill_in_everything_are_thanked_and_leave_nothing(make_form, post, seen):
    form_id = make_form()

    assert post(form_id, website="https://spam.example").status_code == 303
    assert post(form_id, website="https://spam.example", as_json=True).status_code == 201
    assert seen(Lead.id) == []


def test_what_is_wrong_stands_on_a_page_of_ours_with_what_was_written(make_form, post, text):
    answer = post(make_form(ask_phone=True), email="dana@", phone="12", zip="abc", note="Hi there")

    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    for words in ("Please check this", "Please write five digits", 'value="dana@"', "Hi there", "Dana Reed"):
        assert words in answer.text
    assert answer.text.count("checked") == 1 and 'id="signup"' not in answer.text


def test_a_form_that_is_over_or_was_never_there_is_no_page(do, app, cast, make_form, post):
    form_id = make_form()
    assert app.test_client().get(f"/forms/{form_id}").status_code == 200
    do(lambda uow: forms.end_form(uow, public_id=form_id, consultant_id=cast.ben, actor_id=cast.ada))

    for gone in (form_id, "nothing-here"):
        assert app.test_client().get(f"/forms/{gone}").status_code == 404
        assert (post(gone).status_code, post(gone).mimetype) == (404, "text/html")
        assert post(gone, as_json=True).mimetype == "application/problem+json"
    assert app.test_client().get(f"/forms/{form_id}/thanks").status_code == 200


def test_too_many_from_one_address_wait_and_a_person_reads_a_page(
    database, make_app, monkeypatch, make_form, text
):
    monkeypatch.setattr(form_doors, "FOR_AN_ADDRESS", "2 per minute")
    form_id, named = make_form(), text()
    limited = make_app(database, CANOPY_RATE_LIMITS="on").test_client()

    def send(**body):
        return limited.post(f"/api/v1/forms/{form_id}/leads", headers={"Origin": SITE}, **body)

    fields = {"name": "Dana Reed", "email": "dana@example.com", "contact": named}
    assert [send(data=fields).status_code for _ in range(3)] == [303, 303, 429]
    page = send(data=fields)
    assert page.mimetype == "text/html" and int(page.headers["Retry-After"]) <= 60
    for words in (
        "try again in 1 minute",
        "What you wrote is still here",
        'value="dana@example.com"',
        "checked",
    ):
        assert words in page.text, words
    told = send(json=fields)
    assert (told.status_code, told.mimetype) == (429, "application/problem+json")
    assert told.headers["Access-Control-Allow-Origin"] == SITE
    assert send(data=fields, content_type="text/plain").status_code == 429
