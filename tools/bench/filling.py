"""A company of any size in PostgreSQL: people, tree, contracts, sales; written past the guards."""

from __future__ import annotations

import io
import json
from typing import Final

import numpy as np
import psycopg
from sqlalchemy import select

from portal.commissions.plans.versions import SHIPPED
from portal.engine import Plan
from portal.extensions import db
from portal.models import AccountUser
from tools.bench.networks import SHAPES

ADMINS: Final = ("ada@example.com", "fin@example.com")

_COMPANY = """
    INSERT INTO pack (code, name, summary, price_cents, monthly_cents, position, features)
      VALUES ('plus', 'Plus', '', 0, 0, 1, '{}');
    INSERT INTO person (id, public_id, name, email, created_at)
      SELECT n, 'p' || n, 'Person ' || n, 'person' || n || '@example.com', now()
        FROM generate_series(1, %(members)s + 2) n;
    INSERT INTO account_user (id, person_id, email, password_hash, created_at)
      SELECT n, %(members)s + n, (ARRAY['ada@example.com', 'fin@example.com'])[n], '', now()
        FROM generate_series(1, 2) n;
    INSERT INTO vendor (id, public_id, name, core, created_at) VALUES (1, 'v', 'Vendor', true, now());
    INSERT INTO service (id, vendor_id, code, name, unit, icon) VALUES (1, 1, 'solar', 'Solar', 'kW', 'sun');
    INSERT INTO terms_version (id, service_id, valid_from, volume_flat, volume_per_unit, revenue_flat_cents,
                               revenue_per_unit_cents, milestones, cooling_off_days, created_at)
      VALUES (1, 1, '2020-01-01', 0, 100, 0, 300, '{}', 3, now());
    INSERT INTO cycle (id, name, starts_at, until, state, plan_version_id)
      VALUES (1, '2026-W01', now() - interval '6 days', now() + interval '1 day', 'open', 1);
    INSERT INTO customer (id, public_id, vendor_id, ref, consultant_id, registered_at)
      SELECT n, 'c' || n, 1, 'c' || n, n, now() FROM generate_series(1, %(members)s) n;
    INSERT INTO contract (id, vendor_id, ref, customer_id, service_id, terms_version_id, size_thousandths,
                          state, signed_on)
      SELECT n, 1, 'c' || n, (n * 7919::bigint) %% %(members)s + 1, 1, 1, 8000, 'active', current_date
        FROM generate_series(1, %(sales)s) n;
    INSERT INTO sale (public_id, cycle_id, consultant_id, contract_id, terms_version_id, milestone, volume,
                      revenue_cents, occurred_at, recorded_at, cause)
      SELECT 's' || n, 1, (n * 7919::bigint) %% %(members)s + 1, n, 1, 'activated', 100 + n %% 50000,
             n %% 300000, now(), now(), 's' || n
        FROM generate_series(1, %(sales)s) n;
    SELECT setval(pg_get_serial_sequence(name, 'id'), 100000000)
      FROM unnest(ARRAY['cycle', 'person', 'account_user']) name;
"""
_SELL = """
    INSERT INTO sale (public_id, cycle_id, consultant_id, contract_id, terms_version_id, milestone, volume,
                      revenue_cents, occurred_at, recorded_at, cause)
      SELECT substr(md5(%(name)s), 1, 20), id, 1, 1, 1, 'activated', 100, 100, now(), now(), %(name)s
        FROM cycle WHERE state = 'open'
"""
_GATE = 7_001


def fill(url: str, members: int, sales: int, shape: str) -> None:
    """Write the company into an empty database."""
    parent, leg, sponsor = SHAPES[shape](members)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO plan_version (id, name, document, sha256, valid_from, created_at)"
            " VALUES (1, 'Shipped', %s, %s, '2020-01-01', now())",
            (json.dumps(SHIPPED), Plan.parse(SHIPPED).version),
        )
        sizes = {"members": members, "sales": sales}
        for statement in _COMPANY.split(";\n"):
            if statement.strip():
                connection.execute(statement, sizes)
        _copy_people(connection, parent, leg, sponsor)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def admins() -> list[int]:
    """The two people who approve."""
    return list(db.session.scalars(select(AccountUser.id).where(AccountUser.email.in_(ADMINS))))


def sell(connection: psycopg.Connection, name: str) -> None:
    """One sale through the shared gate, as the portal records it."""
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", (_GATE,))
    connection.execute(_SELL, {"name": name})


def _copy_people(connection: psycopg.Connection, *tree: np.ndarray) -> None:
    parent, leg, sponsor = (column.tolist() for column in tree)
    people, places = io.StringIO(), io.StringIO()
    for at, (up, side, by) in enumerate(zip(parent, leg, sponsor, strict=True)):
        enrolled, above = "\\N" if by < 0 else by + 1, "\\N" if up < 0 else up + 1
        number, place = at + 1, "\\N" if up < 0 else "LR"[side]
        people.write(
            f"{number}\tk{number}\tK{number}\t{number}\t{enrolled}\tplus\tactive\tweaker\t2026-01-01\n"
        )
        places.write(f"{number}\t{above}\t{place}\t2026-01-01\n")
    targets = {
        "consultant (id, public_id, code, person_id, sponsor_id, pack, status, preference,"
        " joined_at)": people,
        "placement (consultant_id, parent_id, leg, valid_from)": places,
    }
    for target, lines in targets.items():
        with connection.cursor().copy(f"COPY {target} FROM STDIN") as copy:
            copy.write(lines.getvalue())
