"""Between a sale and a cent there is no float: whole numbers only, rounded in one place."""

from __future__ import annotations

import ast

import pytest

from tests.house import sources
from tests.house.sources import USE_CASES, Source

WHOLE = ("kernel", "engine", "ledger", "models", *USE_CASES)
EDGE = {"portal/kernel/money.py"}
"""Where an amount is read or written as text, `Decimal` may help."""

FLOATING = {"float", "float16", "float32", "float64", "double", "Float", "Numeric", "REAL"}


def floats(source: Source) -> list[str]:
    """Everything that could bring a fraction: literals, float(), true division, floating column types."""
    found = [node for node in ast.walk(source.tree) if _is_floating(node)]
    return [f"{source.at(node)} {ast.unparse(node)[:60]}" for node in found]


def _is_floating(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float)
    if isinstance(node, ast.BinOp | ast.AugAssign):
        return isinstance(node.op, ast.Div) and not _joins_paths(node)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in FLOATING
    return isinstance(node, ast.Attribute) and node.attr in FLOATING


def _joins_paths(node: ast.BinOp | ast.AugAssign) -> bool:
    """`folder / "file.txt"` divides nothing."""
    part = node.right if isinstance(node, ast.BinOp) else node.value
    return isinstance(part, ast.JoinedStr) or (isinstance(part, ast.Constant) and isinstance(part.value, str))


def decimals(source: Source) -> list[str]:
    imported = [node for node in ast.walk(source.tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return [source.at(node) for node in imported if "decimal" in ast.unparse(node)]


def roundings(source: Source) -> list[str]:
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    return [source.at(node) for node in calls if isinstance(node.func, ast.Name) and node.func.id == "round"]


def rooms_of_money() -> list[Source]:
    found = sources.python(*(f"portal/{room}" for room in WHOLE))
    return [source for source in found if "/migrations/" not in source.name]


def test_no_float_comes_near_money():
    assert [fault for source in rooms_of_money() for fault in floats(source)] == []


def test_decimal_lives_only_where_text_is_read():
    found = [source for source in rooms_of_money() if source.name not in EDGE]

    assert [fault for source in found for fault in decimals(source)] == []


def test_nothing_rounds_but_the_kernel():
    assert [fault for source in rooms_of_money() for fault in roundings(source)] == []


@pytest.mark.parametrize(
    "sample", ["share = 0.5", "a = b / 2", "a /= 2", "float(x)", "np.float64", "sa.Float()"]
)
def test_the_check_sees_a_float(sample):
    assert floats(Source("sample.py", sample)) != []


@pytest.mark.parametrize("sample", ["a = b // 2", "a = 5", "a = b * 2", "text = '0.5'", "FOLDER / 'a.txt'"])
def test_the_check_lets_whole_numbers_pass(sample):
    assert floats(Source("sample.py", sample)) == []


def test_the_check_sees_decimals_and_roundings():
    assert decimals(Source("sample.py", "from decimal import Decimal")) != []
    assert roundings(Source("sample.py", "a = round(b)")) != []
