"""Reads for the doors."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.models import Vendor, VendorKey


def vendor_and_secrets(session: Session, public_id: str) -> tuple[int | None, list[str]]:
    """A vendor's id and the secrets of its live keys; None and none where unknown or disabled.

    `public_id` is the vendor's, or that of one of its live keys.
    """
    by_key = select(VendorKey.vendor_id).where(
        VendorKey.public_id == public_id, VendorKey.revoked_at.is_(None)
    )
    named = or_(Vendor.public_id == public_id, Vendor.id.in_(by_key))
    vendor_id = session.scalar(select(Vendor.id).where(named, Vendor.disabled_at.is_(None)))
    live = select(VendorKey.secret).where(VendorKey.vendor_id == vendor_id, VendorKey.revoked_at.is_(None))
    return vendor_id, list(session.scalars(live.order_by(VendorKey.id))) if vendor_id is not None else []
