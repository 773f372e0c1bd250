"""Which facts of contracts stand, as a condition for queries."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, literal
from sqlalchemy.orm import aliased

from portal.kernel.vendor_events import withdrawal_key
from portal.models import ContractFact


def is_withdrawn() -> ColumnElement[bool]:
    """Whether a fact of the query was taken back."""
    withdrawal = aliased(ContractFact)
    key = literal(withdrawal_key("")).concat(ContractFact.key)
    return exists().where(withdrawal.key == key).correlate(ContractFact)
