"""The company's pages about payouts."""

from portal.admin.payouts import (
    batches,
    methods,
    pages,
    selections,
    tax_forms,
    tax_years,
)

__all__ = [
    "batches",
    "methods",
    "pages",
    "selections",
    "tax_forms",
    "tax_years",
]
