"""Rows as other systems read them: public ids, amounts as text, moments in UTC."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from portal.models import Lead, Sale


def instant(moment: datetime | None) -> str | None:
    """A moment as ISO 8601 in UTC with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def decimal(hundredths: int) -> str:
    """Cents or hundredths of a point as text, `-12.05`."""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}.{rest:02d}"


def lead_document(lead: Lead, withheld: Collection[str]) -> dict[str, Any]:
    """A lead; a channel on which the person must not be contacted is empty."""
    person = lead.person
    return {
        "id": lead.public_id,
        "stage": lead.stage,
        "source": lead.source,
        "source_name": lead.source_name,
        "name": person.name,
        "email": None if "email" in withheld else person.email or None,
        "phone": None if "phone" in withheld else person.phone,
        "state": lead.region,
        "service": lead.service.code if lead.service else None,
        "do_not_contact_by": sorted(withheld),
        "archived": lead.archived_at is not None,
        "created_at": instant(lead.created_at),
        "changed_at": instant(lead.changed_at),
    }


def sale_document(sale: Sale, *, consultant: str, reverses: str | None) -> dict[str, Any]:
    """A sale, or what takes one back: volume in points and revenue in the currency of the plan."""
    return {
        "id": sale.public_id,
        "kind": "sale" if sale.reverses_id is None else "reversal",
        "reverses": reverses,
        "consultant": consultant,
        "customer": sale.contract.customer.public_id,
        "service": sale.contract.service.code,
        "milestone": sale.milestone,
        "volume": decimal(sale.volume),
        "revenue": decimal(sale.revenue_cents),
        "occurred_at": instant(sale.occurred_at),
        "recorded_at": instant(sale.recorded_at),
    }
