"""A run as one file that anybody verifies offline: what went in, what came out, and how to compute it.

Consultants are named by their code and sales by their public id; no name, address or mail is in it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import IO, Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.commissions.gathering import Gathered
from portal.commissions.kept import kept
from portal.engine import calculate, case, snapshot
from portal.models import Consultant, Cycle, Run, Sale

FORMAT: Final = "canopy run 1"
SEAL_LENGTH: Final = 64
MANIFEST, README, PLAN, CASE, EXPECTED, INPUTS = FILES = (
    "manifest.json",
    "README.md",
    "plan.json",
    "case.json",
    "expected.json",
    "inputs.bin",
)
_THE_SAME_DATE: Final = (1980, 1, 1, 0, 0, 0)
_PIECE: Final = 1 << 20
_HOW: Final = """# {cycle}, run {run}

This file holds everything that the pay of one cycle was computed from, and what came out. Nobody's name is
in it: consultants are called by their code, sales by their public id.

## Verify all of it

    flask --app wsgi comp verify {file}

needs no database and no settings. It computes the run from `inputs.bin` and compares the hashes, checks that
`case.json` and `expected.json` say the same, computes `case.json` by itself, and finds any byte that was
changed.

## Verify it by hand

    flask --app wsgi comp run case.json | cmp - expected.json

`case.json` is written as described in the documentation of the compensation engine. `at` stands for the order
in which sales were recorded, not for a time of day. `comp explain case.json CODE` says why somebody is paid
what they are paid.

## Compare with what was approved

The page of the run and the approvals of two people name these hashes:

    inputs  {input_hash}
    plan    {plan_hash}
    result  {output_hash}
    engine  {code_version}
"""


@dataclass(frozen=True)
class Manifest:
    """What the bundle says of itself: the run, its hashes, and the SHA-256 of every other file."""

    format: str
    run: int
    purpose: str
    cycle: str
    starts_at: str
    until: str
    frozen_at: str
    plan_hash: str
    input_hash: str
    output_hash: str
    code_version: str
    files: dict[str, str]


@dataclass(frozen=True)
class Bundle:
    """All that a bundle is written from; nothing more is asked of the database."""

    manifest: Manifest
    gathered: Gathered
    names: case.Names

    def pieces(self) -> Iterator[bytes]:
        """The file, piece by piece. Its last bytes are the SHA-256 of all before them."""
        outlet = _Outlet()
        with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:  # type: ignore[call-overload]
            for name, contents in self._contents():
                whole = hashlib.sha256()
                with archive.open(_entry(name), "w", force_zip64=True) as file:
                    for content in contents:
                        whole.update(content)
                        file.write(content)
                        yield outlet.taken()
                self.manifest.files[name] = whole.hexdigest()
            archive.writestr(_entry(MANIFEST), manifest_text(self.manifest))
            archive.comment = b"0" * SEAL_LENGTH
        yield outlet.sealed()

    def _contents(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        about, inputs = self.manifest, self.gathered.inputs
        file = file_name(about.run, about.cycle)
        yield README, [_HOW.format(file=file, **asdict(about)).encode()]
        yield PLAN, [plan_text(inputs.plan.document)]
        yield CASE, _encoded(case.case_text(inputs, self.names))
        yield EXPECTED, _encoded(expected_text(case.text(calculate(inputs), self.names)))
        yield INPUTS, [snapshot.freeze(inputs)]


class _Outlet:
    """A file that is only written to; what was written is taken away again and again."""

    def __init__(self) -> None:
        self._waiting, self._hash = bytearray(), hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        """What was written since the last time."""
        data = bytes(self._waiting)
        self._waiting.clear()
        self._hash.update(data)
        return data

    def sealed(self) -> bytes:
        """The rest, with the seal in its last bytes."""
        del self._waiting[-SEAL_LENGTH:]
        rest = self.taken()
        return rest + self._hash.hexdigest().encode()


def read_bundle(session: Session, run: Run) -> Bundle:
    """Read what the bundle of a run is written from.

    Raises `LookupError` for a run without inputs or without a result.
    """
    if run.output_hash is None:
        raise LookupError(f"Run {run.id} was never calculated.")
    gathered = kept(run)
    cycle = session.get_one(Cycle, run.cycle_id)
    manifest = _manifest(run, cycle, plan_hash=gathered.inputs.plan.version)
    return Bundle(manifest, gathered, names_of(session, gathered, cycle_id=cycle.id))


def file_name(run_id: int, cycle: str) -> str:
    """What the file of a run is called."""
    return f"canopy-{cycle}-run-{run_id}.zip"


def names_of(session: Session, gathered: Gathered, *, cycle_id: int) -> case.Names:
    """What consultants and sales of a run are called outside: codes, and public ids."""
    codes = dict(_pairs(session, select(Consultant.id, Consultant.code)))
    sales = dict(_pairs(session, select(Sale.id, Sale.public_id).where(Sale.cycle_id == cycle_id)))
    return case.Names(
        [codes[consultant] for consultant in gathered.consultants.tolist()],
        [sales[sale] for sale in gathered.sales.tolist()],
    )


def plan_text(document: dict[str, Any]) -> bytes:
    """The plan document as it stands in a bundle."""
    return json.dumps(document, indent=1).encode() + b"\n"


def manifest_text(manifest: Manifest) -> bytes:
    """The manifest as it stands in a bundle."""
    return json.dumps(asdict(manifest), indent=1).encode() + b"\n"


def expected_text(pieces: Iterable[str]) -> Iterator[str]:
    """The result as `comp run` prints it, with the line end after it."""
    yield from pieces
    yield "\n"


def seal_of(file: IO[bytes], length: int) -> bytes:
    """The SHA-256, in hex, of the first bytes of a file."""
    file.seek(0)
    whole = hashlib.sha256()
    while length > 0:
        piece = file.read(min(_PIECE, length))
        whole.update(piece)
        length -= len(piece) or length
    return whole.hexdigest().encode()


def _manifest(run: Run, cycle: Cycle, *, plan_hash: str) -> Manifest:
    return Manifest(
        format=FORMAT,
        run=run.id,
        purpose=run.purpose,
        cycle=cycle.name,
        starts_at=cycle.starts_at.isoformat(),
        until=cycle.until.isoformat(),
        frozen_at=run.frozen_at.isoformat(),
        plan_hash=plan_hash,
        input_hash=run.input_hash,
        output_hash=run.output_hash or "",
        code_version=run.code_version or "",
        files={},
    )


def _pairs(session: Session, statement: Any) -> Iterator[tuple[int, str]]:
    rows = session.execute(statement.execution_options(yield_per=10_000))
    return ((row[0], row[1]) for row in rows)


def _encoded(pieces: Iterable[str]) -> Iterator[bytes]:
    return (piece.encode() for piece in pieces)


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _THE_SAME_DATE)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return info
