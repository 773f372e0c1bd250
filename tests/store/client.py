"""A process that books entries one by one and writes down which ones the database acknowledged.

`python -m tests.store.client LOG FIRST LAST [--acknowledge-early] [--new-key] [--die-at N]`

Started again, it goes on with what LOG does not name, under the same keys. The last three are the negative
controls: it acknowledges before the commit, forgets its keys, or dies between the commit and the log.
"""

from __future__ import annotations

import argparse
import os
import secrets
import time
from pathlib import Path

from flask import Flask
from sqlalchemy.exc import DBAPIError

from portal import create_app
from portal.extensions import db
from portal.kernel.money import Cents
from portal.ledger import book
from portal.ledger.accounts import COMMISSION_EXPENSE, available, reserved
from portal.ledger.book import Draft, Move
from portal.store import perform

PAUSE_SECONDS = 0.05


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("--acknowledge-early", action="store_true")
    parser.add_argument("--new-key", action="store_true")
    parser.add_argument("--die-at", type=int, default=-1)
    chosen = parser.parse_args()
    app = create_app(dict(os.environ))
    done = {int(line) for line in chosen.log.read_text().split()} if chosen.log.exists() else set()
    log = os.open(chosen.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in range(chosen.first, chosen.last):
        if number in done:
            continue
        if chosen.acknowledge_early:
            os.write(log, b"%d\n" % number)
        _book(app, number, key=secrets.token_hex(8) if chosen.new_key else "op")
        if number == chosen.die_at:
            os._exit(9)
        if not chosen.acknowledge_early:
            os.write(log, b"%d\n" % number)


def _book(app: Flask, number: int, *, key: str) -> None:
    """Two postings in one entry; tried until the database says yes, whatever happens to it meanwhile."""
    owner = 1 + number % 3
    moves = [
        Move(COMMISSION_EXPENSE, available(owner), Cents(7)),
        Move(COMMISSION_EXPENSE, reserved(owner), Cents(5)),
    ]
    draft = Draft(f"{key}-{number}", "test", moves)
    while True:
        with app.app_context():
            try:
                perform(lambda uow: book.post(uow, draft))
                return
            except DBAPIError:
                db.session.rollback()
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
