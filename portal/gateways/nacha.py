"""A NACHA file of credits (PPD or CCD) for a bank, and the bank's return file read back. Pure functions.

Every line has 94 characters, ten lines make a block. A file can be sent and forgotten, not asked about:
what is paid by it is never tried again without a person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

LINE = 94
BLOCK = 10
MOST_CENTS = 99_999_999_99
CREDIT_CODES = {"checking": "22", "savings": "32"}
CREDITS_ONLY = "220"
# What the bank writes in a return, and what people read (Nacha Operating Rules, Appendix Four).
RETURN_REASONS = {
    "R01": "not enough money in the account",
    "R02": "the account is closed",
    "R03": "no such account, or the name does not fit",
    "R04": "the account number is not valid",
    "R08": "payment stopped",
    "R10": "the account's owner says it is not theirs",
    "R12": "the branch was sold to another bank",
    "R13": "the routing number is not valid",
    "R14": "the account's owner or their representative has died",
    "R15": "the account's owner has died",
    "R16": "the account is frozen",
    "R17": "the bank could not process the entry",
    "R20": "this account takes no such payments",
    "R23": "the receiver refused the payment",
    "R29": "the company's account does not take this",
}
_PLAIN = re.compile(r"[^A-Z0-9 .,&/'-]")


class BadFile(ValueError):
    """A file or a part of one that is not as the format asks; the message says what."""


@dataclass(frozen=True)
class Originator:
    """Who pays. `company_id` is ten characters (1 and the EIN), the routing numbers nine digits."""

    bank_routing: str
    bank_name: str
    company_name: str
    company_id: str
    description: str = "PAYOUT"
    entry_class: str = "PPD"


@dataclass(frozen=True)
class Credit:
    """One payment: `reference` comes back in a return; `account_type` is checking or savings."""

    reference: str
    name: str
    routing: str
    account: str
    account_type: str
    amount_cents: int


@dataclass(frozen=True)
class Returned:
    """A line of a return file: which payment came back, with the bank's code and its meaning.

    `trace` is the number of the line by which it was sent.
    """

    reference: str
    amount_cents: int
    code: str
    reason: str
    trace: str = ""


def nacha_file(
    credits: Sequence[Credit], *, originator: Originator, made_at: datetime, effective_on: date
) -> bytes:
    """The file for these payments; `made_at` as the bank's clock shows it. Raises `BadFile`."""
    if not credits:
        raise BadFile("A file needs at least one payment.")
    origin = _routing(originator.bank_routing)
    entries = [_entry(credit, origin, number) for number, credit in enumerate(credits, start=1)]
    entry_hash = sum(int(credit.routing[:8]) for credit in credits) % 10**10
    total = sum(credit.amount_cents for credit in credits)
    if total > MOST_CENTS:
        raise BadFile("The sum is too large for one file.")
    lines = [
        _file_header(originator, made_at),
        _batch_header(originator, effective_on),
        *entries,
        _batch_control(originator, len(entries), entry_hash, total),
    ]
    blocks = -(-(len(lines) + 1) // BLOCK)
    lines.append(_file_control(len(entries), blocks, entry_hash, total))
    lines += ["9" * LINE] * (blocks * BLOCK - len(lines))
    assert all(len(line) == LINE for line in lines), "every line is as long as the format says"
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def check(credit: Credit, *, beside_cents: int = 0) -> None:
    """Raise `BadFile` for a payment that no bank would take, or too large beside what is in the file."""
    _entry(credit, "0" * 9, 1)
    if credit.amount_cents + beside_cents > MOST_CENTS:
        raise BadFile("The sum is too large for one file.")


def trace_number(bank_routing: str, number: int) -> str:
    """The fifteen digits that name an entry: eight of the bank that sends, seven of the entry."""
    return f"{bank_routing[:8]}{number:07d}"


def read_returns(content: bytes) -> list[Returned]:
    """What came back, from a bank's return file: each entry with the addenda that says why.

    Raises `BadFile` with the number of the line that cannot be read.
    """
    returned: list[Returned] = []
    entry = ""
    for number, line in enumerate(_lines(content), start=1):
        if line.startswith("6"):
            entry = line
        elif line.startswith("799"):
            if not entry:
                raise BadFile(f"Line {number} is a reason without a payment.")
            returned.append(_returned(entry, line, number))
            entry = ""
    return returned


def _file_header(originator: Originator, made_at: datetime) -> str:
    return (
        "101"
        f" {_routing(originator.bank_routing)}"
        + _left(originator.company_id, 10)
        + f"{made_at:%y%m%d%H%M}"
        + "A094101"
        + _left(originator.bank_name, 23)
        + _left(originator.company_name, 23)
        + " " * 8
    )


def _batch_header(originator: Originator, effective_on: date) -> str:
    if originator.entry_class not in ("PPD", "CCD"):
        raise BadFile("Credits to people are PPD, to companies CCD.")
    return (
        f"5{CREDITS_ONLY}"
        + _left(originator.company_name, 16)
        + " " * 20
        + _left(originator.company_id, 10)
        + originator.entry_class
        + _left(originator.description, 10)
        + " " * 6
        + f"{effective_on:%y%m%d}"
        + "   1"
        + originator.bank_routing[:8]
        + f"{1:07d}"
    )


def _entry(credit: Credit, origin: str, number: int) -> str:
    if not 0 < credit.amount_cents <= MOST_CENTS:
        raise BadFile(f"{credit.reference}: the amount does not fit.")
    if credit.account_type not in CREDIT_CODES:
        raise BadFile(f"{credit.reference}: an account is checking or savings.")
    if not 0 < len(credit.account) <= 17 or len(credit.reference) > 15:
        raise BadFile(f"{credit.reference}: account or reference is too long.")
    return (
        f"6{CREDIT_CODES[credit.account_type]}"
        + _routing(credit.routing)
        + credit.account.ljust(17)
        + f"{credit.amount_cents:010d}"
        + credit.reference.ljust(15)
        + _left(credit.name, 22)
        + "  0"
        + trace_number(origin, number)
    )


def _batch_control(originator: Originator, count: int, entry_hash: int, total: int) -> str:
    return (
        f"8{CREDITS_ONLY}{count:06d}{entry_hash:010d}{0:012d}{total:012d}"
        + _left(originator.company_id, 10)
        + " " * 25
        + originator.bank_routing[:8]
        + f"{1:07d}"
    )


def _file_control(count: int, blocks: int, entry_hash: int, total: int) -> str:
    return f"9{1:06d}{blocks:06d}{count:08d}{entry_hash:010d}{0:012d}{total:012d}" + " " * 39


def _routing(number: str) -> str:
    """Nine digits whose weighted sum is a multiple of ten. Raises `BadFile`."""
    if not re.fullmatch("[0-9]{9}", number):
        raise BadFile("A routing number has nine digits.")
    if sum(int(digit) * weight for digit, weight in zip(number, (3, 7, 1) * 3, strict=True)) % 10:
        raise BadFile("A routing number is not right: its check digit does not fit.")
    return number


def _left(text: str, width: int) -> str:
    """Capital letters the format knows, cut and filled to a width."""
    return _PLAIN.sub(" ", text.upper())[:width].ljust(width)


def _lines(content: bytes) -> list[str]:
    try:
        lines = content.decode("ascii").splitlines()
    except UnicodeDecodeError as error:
        raise BadFile("A NACHA file holds plain ASCII only.") from error
    for number, line in enumerate(lines, start=1):
        if line and len(line) != LINE:
            raise BadFile(f"Line {number} has {len(line)} characters and not {LINE}.")
    return lines


def _returned(entry: str, addenda: str, number: int) -> Returned:
    code, amount = addenda[3:6], entry[29:39]
    if not re.fullmatch("R[0-9]{2}", code) or not amount.isdigit():
        raise BadFile(f"Line {number} cannot be read.")
    return Returned(
        reference=entry[39:54].strip(),
        trace=addenda[6:21],
        amount_cents=int(amount),
        code=code,
        reason=f"{code}: {RETURN_REASONS.get(code, 'returned by the bank')}",
    )
