"""The house stays small: a file or function over its budget is split by topic."""

from __future__ import annotations

import ast
import statistics

from tests.house import sources
from tests.house.sources import Source

FUNCTION = 60
MEDIAN_FUNCTION = 10
FILE = 350
ROUTES = 200
MODELS = 200
JOB = 20
PAGE = 120
PARTIAL = 40
MACROS = 200
UNHELPFUL = {"utils", "util", "helpers", "helper", "common", "misc"}


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end; decorators and the docstring are not counted."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def long_functions(source: Source) -> list[str]:
    budget = JOB if _is_job(source) else FUNCTION
    return [
        f"{source.at(node)} {node.name}: {length(node)} lines, budget {budget}"
        for node in source.functions()
        if length(node) > budget
    ]


def long_file(source: Source) -> list[str]:
    budget = FILE
    if source.name.startswith("portal/") and source.name.endswith(("routes.py", "webhooks.py")):
        budget = ROUTES
    elif source.name.startswith("portal/models/"):
        budget = MODELS
    lines = source.text.count("\n")
    return [f"{source.name}: {lines} lines, budget {budget}"] if lines > budget else []


def long_template(name: str, text: str) -> list[str]:
    partial = name.rsplit("/", 1)[-1].startswith("_") or "/panels/" in name
    budget = PARTIAL if partial else PAGE
    if name.startswith("macros/"):
        budget = MACROS
    lines = text.count("\n")
    return [f"templates/{name}: {lines} lines, budget {budget}"] if lines > budget else []


def _is_job(source: Source) -> bool:
    """The map of reactions names the files of jobs; the machinery of the queue is code like any other."""
    module = source.name.removesuffix(".py").replace("/", ".")
    handlers = sources.ROOT / "jobs" / "handlers.py"
    return module.startswith("jobs.") and handlers.exists() and f'"{module}.' in handlers.read_text()


def test_no_function_is_longer_than_its_budget():
    everything = sources.code() + sources.python("tools", "tests")

    assert [fault for source in everything for fault in long_functions(source)] == []


def test_no_python_file_is_longer_than_its_budget():
    everything = sources.code() + sources.python("tools", "tests")

    assert [fault for source in everything for fault in long_file(source)] == []


def test_no_template_is_longer_than_its_budget():
    faults = [fault for name, text in sources.templates().items() for fault in long_template(name, text)]

    assert faults == []


def test_the_usual_function_is_short():
    lengths = [length(node) for source in sources.code() for node in source.functions()]

    assert statistics.median(lengths) <= MEDIAN_FUNCTION


def test_no_file_is_named_for_nothing():
    names = [sources.relative(file) for file in sources.tracked()]

    assert [name for name in names if UNHELPFUL & set(name.lower().replace(".", "/").split("/"))] == []


def test_the_check_sees_what_is_too_long():
    body = "\n".join("    pass" for _ in range(30))
    function = f"def far_too_long():\n{body}\n"

    assert long_functions(Source("jobs/mail.py", function)) != []
    assert long_functions(Source("portal/sales/service.py", function)) == []
    assert long_functions(Source("portal/sales/service.py", function + body + "\n" + body)) != []
    assert long_file(Source("portal/wallets/routes.py", "\n" * 201)) != []
    assert long_file(Source("portal/models/sale.py", "\n" * 201)) != []
    assert long_file(Source("portal/sales/service.py", "\n" * 351)) != []
    assert long_template("wallets/_row.html", "\n" * 41) != []
    assert long_template("wallets/index.html", "\n" * 121) != []
