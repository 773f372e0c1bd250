"""Reads for the doors."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models import Vendor, VendorKey


def vendor_and_secrets(session: Session, public_id: str) -> tuple[int | None, list[str]]:
    """A vendor's id and the secrets of its live keys; None and none where unknown or disabled."""
    vendor_id = session.scalar(
        select(Vendor.id).where(Vendor.public_id == public_id, Vendor.disabled_at.is_(None))
    )
    live = select(VendorKey.secret).where(VendorKey.vendor_id == vendor_id, VendorKey.revoked_at.is_(None))
    return vendor_id, list(session.scalars(live.order_by(VendorKey.id))) if vendor_id is not None else []
