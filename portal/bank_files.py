"""Where the use cases meet the banks' own file formats; neither knows the other."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from portal.gateways import nacha
from portal.gateways.nacha_payouts import NachaPayouts
from portal.gateways.payout_adapter import Accepted, Payout
from portal.kernel.errors import BadInput
from portal.kernel.money import Cents
from portal.ledger.accounts import CURRENCY
from portal.payouts import files, result_files
from portal.payouts.files import Arrival, Contents, Line
from portal.payouts.result_files import ResultRow

NACHA_BEGINS = b"101 "
NOBODY = nacha.Originator("0" * 9, "", "", "")


def add_formats(zone: ZoneInfo) -> None:
    """Let batches be written as NACHA files and returns be read; `zone` is the one of the bank's clock."""

    def write(contents: Contents) -> bytes:
        return nacha_file(contents, zone=zone)

    files.WRITERS["nacha"] = write
    files.ARRIVALS["nacha"] = partial(arrival_of, zone=zone)
    result_files.READERS[NACHA_BEGINS] = nacha_returns


def nacha_file(contents: Contents, *, zone: ZoneInfo) -> bytes:
    """A batch as a NACHA file that is to be paid on the next banking day; raises `BadInput`."""
    try:
        adapter = _adapter(contents, zone)
        return adapter.content()
    except nacha.BadFile as refusal:
        raise BadInput(f"The bank file cannot be written: {refusal}") from refusal


def arrival_of(made_at: datetime, *, zone: ZoneInfo) -> Arrival:
    """When a file that was made at an instant is paid, and from when on it counts as arrived."""
    adapter = NachaPayouts(NOBODY, made_at=made_at.astimezone(zone))
    return Arrival(adapter.settles_on, adapter.arrives_by)


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


def _adapter(contents: Contents, zone: ZoneInfo) -> NachaPayouts:
    """The adapter with every line of a batch. Raises `nacha.BadFile` for a line that no bank would take."""
    adapter = NachaPayouts(nacha.Originator(**contents.settings), made_at=contents.at.astimezone(zone))
    for line in contents.lines:
        answer = adapter.send(_payout(line), line.reference)
        if not isinstance(answer, Accepted):
            raise nacha.BadFile(getattr(answer, "code", "") or getattr(answer, "reason", ""))
    return adapter


def _payout(line: Line) -> Payout:
    return Payout(
        group=line.reference,
        generation=1,
        amount_cents=line.amount_cents,
        currency=line.currency,
        destination=line.account,
        payee=line.holder or line.name,
        reference=line.reference,
        details={"routing": line.routing, "type": line.account_type},
    )
