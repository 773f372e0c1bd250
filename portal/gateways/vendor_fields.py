"""What a vendor may tell us, as data: every field of an event, and which type needs or takes which.

The parser reads by it, and the description of the API for vendors is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TEXT: Final = "text"
INSTANT: Final = "instant"
DAY: Final = "day"
MONTH: Final = "month"
SIZE: Final = "size"
SHARE: Final = "share"
YEARS: Final = "years"
FLAG: Final = "flag"

OLDEST_BUYER: Final = 120
SENIOR: Final = 65
LONGEST_REASON: Final = 300

DAY_PATTERN: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
PATTERNS: Final[dict[str, str]] = {
    INSTANT: DAY_PATTERN + r"T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})",
    DAY: DAY_PATTERN,
    MONTH: "[0-9]{4}-(0[1-9]|1[0-2])",
    SIZE: r"[0-9]{1,9}(\.[0-9]{1,3})?",
    SHARE: r"(0\.[0-9]{1,4}|1(\.0{1,4})?)",
}


@dataclass(frozen=True)
class Field:
    """One field, by its dotted path.

    `kind` is text, instant (ISO 8601 with offset), day, month (YYYY-MM), size (a number above 0 in quotes),
    share (above 0 up to 1, in quotes), years (a whole number) or flag (true or false); all but the last two
    are JSON text. `longest` in characters and `pattern` (whole value, no anchors) are for text; `attribute`
    is where the parser puts it. A field that is null counts as not given.
    """

    path: str
    attribute: str
    words: str
    example: object
    kind: str = TEXT
    longest: int = 0
    pattern: str = ""


@dataclass(frozen=True)
class EventType:
    """A type of event: the paths it must have and those it may have besides; all others are refused.

    `milestone` and `states` are what the fields `milestone` and `contract.state` may repeat of the type.
    """

    name: str
    words: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    milestone: str = ""
    states: tuple[str, ...] = ()


_CODE = "[A-Za-z0-9_.-]+"
FIELDS: Final[tuple[Field, ...]] = (
    Field("occurred_at", "occurred_at", "When it happened.", "2026-11-21T14:03:00Z", INSTANT),
    Field("consultant_code", "consultant_code", "Who sold it.", "ABCD2345", TEXT, 16, _CODE),
    Field("customer.ref", "customer_ref", "Your name of the customer; stays the same.", "C-1", TEXT, 100),
    Field("customer.name", "customer_name", "Full name.", "Rosa Diaz", TEXT, 200),
    Field(
        "customer.email",
        "customer_email",
        "E-mail address.",
        "rosa@example.com",
        TEXT,
        254,
        r"[^@\s]+@[^@\s]+\.[^@\s.]+",
    ),
    Field(
        "customer.phone",
        "customer_phone",
        "Phone number.",
        "+1 801 555 0123",
        TEXT,
        32,
        r"\+?[0-9][0-9 ().-]{3,29}[0-9]",
    ),
    Field(
        "customer.address", "customer_address", "Postal address in one line.", "1 Elm St, Provo", TEXT, 300
    ),
    Field("contract.ref", "contract_ref", "Your name of the contract; stays the same.", "K-1", TEXT, 100),
    Field("contract.service", "service_code", "The code of the service.", "solar", TEXT, 64, _CODE),
    Field("contract.size", "size_thousandths", "Size in the unit of the service.", "8.40", SIZE),
    Field("contract.signed_on", "signed_on", "The day it was signed.", "2026-10-02", DAY),
    Field("contract.period", "period", "The month of a renewal.", "2026-11", MONTH),
    Field("refund.share", "refund_share", "The share of the price refunded so far, in all.", "0.25", SHARE),
    Field("reason", "reason", "Why, in your words.", "The roof was too small", TEXT, LONGEST_REASON),
    Field("customer.state", "customer_state", "The state it was sold in.", "CA", TEXT, 2, "[A-Z]{2}"),
    Field("customer.age", "customer_age", "The buyer's age.", 71, YEARS),
    Field("customer.age_65_or_over", "customer_age", "Whether the buyer is 65 or over.", True, FLAG),
)

_CUSTOMER = ("customer.name", "customer.email", "customer.phone", "customer.address")
_BUYER = ("customer.state", "customer.age", "customer.age_65_or_over")
_ALWAYS = ("occurred_at", "customer.ref")
_OPENS = (*_ALWAYS, "contract.ref", "contract.service")
_ABOUT = (*_ALWAYS, "contract.ref")
_MAY = ("consultant_code", *_CUSTOMER, "contract.size", "contract.signed_on", *_BUYER, "reason")

TYPES: Final[dict[str, EventType]] = {
    each.name: each
    for each in (
        EventType(
            "customer.registered",
            "A consultant brought a customer.",
            required=(*_ALWAYS, "consultant_code"),
            optional=(*_CUSTOMER, "contract.ref", "contract.service", "contract.size", "contract.signed_on"),
        ),
        EventType("service.signed", "A contract was signed.", _OPENS, _MAY, "signed", ("signed",)),
        EventType(
            "service.changed",
            "The size of a contract changed.",
            required=(*_ABOUT, "contract.size"),
            optional=("contract.service", *(path for path in _MAY if path != "contract.size")),
        ),
        EventType(
            "service.installed", "What was sold is installed.", _OPENS, _MAY, "installed", ("installed",)
        ),
        EventType(
            "service.activated",
            "The service runs.",
            _OPENS,
            _MAY,
            "activated",
            ("active", "activated"),
        ),
        EventType(
            "service.renewed",
            "A contract goes on for a month.",
            required=(*_ABOUT, "contract.period"),
            optional=("contract.service", *_MAY),
            milestone="renewed",
            states=("active",),
        ),
        EventType(
            "service.suspended",
            "The service rests, until it is activated or renewed again.",
            required=_ABOUT,
            optional=("contract.service", *_MAY),
            states=("suspended",),
        ),
        EventType(
            "service.cancelled",
            "A contract ended, and what was paid for it is taken back.",
            required=_ABOUT,
            optional=("contract.service", *_MAY),
            states=("cancelled",),
        ),
        EventType(
            "service.refunded",
            "A share of the price went back to the customer; with a month, of what that month cost.",
            required=(*_ABOUT, "refund.share"),
            optional=("contract.service", "contract.period", *_MAY),
        ),
    )
}
# What a vendor's terms may ask a contract to have before it is paid.
REQUIRABLE: Final = (*_CUSTOMER, "customer.state", "customer.age", "contract.size", "contract.signed_on")
