"""What a fresh company starts with: the three packs and the agreement, as data."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from portal.models import Agreement, Pack
from portal.store import UnitOfWork
from portal.store.insert import insert_missing

AGREEMENT_VERSION = "2026-11"

_AGREEMENTS = Path(__file__).parent / "agreements"

DEFAULT_PACKS: tuple[dict[str, Any], ...] = (
    {
        "code": "smart",
        "name": "Smart",
        "summary": "For your own customers.",
        "price_cents": 0,
        "monthly_cents": 0,
        "position": 1,
        "features": {
            "points": [
                "Paid for your own sales",
                "Share of what people you sponsor sell",
                "All vendors",
            ],
            "without": ["No pay from the tree"],
            "dashboard": "customers",
            "tree_pay": False,
            "matching_generations": 0,
            "tree_levels": 0,
            "vendors": "all",
            "lead_desk": False,
        },
    },
    {
        "code": "pack",
        "name": "Consultant Pack",
        "summary": "For building a team.",
        "price_cents": 49_00,
        "monthly_cents": 0,
        "position": 2,
        "features": {
            "points": [
                "Everything Smart is paid for",
                "Binary pay from your left and right leg",
                "Tree to 5 levels below you",
                "Solar vendors",
            ],
            "without": [],
            "dashboard": "legs",
            "tree_pay": True,
            "matching_generations": 1,
            "tree_levels": 5,
            "vendors": "core",
            "lead_desk": False,
        },
    },
    {
        "code": "plus",
        "name": "Consultant Plus+",
        "summary": "For leading a large team.",
        "price_cents": 149_00,
        "monthly_cents": 19_00,
        "position": 3,
        "features": {
            "points": [
                "Everything in Consultant Pack",
                "A higher cap",
                "Your whole downline",
                "The lead desk",
                "All vendors",
            ],
            "without": [],
            "dashboard": "earnings",
            "tree_pay": True,
            "matching_generations": 3,
            "tree_levels": None,
            "vendors": "all",
            "lead_desk": True,
        },
    },
)


def ensure_defaults(uow: UnitOfWork) -> None:
    """Insert the shipped packs and the agreement where they are missing; what is there stays as it is."""
    insert_missing(uow.session, Pack, DEFAULT_PACKS)
    body = (_AGREEMENTS / f"{AGREEMENT_VERSION}.txt").read_text(encoding="utf-8")
    agreement = {
        "version": AGREEMENT_VERSION,
        "body": body,
        "sha256": hashlib.sha256(body.encode()).hexdigest(),
        "published_at": uow.clock(),
    }
    insert_missing(uow.session, Agreement, [agreement])
