"""`flask user add`: the one way in before anybody is in."""

from __future__ import annotations

import json

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
    ):
        answer = _run(small_company, *words)
        assert answer.exit_code == 1
        assert answer.output.startswith("Error: ") and answer.output.count("\n") == 1


def test_what_is_no_e_mail_address_does_not_sign_in(small_company):
    refused = _run(small_company, "bad", "--name", "Bo Berg", "--role", "admin")

    assert refused.exit_code == 1
    assert "bad is not an e-mail address." in refused.output
