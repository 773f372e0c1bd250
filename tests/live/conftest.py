"""A tree on PostgreSQL, and writers that commit late, out of order, or not at all."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from portal.extensions import db
from portal.models import Contract, Cycle
from tests.people import add_consultant
from tests.shop import add_sale

WRITERS = 6
PEOPLE = 60

SELL = text("""
    INSERT INTO sale (public_id, cycle_id, consultant_id, contract_id, terms_version_id, milestone, volume,
                      revenue_cents, occurred_at, recorded_at, cause)
    SELECT :name, :cycle, :seller, id, terms_version_id, 'activated', :volume, 0, now(), now(), :name
      FROM contract WHERE id = :contract
""")
JOIN = text(
    "INSERT INTO placement (consultant_id, parent_id, leg, valid_from) VALUES (:who, :under, :leg, now())"
)


@pytest.fixture
def tree(app, do, cast):
    """Ids of everybody: a random tree below Ana, and people who wait for a place."""
    chance = random.Random(5)
    people, free = [cast.ana], [(cast.ana, "L"), (cast.ana, "R")]
    free = [(cast.ben, "L"), (cast.ben, "R"), (cast.cem, "L"), (cast.cem, "R")]
    for number in range(PEOPLE):
        spot = free.pop(chance.randrange(len(free)))
        person = do(add_consultant, f"P{number}", sponsor=cast.ana, under=spot)
        people.append(person)
        free += [(person, "L"), (person, "R")]
    waiting = [do(add_consultant, f"W{number}", sponsor=cast.ana) for number in range(PEOPLE)]
    do(add_sale, cast.ben, 1_00)
    return people, waiting, free


def end(connection: Connection, killer: Connection, lot: float) -> None:
    """Commit, roll back, or let the server process die in the middle of the transaction."""
    if lot < 0.05:
        connection.rollback()
    elif lot < 0.07:
        process = connection.connection.driver_connection.info.backend_pid
        killer.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
        with contextlib.suppress(OperationalError):
            connection.commit()
        connection.invalidate()
    else:
        connection.commit()


@pytest.fixture
def fire(app, tree, cast) -> Iterator[None]:
    """Writers that sell and join, in open transactions of up to 30 ms.

    Every twentieth is rolled back, and of every fiftieth the server process is killed at its commit.
    """
    people, waiting, free = tree
    with app.app_context():
        url = db.engine.url
        contract, cycle = db.session.query(Contract.id).first()[0], db.session.query(Cycle.id).first()[0]
    stop = threading.Event()
    spots, turn = list(zip(waiting, free, strict=False)), threading.Lock()

    def write(number: int) -> None:
        engine, chance, count = create_engine(url), random.Random(number), 0
        killer = create_engine(url, isolation_level="AUTOCOMMIT").connect()
        while not stop.is_set():
            count += 1
            with engine.connect() as connection:
                row = {"name": f"{number}-{count}", "cycle": cycle, "contract": contract}
                connection.execute(
                    SELL,
                    {**row, "seller": chance.choice(people + waiting), "volume": chance.randrange(1, 9_00)},
                )
                if chance.random() < 0.05:
                    with turn:
                        new = spots.pop() if spots else None
                    if new:
                        who, (under, leg) = new
                        connection.execute(JOIN, {"who": who, "under": under, "leg": leg})
                stop.wait(chance.random() * 0.03 if chance.random() < 0.3 else 0)
                end(connection, killer, chance.random())
        engine.dispose()
        killer.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    yield
    stop.set()
    for writer in writers:
        writer.join()
