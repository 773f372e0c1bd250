"""For how long a customer may call off a contract, by state, age and kind of service."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Base
from portal.models.types import Code, Id, Number, Text


class CoolingOffRule(Base):
    """Business days after the signature, from a day on.

    `state` is a postal code of the US, empty for everywhere; `service_unit` the unit of the services it is
    for (`kW` means solar), empty for all; `from_age` the buyer's least age, 0 for everybody. Of the rules
    that fit a contract the longest counts.
    """

    __tablename__ = "cooling_off_rule"
    __table_args__ = (
        UniqueConstraint("state", "service_unit", "from_age", "valid_from"),
        CheckConstraint("business_days >= 0 AND from_age >= 0", name="numbers"),
    )

    id: Mapped[Id]
    state: Mapped[str] = mapped_column(String(2))
    service_unit: Mapped[Code]
    from_age: Mapped[Number]
    business_days: Mapped[Number]
    valid_from: Mapped[date] = mapped_column(Date)
    source: Mapped[Text]
