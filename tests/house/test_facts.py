"""The map of reactions is whole: every fact has its entry, every handler exists, every queue has a worker."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tests.house import sources

HANDLERS = sources.ROOT / "jobs" / "handlers.py"
WORKER = sources.ROOT / "jobs" / "worker.py"


def needs(*files: Path) -> None:
    for file in files:
        if not file.exists():
            pytest.skip(f"{sources.relative(file)} does not exist yet")


def unknown(handlers: Mapping[str, Iterable[str]]) -> list[str]:
    """Handlers whose dotted name leads to nothing that can be called."""
    return [path for paths in handlers.values() for path in paths if not callable(_found(path))]


def strays(named: Iterable[str], known: Iterable[str]) -> list[str]:
    return sorted(set(named) - set(known))


def _found(path: str) -> object:
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError:
        return None


def test_every_fact_has_an_entry_and_every_entry_a_fact():
    needs(HANDLERS)
    from jobs import handlers
    from portal.kernel.facts import FACTS

    assert set(handlers.HANDLERS) == set(FACTS)


def test_every_handler_can_be_called():
    needs(HANDLERS)
    from jobs import handlers

    assert unknown(handlers.HANDLERS) == []


def test_every_queue_that_is_named_exists():
    needs(HANDLERS)
    from jobs import handlers, work

    named = {handlers.queue_of(path) for paths in handlers.HANDLERS.values() for path in paths}

    assert strays(named, work.QUEUES) == []


def test_every_queue_has_a_worker():
    needs(WORKER)
    from jobs import work, worker

    assert sorted(worker.FORKING + worker.CALLING + worker.WARM + worker.TRYING + worker.TELLING) == sorted(
        work.QUEUES
    )


def test_what_leads_to_a_recalculation_is_a_fact():
    needs(HANDLERS)
    from jobs import handlers
    from portal.kernel.facts import FACTS

    assert strays(handlers.RECALCULATED_AFTER, FACTS) == []


def test_every_published_fact_is_known():
    from portal.kernel.facts import FACTS, Fact

    assert set(FACTS.values()) == set(Fact.__subclasses__())


def test_every_fact_is_published_somewhere():
    from portal.kernel.facts import FACTS

    text = "\n".join(source.text for source in sources.code() if source.name != "portal/kernel/facts.py")

    assert [fact.__name__ for fact in FACTS.values() if f"{fact.__name__}(" not in text] == []


def test_the_check_sees_a_handler_that_leads_nowhere():
    nowhere = {"sale.recorded": ["tests.house.sources.no_such_thing", "no_such_module.job"]}

    assert unknown(nowhere) == ["tests.house.sources.no_such_thing", "no_such_module.job"]
    assert unknown({"sale.recorded": ["tests.house.sources.relative"]}) == []


def test_the_check_sees_a_queue_that_nobody_works_on():
    assert strays({"money", "letters"}, ("money", "mail")) == ["letters"]
