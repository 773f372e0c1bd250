"""How little and how much one withdrawal may be; in cents."""

from __future__ import annotations

from typing import Final

from portal.kernel.money import Cents

MINIMUM: Final = Cents(10_00)
MAXIMUM: Final = Cents(25_000_00)
