"""A token does what its scopes and its user allow, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.access.sessions import disable_user
from portal.extensions import db
from portal.integrations import tokens
from portal.integrations.tokens import SCOPES
from portal.kernel.errors import NotYours
from portal.models import AccountUser, ApiToken, Consultant, RoleGrant

DOORS = {
    "members": "members:read",
    "leads": "leads:read",
    "leads/mfrggzdfmztwq2lknnwg": "leads:read",
    "sales": "sales:read",
    "earnings": "earnings:read",
}
DANA = {"name": "Dana Reed", "email": "dana@example.com"}


@pytest.mark.parametrize("path", DOORS)
def test_without_its_scope_a_door_stays_shut(program, path):
    others = [scope for scope in SCOPES if scope != DOORS[path]]

    assert program("Ben", *others).get(path).status_code == 403
    assert program("Ben", DOORS[path]).get(path).status_code in (200, 404)


def test_without_the_scope_to_write_no_lead_is_taken(program):
    assert program("Ben", "leads:read").send("leads", DANA).status_code == 403


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("header", ["", "Bearer", "Bearer cnp_x", "Basic YTpi", "Bearer cnp_" + "A" * 43])
def test_without_a_token_of_ours_nobody_is_let_in(sqlite_app, path, header):
    answer = sqlite_app.test_client().get(f"/api/v1/{path}", headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.content_type == "application/problem+json"


def test_a_revoked_token_and_one_of_a_disabled_user_are_none(program, do, cast):
    ben, again = program("Ben"), program("Ben")
    assert ben.get("sales").status_code == 200

    do(tokens.revoke_token, user_id=user_of(do, "Ben"), public_id=ben.public_id)
    assert (ben.get("sales").status_code, again.get("sales").status_code) == (401, 200)
    do(disable_user, user_id=user_of(do, "Ben"))
    assert again.get("sales").status_code == 401


def test_a_token_ends_with_its_term(program, do):
    ben = program("Ben", days=30)
    assert ben.get("sales").status_code == 200

    do(
        lambda uow: uow.session.execute(
            update(ApiToken).values(expires_at=uow.clock() - timedelta(seconds=1))
        )
    )

    assert ben.get("sales").status_code == 401


def test_a_token_can_do_no_more_than_its_user_can_now(program, do):
    ada = program("Ada")
    assert ada.get("leads").status_code == 200

    demoted = update(RoleGrant).where(RoleGrant.role == "admin").values(role="finance")
    do(lambda uow: uow.session.execute(demoted))
    assert (ada.get("leads").status_code, ada.get("sales").status_code) == (403, 200)
    do(lambda uow: uow.session.execute(update(RoleGrant).values(role="vendor")))
    assert ada.get("sales").status_code == 403


def test_leads_need_a_plan_with_a_lead_desk(program, do, cast):
    ben = program("Ben")
    assert ben.get("leads").status_code == 200

    do(lambda uow: uow.session.execute(update(Consultant).values(pack="pack")))

    assert (ben.get("leads").status_code, ben.send("leads", DANA).status_code) == (403, 403)
    assert ben.get("sales").status_code == 200


def test_nobody_revokes_the_token_of_somebody_else(program, do):
    ana = program("Ana")

    with pytest.raises(NotYours):
        do(tokens.revoke_token, user_id=user_of(do, "Ben"), public_id=ana.public_id)
    assert ana.get("sales").status_code == 200


def test_only_the_hash_of_a_token_is_kept_and_its_use_is_noted(program, app):
    ben = program("Ben")
    ben.get("sales")

    with app.app_context():
        [row] = db.session.query(ApiToken).all()
        assert ben.text not in repr(vars(row)) and len(row.token_hash) == 64
        assert row.used_at is not None


def test_a_token_has_so_many_requests_a_minute_and_waits_only_when_told(database, make_app):
    from tests.integrations.conftest import Program
    from tests.people import invite_cast

    app = make_app(database, CANOPY_RATE_LIMITS="on")
    app.config["TOKEN_REQUESTS_A_MINUTE"] = 3
    invite_cast(app)

    def token(email):
        from portal.store import perform

        def work(uow):
            user = uow.session.scalars(select(AccountUser.id).where(AccountUser.email == email)).one()
            return tokens.add_token(uow, user_id=user, wish=tokens.Wish("a test", SCOPES, 0)).text

        with app.app_context():
            return Program(app, perform(work))

    ben, ana = token("ben@example.com"), token("ana@example.com")
    answers = [ben.get("sales") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[3].headers["Retry-After"]) <= 60
    assert not any("Retry-After" in answer.headers for answer in answers[:3])
    assert not [name for answer in answers for name, _value in answer.headers if name.startswith("X-Rate")]
    assert answers[0].headers["RateLimit-Policy"] == '"requests";q=3;w=60'
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert ana.get("sales").status_code == 200


def test_who_offers_wrong_tokens_again_and_again_is_told_to_wait(database, make_app):
    app = make_app(database, CANOPY_RATE_LIMITS="on")
    app.config["TOKEN_REFUSALS_A_MINUTE"] = 2

    answers = [app.test_client().get("/api/v1/sales") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert ["Retry-After" in answer.headers for answer in answers] == [False, False, True]


def user_of(do, name):
    own = select(AccountUser.id).where(AccountUser.email == f"{name.lower()}@example.com")
    return do(lambda uow: uow.session.scalars(own).one())
