"""The house's own files, as the house tests read them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = ROOT / "templates"
MIGRATIONS = ROOT / "portal" / "models" / "migrations"
USE_CASES = ("members", "sales", "commissions", "payouts", "messages")


@dataclass(frozen=True)
class Source:
    """One Python file, or a sample that a test makes up."""

    name: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.text)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def at(self, node: ast.AST) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}"


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def tracked() -> tuple[Path, ...]:
    """Files of the repository, without what is ignored; new ones count before they are added."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    files = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(file for file in files if file.is_file())


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def python(*places: str) -> list[Source]:
    """Python files under these folders of the repository; a place that is not there yet has none."""
    prefixes = tuple(place if place.endswith(".py") else f"{place}/" for place in places)
    found = [file for file in tracked() if file.suffix == ".py" and relative(file).startswith(prefixes)]
    return [Source(relative(file), file.read_text()) for file in sorted(found)]


def code() -> list[Source]:
    """The code that runs in production: no tests, no tools, no migrations."""
    return [source for source in python("portal", "jobs", "wsgi.py") if "/migrations/" not in source.name]


def templates() -> dict[str, str]:
    """Name and text of each template, as the application names them."""
    kinds = (".html", ".txt", ".xml")
    files = [file for file in tracked() if TEMPLATES in file.parents and file.suffix in kinds]
    return {file.relative_to(TEMPLATES).as_posix(): file.read_text() for file in files}
