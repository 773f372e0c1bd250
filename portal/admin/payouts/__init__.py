"""The company's pages about payouts."""

from portal.admin.payouts import (
    batches,
    methods,
    queue,
    selections,
    tax_forms,
    tax_years,
)

__all__ = [
    "batches",
    "methods",
    "queue",
    "selections",
    "tax_forms",
    "tax_years",
]
