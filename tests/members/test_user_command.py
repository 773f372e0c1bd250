"""`flask user add`: the one way in before anybody is in."""

from __future__ import annotations

import json

from portal.store import perform
from portal.vendors.service import add_vendor
from tests.html import Visitor
from tests.members.conftest import Company


def _run(company: Company, *words: str):
    return company.app.test_cli_runner().invoke(args=["user", "add", *words])


def test_a_made_up_password_is_printed_once_and_works(small_company):
    answer = _run(small_company, "Ada@Example.com", "--name", "Ada Lane", "--role", "admin", "--json")
    made = json.loads(answer.output)
    assert set(made) == {"email", "role", "password"}
    assert len(made["password"]) == 24
    assert Visitor(small_company.app).sign_in("ada@example.com", made["password"]).location == "/admin"


def test_a_given_password_is_not_printed(small_company):
    answer = _run(
        small_company,
        "fin@example.com",
        "--name",
        "Fin",
        "--role",
        "finance",
        "--password",
        "purple monkey dish",
    )
    assert answer.exit_code == 0
    assert "purple" not in answer.output


def test_a_consultant_gets_a_link_and_a_place(small_company):
    top = json.loads(
        _run(small_company, "ana@x.example", "--name", "Ana", "--role", "consultant", "--json").output
    )
    below = _run(
        small_company,
        "ben@x.example",
        "--name",
        "Ben",
        "--role",
        "consultant",
        "--sponsor",
        top["code"],
        "--json",
    )
    assert below.exit_code == 0, below.output
    assert Visitor(small_company.app).visit(f"/r/{top['code']}").status_code == 200


def test_what_cannot_be_is_refused_in_one_line(small_company):
    assert _run(small_company, "a@x.example", "--name", "A", "--role", "admin").exit_code == 0
    for words in (
        ("a@x.example", "--name", "A", "--role", "admin"),
        ("b@x.example", "--name", "B", "--role", "admin", "--password", "short"),
        ("c@x.example", "--name", "C", "--role", "consultant", "--sponsor", "NOBODY22"),
        ("d@x.example", "--name", "D", "--role", "finance", "--sponsor", "NOBODY22"),
        ("e@x.example", "--name", "E", "--role", "vendor"),
        ("e@x.example", "--name", "E", "--role", "vendor", "--vendor", "Nobody Solar"),
        ("e@x.example", "--name", "E", "--role", "consultant", "--vendor", "Nobody Solar"),
    ):
        answer = _run(small_company, *words)
        assert answer.exit_code == 1
        assert answer.output.startswith("Error: ") and answer.output.count("\n") == 1


def test_who_works_for_a_vendor_sees_its_pages_by_its_name_or_its_id(small_company):
    with small_company.app.app_context():
        public_id = perform(
            lambda uow: add_vendor(uow, name="Vera Solar", core=True, actor_id=None).public_id
        )
    for number, named in enumerate(("Vera Solar", public_id)):
        email = f"clerk{number}@x.example"
        added = _run(small_company, email, "--name", "Cleo", "--role", "vendor", "--vendor", named, "--json")
        clerk = Visitor(small_company.app)
        clerk.sign_in(email, json.loads(added.output)["password"])
        clerk.visit("/vendor")
        assert "Vera Solar" in clerk.words


def test_what_is_no_e_mail_address_does_not_sign_in(small_company):
    refused = _run(small_company, "bad", "--name", "Bo Berg", "--role", "admin")

    assert refused.exit_code == 1
    assert "bad is not an e-mail address." in refused.output
