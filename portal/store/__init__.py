"""The store: the unit of work, the outbox it writes, the locks it takes."""

from portal.store.engine import engine_options
from portal.store.unit_of_work import UnitOfWork, is_busy, perform, unit_of_work

__all__ = ["UnitOfWork", "engine_options", "is_busy", "perform", "unit_of_work"]
