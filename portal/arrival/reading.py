"""The files of an import, read and checked as a whole before anything is written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portal.arrival.faults import Faults
from portal.arrival.files import PLAN, FileKind, file_kinds
from portal.arrival.known import Known
from portal.arrival.money import check_balances
from portal.arrival.past import check_past
from portal.arrival.people import check_people
from portal.arrival.tables import Table, read_table
from portal.commissions.plans.versions import SHIPPED
from portal.engine import Plan, Refused

MISSING = "this file is needed and is not there"
UNKNOWN = "no import knows a file of this name"


@dataclass(frozen=True)
class Files:
    """The files of an import by name."""

    contents: dict[str, bytes]

    @classmethod
    def in_folder(cls, folder: Path) -> Files:
        """All CSV files of a folder, and its plan; raises `OSError` where they cannot be read."""
        names = sorted(path.name for path in folder.iterdir() if path.suffix == ".csv" or path.name == PLAN)
        return cls({name: (folder / name).read_bytes() for name in names})

    @property
    def sha256(self) -> str:
        """What tells this import from every other one: a hash over all names and contents."""
        whole = hashlib.sha256()
        for name in sorted(self.contents):
            whole.update(f"{name} {hashlib.sha256(self.contents[name]).hexdigest()}\n".encode())
        return whole.hexdigest()


@dataclass
class Arrival:
    """Everything that was read. `places` says where in `people` a code stands."""

    files: Files
    plan: dict[str, Any] = field(default_factory=lambda: SHIPPED)
    tables: dict[str, Table] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Table:
        return self.tables[f"{name}.csv"]

    @property
    def brings_plan(self) -> bool:
        """Whether there is a pay plan among the files."""
        return PLAN in self.files.contents

    def rows(self) -> dict[str, int]:
        """How many lines each file brings; those that were left out bring none."""
        return {name.removesuffix(".csv"): len(table) for name, table in self.tables.items()}


def read_files(files: Files, known: Known, faults: Faults) -> Arrival:
    """Read and check everything; whoever goes on has to look at `faults` first."""
    arrival = Arrival(files)
    kinds = file_kinds(known.zone)
    for name in files.contents.keys() - {kind.name for kind in kinds} - {PLAN}:
        faults.add(name, 1, "", UNKNOWN)
    for kind in kinds:
        arrival.tables[kind.name] = _table(kind, files, faults)
    ranks: tuple[str, ...] = ()
    if PLAN in files.contents:
        arrival.plan, ranks = _plan(files.contents[PLAN], faults)
    arrival.places = check_people(
        arrival["packs"], arrival["consultants"], arrival["placements"], known=known, faults=faults
    )
    past = {name: arrival[name] for name in ("cycles", "lines", "volumes", "carry")}
    check_past(past, arrival.places, ranks=ranks, known=known, faults=faults)
    check_balances(arrival["balances"], arrival.places, has_past=len(arrival["cycles"]) > 0, faults=faults)
    return arrival


def _table(kind: FileKind, files: Files, faults: Faults) -> Table:
    if kind.name in files.contents:
        return read_table(kind, files.contents[kind.name], faults)
    if kind.needed:
        faults.add(kind.name, 1, "", MISSING)
    return Table(kind.name, columns={column.name: [] for column in kind.columns})


def _plan(content: bytes, faults: Faults) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The pay plan, and the names of its ranks from low to high."""
    try:
        document = json.loads(content.decode("utf-8-sig"))
        plan = Plan.parse(document)
    except UnicodeDecodeError:
        faults.add(PLAN, 1, "", "this is not UTF-8 text")
    except json.JSONDecodeError as error:
        faults.add(PLAN, error.lineno, "", f"this is not JSON: {error.msg}")
    except Refused as refused:
        for text in refused.faults:
            faults.add(PLAN, 1, "", text)
    else:
        return document, tuple(rank.name for rank in plan.ranks)
    return SHIPPED, ()
