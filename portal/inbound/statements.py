"""The vendors' door for the statement of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

from flask import Response, current_app, make_response

from portal.access.guard import public
from portal.gateways.vendor_events import BadEvent
from portal.gateways.vendor_statements import MOST_STATEMENT_BYTES, read_statement
from portal.inbound.events import VENDOR
from portal.inbound.operations import SEND_STATEMENT
from portal.inbound.room import EVENTS, answers_plainly, inbound
from portal.inbound.signed import Message, signed
from portal.kernel.errors import BadInput
from portal.statements.lines import Line
from portal.statements.service import check_day, receive_statement
from portal.store import UnitOfWork, perform
from portal.ui import rates
from portal.ui.operations import documented
from portal.ui.problems import by_field, problem


@inbound.post(f"{VENDOR}/statements")
@documented(SEND_STATEMENT)
@public
@answers_plainly
@signed(most_bytes=MOST_STATEMENT_BYTES)
def take_statement(message: Message) -> Response:
    """A vendor's statement of one day: 202, and a job compares it with the events."""
    try:
        day, read = read_statement(message.body)
    except BadEvent as bad:
        return problem(422, "The statement is not well formed.", errors=by_field(bad.faults))
    rates.spend(EVENTS, message.source, cost=len(read))
    lines = [Line(line=number, **values) for number, values in enumerate(read, start=1)]
    try:
        statement = perform(partial(_keep, message=message, day=day, lines=lines))
    except BadInput as refusal:
        wrong = [{"field": refusal.field, "message": refusal.message}]
        return problem(422, "The statement is not one we take.", errors=wrong)
    return make_response({"id": statement, "day": day.isoformat(), "lines": len(lines)}, 202)


def _keep(uow: UnitOfWork, *, message: Message, day: date, lines: Sequence[Line]) -> str:
    """Keep the statement; its public id."""
    zone = ZoneInfo(current_app.config["SETTINGS"].time_zone)
    check_day(day, today=uow.clock().astimezone(zone).date())
    kept = receive_statement(
        uow, vendor_id=message.vendor_id, day=day, lines=lines, source="api", content=message.body
    )
    return kept.public_id
