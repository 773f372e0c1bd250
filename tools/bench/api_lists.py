"""`python -m tools.bench.api_lists`: pages of 100 rows that programs read, in a company of any size.

Milliseconds of a whole request at the beginning of a list, in its middle and at its end: for whoever stands
at the top of the tree, for whoever stands lowest, and for the company.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

from flask.testing import FlaskClient
from sqlalchemy import text

from portal.extensions import db
from portal.integrations import tokens
from portal.integrations.tokens import SCOPES, Wish
from portal.members.team import Viewer
from portal.models import Consultant
from portal.network import queries
from portal.store import perform
from tools.bench.close import application, made

TOP: Final = 1
LISTS: Final = ("members", "leads", "sales", "earnings")
PAGE: Final = 100
TIMES: Final = 5
PATIENCE: Final = "SET statement_timeout = '300s'"

# A tenth of all leads, sales and lines are of whoever stands at the top.
_MORE: Final = """
    UPDATE pack SET features = '{"lead_desk": true}';
    INSERT INTO role_grant (user_id, role) VALUES (1, 'admin');
    INSERT INTO account_user (id, person_id, email, password_hash, created_at)
      SELECT 10 + n, id, 'reader' || n, '', now() FROM unnest(ARRAY[1, :members]) WITH ORDINALITY who (id, n);
    INSERT INTO role_grant (user_id, role) VALUES (11, 'consultant'), (12, 'consultant');
    INSERT INTO lead (public_id, person_id, consultant_id, stage, source, created_at, changed_at)
      SELECT 'l' || n, n % :members + 1, CASE WHEN n % 10 = 0 THEN 1 ELSE n % :members + 1 END, 'new', 'api',
             now() - interval '1 day', now() FROM generate_series(1, :members) n;
    INSERT INTO sale (public_id, cycle_id, consultant_id, contract_id, milestone, volume, revenue_cents,
                      occurred_at, recorded_at, cause)
      SELECT 't' || n, 1, 1, n, 'activated', 100, 100, now(), now(), 't' || n
        FROM generate_series(1, :members / 10) n;
    INSERT INTO cycle (id, name, starts_at, until, state, plan_version_id, closed_at, close_run_id)
      SELECT 1 + n, 'W' || n, now() - (20 - n) * interval '7 days', now() - (19 - n) * interval '7 days',
             'closed', 1, now() - (19 - n) * interval '7 days', n FROM generate_series(1, 4) n;
    INSERT INTO run (id, cycle_id, purpose, plan_version_id, inputs, input_hash, frozen_at)
      SELECT n, 1 + n, 'close', 1, '', '', now() FROM generate_series(1, 4) n;
    INSERT INTO commission_line (run_id, consultant_id, kind, amount_cents, base, sale_id, level)
      SELECT 1 + n * 4 / (2 * :members + 1), CASE WHEN n % 10 = 0 THEN 1 ELSE n % :members + 1 END, 'retail',
             100, 1000, n % :members + 1, 1 FROM generate_series(1, 2 * :members) n
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=500_000)
    parser.add_argument("--shapes", default="random,chain")
    chosen = parser.parse_args()
    found: dict[str, Any] = {**vars(chosen), "load": round(os.getloadavg()[0], 1)}
    for shape in chosen.shapes.split(","):
        with (
            tempfile.TemporaryDirectory() as folder,
            made(chosen.members, chosen.members, shape) as url,
        ):
            app = application(url, Path(folder))
            with app.app_context():
                names = _fill(chosen.members)
                found[shape] = {"way up": _ways(chosen.members)}
            for name, token in names.items():
                found[shape][name] = _doors(app.test_client(), token, chosen.members)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0


def _fill(members: int) -> dict[str, str]:
    """Write what the lists are about; the tokens of three readers."""
    with db.engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text(PATIENCE))
        for statement in _MORE.split(";\n"):
            sizes = {"members": members}
            named = {name: size for name, size in sizes.items() if f":{name}" in statement}
            connection.execute(text(statement), named)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    readers = {"top": 11, "lowest": 12, "company": 1}
    wish = Wish("measured", SCOPES, 0)
    return {name: perform(partial(_token, user_id=user_id, wish=wish)) for name, user_id in readers.items()}


def _token(uow: Any, *, user_id: int, wish: Wish) -> str:
    return tokens.add_token(uow, user_id=user_id, wish=wish).text


def _doors(client: FlaskClient, token: str, members: int) -> dict[str, Any]:
    """Milliseconds of a page at each place of each list that has more than one page."""
    found = {}
    for name in LISTS:
        rows = _answer(client, token, name)[1]
        places = {"first": ""} if len(rows) < PAGE else {"first": "", **_places(name, rows, members)}
        found[name] = {place: _took(client, token, name, after) for place, after in places.items()}
    return found


def _places(name: str, rows: list[Any], members: int) -> dict[str, str]:
    """What stands in the middle and near the end, by how everything was numbered here."""
    half, last = members // 20 * 10, members // 10 * 10 - 100
    if name == "earnings":
        return {place: f"W{1 + at * 4 // (2 * members + 1)}.{at}" for place, at in _twice(half, last).items()}
    if name == "sales" and rows[-1]["consultant"] == rows[0]["consultant"]:
        return {"middle": f"t{half // 10}", "end": f"t{last // 10}"}
    letter = {"members": "k", "leads": "l", "sales": "s"}[name]
    return {"middle": f"{letter}{half}", "end": f"{letter}{last}"}


def _twice(half: int, last: int) -> dict[str, int]:
    return {"middle": 2 * half, "end": 2 * last}


def _took(client: FlaskClient, token: str, name: str, after: str) -> float:
    first = _answer(client, token, name, after)[0]
    if first > 2_000:
        return round(first)
    return round(sorted(_answer(client, token, name, after)[0] for _ in range(TIMES))[TIMES // 2], 1)


def _answer(client: FlaskClient, token: str, name: str, after: str = "") -> tuple[float, list[Any]]:
    asked = f"/api/v1/{name}" + (f"?after={after}" if after else "")
    started = time.perf_counter()
    answer = client.get(asked, headers={"Authorization": f"Bearer {token}"})
    taken = time.perf_counter() - started
    assert answer.status_code == 200, answer.text
    rows: list[Any] = answer.get_json()[name]
    return taken * 1000, rows


def _ways(lowest: int) -> float:
    """The way from the top to whoever stands lowest, as the tree page asks for it."""
    session, taken = db.session(), []
    session.execute(text(PATIENCE))
    viewer = Viewer(session.get_one(Consultant, TOP), None)
    public_id = session.get_one(Consultant, lowest).public_id
    for _ in range(2):
        started = time.perf_counter()
        queries.person_below(session, viewer, public_id)
        taken.append((time.perf_counter() - started) * 1000)
    session.rollback()
    return round(min(taken), 1)


if __name__ == "__main__":
    sys.exit(main())
