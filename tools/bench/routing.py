"""`python -m tools.bench.routing`: who of a large company is offered a lead, on PostgreSQL.

Everybody may have leads; every tenth works on some, every twentieth was offered one. Best of five questions.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import make_url

from portal import create_app
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.leads import ranking
from portal.leads.criteria import SHIPPED, Asked
from portal.leads.selling import terms_of_day
from portal.models import Service
from portal.store import perform
from tests import services
from tests.conftest import Database, environment, migrate
from tools.bench.filling import fill

TIMES: Final = 5
_WORK: Final = """
    UPDATE pack SET features = '{"lead_desk": true, "vendors": "all"}';
    UPDATE terms_version SET licence_kind = 'solar', licence_states = '["CA"]';
    INSERT INTO routing_rule (id, criteria, answer_hours, valid_from) VALUES (1, %(rule)s, 24, '2020-01-01');
    INSERT INTO lead (public_id, person_id, consultant_id, stage, source, created_at, changed_at)
      SELECT 'l' || n, 1, n %% (%(members)s / 10) * 10 + 1,
             (ARRAY['new', 'contacted', 'proposal', 'lost'])[n %% 4 + 1], 'hand', now(), now()
        FROM generate_series(1, %(members)s) n;
    INSERT INTO lead_offer (public_id, lead_id, consultant_id, rule_id, rank, reasons, state, offered_at,
                            respond_by)
      SELECT 'o' || n, n, n * 20, 1, 1, '[]', (ARRAY['open', 'declined', 'expired'])[n %% 3 + 1],
             now() - n %% 50 * interval '1 day', now()
        FROM generate_series(1, %(members)s / 20) n;
    INSERT INTO licence (public_id, consultant_id, kind, region, number, valid_from, expires_on, state,
                         submitted_at)
      SELECT 'n' || n, n * 10, 'solar', 'CA', 'L', '2020-01-01', '2099-01-01', 'verified', now()
        FROM generate_series(1, %(members)s / 10) n
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=500_000)
    sys.stdout.write(json.dumps(measured(parser.parse_args().members), indent=1) + "\n")
    return 0


def measured(members: int) -> dict[str, float]:
    """Seconds to name the best consultant: for a state without a licence, and for one with."""
    server = services.require_postgres()
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS canopy_routing WITH (FORCE)")
        connection.execute("CREATE DATABASE canopy_routing")
    url = make_url(server).set(database="canopy_routing").render_as_string(hide_password=False)
    database = Database("postgresql", url, url)
    with tempfile.TemporaryDirectory() as folder:
        migrate(database, Path(folder))
        fill(url, members, members, "random")
        _give_work(url, members)
        app = create_app(environment(database, Path(folder)))
        with app.app_context():
            found = {state or "no state": _best(state) for state in ("", "CO", "CA")}
            db.session.remove()
            db.engine.dispose()
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP DATABASE canopy_routing WITH (FORCE)")
    return found


def _give_work(url: str, members: int) -> None:
    rule = json.dumps([{"code": code, "weight": weight} for code, weight in SHIPPED])
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in _WORK.split(";\n"):
            connection.execute(statement, {"members": members, "rule": rule})
        connection.execute("VACUUM ANALYZE")


def _best(state: str) -> float:
    def ask() -> None:
        session = db.session()
        service = session.get_one(Service, 1)
        asked = Asked(service, terms_of_day(session, 1, utc_now().date()), state or None, utc_now())
        rule = ranking.current_rule(session, utc_now())
        assert rule is not None, "it was written"
        assert ranking.ranked(session, rule, asked, most=1), "somebody fits"

    return min(_timed(ask) for _ in range(TIMES))


def _timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    perform(lambda _uow: work())
    return round(time.perf_counter() - begun, 3)


if __name__ == "__main__":
    raise SystemExit(main())
