"""Customs that a linter does not know: one clock, one commit, permissions that do not combine by sign."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house import sources
from tests.house.sources import Source

CLOCK = "portal/kernel/clock.py"
WALL_CLOCK = re.compile(r"\b(datetime|date)\.(now|utcnow|today)\b|\btime\.time\(")


def clock_calls(source: Source) -> list[str]:
    """Calls that ask the machine what time it is."""
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    return [source.at(node) for node in calls if WALL_CLOCK.match(ast.unparse(node))]


def commits(source: Source) -> list[str]:
    calls = [node.func for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    return [source.at(call) for call in calls if isinstance(call, ast.Attribute) and call.attr == "commit"]


def combined_permissions(source: Source) -> list[str]:
    """`Permission & Permission` is a union and `|` a difference: neither means what it says."""
    signs = [node for node in ast.walk(source.tree) if isinstance(node, ast.BinOp)]
    signs = [node for node in signs if isinstance(node.op, ast.BitAnd | ast.BitOr)]
    signs = [node for node in signs if "permission" in ast.unparse(node).lower()]
    return [source.at(node) for node in signs if not _is_type(node)]


def _is_type(node: ast.BinOp) -> bool:
    """`Permission | None` in an annotation names a type."""
    return isinstance(node.op, ast.BitOr) and ast.unparse(node).endswith("| None")


def silences(source: Source) -> list[str]:
    """Handlers that catch everything and say nothing."""
    handlers = [node for node in ast.walk(source.tree) if isinstance(node, ast.ExceptHandler)]
    wide = [node for node in handlers if node.type is None or ast.unparse(node.type) in WIDE]
    return [source.at(node) for node in wide if all(isinstance(step, ast.Pass) for step in node.body)]


WIDE = {"Exception", "BaseException"}


def test_only_the_kernel_asks_for_the_time():
    found = [source for source in sources.code() if source.name != CLOCK]

    assert [fault for source in found for fault in clock_calls(source)] == []


def test_only_the_store_commits():
    found = [source for source in sources.code() if not source.name.startswith("portal/store/")]
    found = [source for source in found if not source.name.startswith("portal/gateways/sandbox/")]

    assert [fault for source in found for fault in commits(source)] == []


def test_permissions_are_never_combined_by_sign():
    assert [fault for source in sources.code() for fault in combined_permissions(source)] == []


def test_no_error_is_swallowed():
    everything = sources.code() + sources.python("tools", "tests")

    assert [fault for source in everything for fault in silences(source)] == []


@pytest.mark.parametrize("sample", ["datetime.now(UTC)", "datetime.utcnow()", "date.today()", "time.time()"])
def test_the_check_sees_a_clock(sample):
    assert clock_calls(Source("sample.py", sample)) != []


def test_the_check_sees_commits_combinations_and_silence():
    assert commits(Source("sample.py", "session.commit()")) != []
    assert combined_permissions(Source("sample.py", "both = permission_a & permission_b")) != []
    assert combined_permissions(Source("sample.py", "def f(permission: Permission | None): ...")) == []
    assert silences(Source("sample.py", "try:\n    x()\nexcept Exception:\n    pass")) != []
