"""What the sandbox remembers: one SQLite file of its own, used by several processes at once."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    serial INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS document_by_kind ON document (kind, serial);
CREATE INDEX IF NOT EXISTS document_by_group ON document (kind, json_extract(body, '$.transfer_group'));
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS fault (
    serial INTEGER PRIMARY KEY, operation TEXT NOT NULL, kind TEXT NOT NULL, milliseconds INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS delivery (
    serial INTEGER PRIMARY KEY, event_id TEXT NOT NULL, attempts INTEGER NOT NULL, next_at INTEGER NOT NULL,
    done INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (done, next_at);
"""


@dataclass(frozen=True)
class Answer:
    """What is sent back: an HTTP status and a JSON body."""

    status: int
    body: Document


class Store:
    """Opens a connection for each piece of work, so that threads and forks share nothing but the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = self._connect()
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
        connection.close()

    @contextmanager
    def writing(self) -> Iterator[Books]:
        """One transaction that no other writer interleaves with; rolled back when the block raises."""
        connection = self._connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield Books(connection)
            connection.execute("COMMIT")
        finally:
            connection.close()

    @contextmanager
    def reading(self) -> Iterator[Books]:
        """Reads that need no transaction."""
        connection = self._connect()
        try:
            yield Books(connection)
        finally:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection


class Books:
    """The rows of the sandbox within one piece of work."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def save(self, kind: str, document: Document) -> None:
        """Add a document or put its new state in place of the old."""
        self._connection.execute(
            "INSERT INTO document (id, kind, body) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (document["id"], kind, json.dumps(document)),
        )

    def find(self, kind: str, document_id: str) -> Document | None:
        row = self._connection.execute(
            "SELECT body FROM document WHERE kind = ? AND id = ?", (kind, document_id)
        ).fetchone()
        return json.loads(row[0]) if row else None

    def newest(self, kind: str, limit: int = 1000) -> list[Document]:
        """The documents of a kind, newest first."""
        rows = self._connection.execute(
            "SELECT body FROM document WHERE kind = ? ORDER BY serial DESC LIMIT ?", (kind, limit)
        )
        return [json.loads(body) for (body,) in rows]

    def of_group(self, kind: str, group: str) -> list[Document]:
        """The documents of a kind with this `transfer_group`, newest first."""
        rows = self._connection.execute(
            "SELECT body FROM document WHERE kind = ? AND json_extract(body, '$.transfer_group') = ?"
            " ORDER BY serial DESC",
            (kind, group),
        )
        return [json.loads(body) for (body,) in rows]

    def answer(self, key: str) -> tuple[str, Answer, int] | None:
        """Fingerprint of the request, answer and second of what was stored under an idempotency key."""
        row = self._connection.execute(
            "SELECT fingerprint, status, body, at FROM answer WHERE key = ?", (key,)
        ).fetchone()
        return (row[0], Answer(row[1], json.loads(row[2])), row[3]) if row else None

    def keep_answer(self, key: str, fingerprint: str, answer: Answer, *, at: int) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO answer (key, fingerprint, status, body, at) VALUES (?, ?, ?, ?, ?)",
            (key, fingerprint, answer.status, json.dumps(answer.body), at),
        )

    def queue_faults(self, operation: str, faults: list[tuple[str, int]]) -> None:
        """Let these faults (kind, milliseconds), and no others, wait for the next calls of an operation."""
        self._connection.execute("DELETE FROM fault WHERE operation = ?", (operation,))
        self._connection.executemany(
            "INSERT INTO fault (operation, kind, milliseconds) VALUES (?, ?, ?)",
            [(operation, kind, milliseconds) for kind, milliseconds in faults],
        )

    def take_fault(self, operation: str) -> tuple[str, int]:
        """The oldest waiting fault of an operation, taken out of the queue; ("", 0) for none."""
        row = self._connection.execute(
            "DELETE FROM fault WHERE serial = (SELECT min(serial) FROM fault WHERE operation = ?)"
            " RETURNING kind, milliseconds",
            (operation,),
        ).fetchone()
        return (row[0], row[1]) if row else ("", 0)

    def queue_delivery(self, event_id: str, *, at: int) -> None:
        self._connection.execute(
            "INSERT INTO delivery (event_id, attempts, next_at, done) VALUES (?, 0, ?, 0)", (event_id, at)
        )

    def claim_delivery(self, *, now: int, lease: int, horizon: int) -> tuple[int, str, int] | None:
        """Take the first due delivery for `lease` milliseconds: its serial, event and number of this try.

        What lies further ahead than `horizon` was planned before a restart of the machine and is due too.
        """
        row = self._connection.execute(
            "UPDATE delivery SET attempts = attempts + 1, next_at = ? WHERE serial = ("
            " SELECT serial FROM delivery WHERE done = 0 AND (next_at <= ? OR next_at > ?)"
            " ORDER BY next_at, serial LIMIT 1) RETURNING serial, event_id, attempts",
            (now + lease, now, now + horizon),
        ).fetchone()
        return (row[0], row[1], row[2]) if row else None

    def settle_delivery(self, serial: int, *, done: bool, next_at: int) -> None:
        self._connection.execute(
            "UPDATE delivery SET done = ?, next_at = ? WHERE serial = ?", (int(done), next_at, serial)
        )

    def next_delivery_at(self) -> int | None:
        """When the next waiting delivery is due; None when nothing waits."""
        row = self._connection.execute("SELECT min(next_at) FROM delivery WHERE done = 0").fetchone()
        return int(row[0]) if row[0] is not None else None


def new_id(prefix: str) -> str:
    """An id as the providers make them: a prefix that tells the kind, and random letters."""
    return f"{prefix}_{secrets.token_hex(12)}"
