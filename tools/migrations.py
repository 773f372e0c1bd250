"""Read the migrations without importing them: a start must not wait for Alembic."""

from __future__ import annotations

import re
from pathlib import Path

from tools import ROOT

VERSIONS = ROOT / "portal" / "models" / "migrations" / "versions"
REVISION = re.compile(r"^(down_revision|revision)(?::[^=]*)? *= *(.+)$", re.MULTILINE)


def heads(versions: Path = VERSIONS) -> set[str]:
    """Revisions that no other revision follows."""
    made: set[str] = set()
    followed: set[str] = set()
    for file in versions.glob("*.py"):
        for name, value in REVISION.findall(file.read_text()):
            (made if name == "revision" else followed).update(re.findall(r"""["']([^"']+)["']""", value))
    return made - followed


def newest() -> str:
    """Name the one newest revision; raises `ValueError` when there is not exactly one."""
    (only,) = heads()
    return only
