"""What a fresh company starts with: ways to pay, and the tax years that are known. Data, edited by admins."""

from __future__ import annotations

from typing import Any

from portal.models import PayoutMethod, TaxYear
from portal.store.insert import insert_missing
from portal.store.unit_of_work import UnitOfWork

BANK_FILE = "bank"

SHIPPED_METHODS: tuple[dict[str, Any], ...] = (
    {
        "code": BANK_FILE,
        "name": "Bank transfer",
        "kind": "file",
        "enabled": True,
        "position": 1,
        "countries": ["US"],
        "minimum_cents": 10_00,
        "maximum_cents": 25_000_00,
        "daily_limit_cents": 25_000_00,
        "run_limit_cents": 5_000_000_00,
        "automatic_limit_cents": 0,
        "fee_cents": 0,
        "fee_rate": 0,
    },
    {
        "code": "ach",
        "name": "Direct deposit (ACH)",
        "kind": "nacha",
        "enabled": False,
        "position": 2,
        "countries": ["US"],
        "minimum_cents": 10_00,
        "maximum_cents": 25_000_00,
        "daily_limit_cents": 25_000_00,
        "run_limit_cents": 1_000_000_00,
        "automatic_limit_cents": 0,
        "fee_cents": 0,
        "fee_rate": 0,
    },
    {
        "code": "stripe",
        "name": "Stripe",
        "kind": "stripe",
        "enabled": True,
        "position": 3,
        "countries": ["US"],
        "minimum_cents": 10_00,
        "maximum_cents": 10_000_00,
        "daily_limit_cents": 10_000_00,
        "run_limit_cents": 250_000_00,
        "automatic_limit_cents": 2_500_00,
        "fee_cents": 25,
        "fee_rate": 25,
    },
)

TAX_YEARS: tuple[dict[str, Any], ...] = (
    {
        "year": 2025,
        "withholding_rate": 2_400,
        "reporting_from_cents": 600_00,
        "form_needed_from_cents": 0,
        "source": "26 USC 3406(a)(1) and 6041A: 24 % backup withholding, reports from $600.00",
    },
    {
        "year": 2026,
        "withholding_rate": 2_400,
        "reporting_from_cents": 2_000_00,
        "form_needed_from_cents": 0,
        "source": "Public Law 119-21, section 70433: reports from $2,000.00 on payments after 2025",
    },
)


def ensure_methods(uow: UnitOfWork) -> None:
    """Insert the shipped methods and tax years where they are missing; what is there stays as it is."""
    now = uow.clock()
    insert_missing(uow.session, PayoutMethod, [row | {"created_at": now} for row in SHIPPED_METHODS])
    insert_missing(uow.session, TaxYear, list(TAX_YEARS))
