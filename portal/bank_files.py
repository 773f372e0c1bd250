"""Where the use cases meet the banks' own file formats; neither knows the other."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from portal.gateways import nacha
from portal.kernel.business_days import is_business_day
from portal.kernel.errors import BadInput
from portal.kernel.money import Cents
from portal.ledger.accounts import CURRENCY
from portal.payouts import files, result_files
from portal.payouts.files import Contents
from portal.payouts.result_files import ResultRow

NACHA_BEGINS = b"101 "
SATURDAY = 5


def add_formats(zone: ZoneInfo) -> None:
    """Let batches be written as NACHA files and returns be read; `zone` is the one of the bank's clock."""

    def write(contents: Contents) -> bytes:
        return nacha_file(contents, zone=zone)

    files.WRITERS["nacha"] = write
    result_files.READERS[NACHA_BEGINS] = nacha_returns


def nacha_file(contents: Contents, *, zone: ZoneInfo) -> bytes:
    """A batch as a NACHA file that is to be paid on the next business day; raises `BadInput`."""
    made_at = contents.at.astimezone(zone)
    effective_on = _next_banking_day(made_at.date())
    credits = [
        nacha.Credit(
            reference=line.reference,
            name=line.holder or line.name,
            routing=line.routing,
            account=line.account,
            account_type=line.account_type,
            amount_cents=line.amount_cents,
        )
        for line in contents.lines
    ]
    try:
        originator = nacha.Originator(**contents.settings)
        return nacha.nacha_file(credits, originator=originator, made_at=made_at, effective_on=effective_on)
    except nacha.BadFile as refusal:
        raise BadInput(f"The bank file cannot be written: {refusal}") from refusal


def nacha_returns(content: bytes) -> list[ResultRow]:
    """What a bank's return file says: each of its payments came back; raises `BadInput`, field `file`."""
    try:
        returned = nacha.read_returns(content)
    except nacha.BadFile as refusal:
        raise BadInput(f"This return file cannot be read: {refusal}", field="file") from refusal
    if not returned:
        raise BadInput("This file holds no returned payment.", field="file")
    return [
        ResultRow(
            line=number,
            reference=one.reference,
            amount=files.written(one.amount_cents),
            cents=Cents(one.amount_cents),
            currency=CURRENCY,
            outcome="failed",
            reason=one.reason,
        )
        for number, one in enumerate(returned, start=1)
    ]


def _next_banking_day(day: date) -> date:
    """Banks rest on Saturdays too."""
    day += timedelta(days=1)
    while day.weekday() >= SATURDAY or not is_business_day(day):
        day += timedelta(days=1)
    return day
