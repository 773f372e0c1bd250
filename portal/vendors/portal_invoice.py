"""Invoice: a month of a vendor's sales, what is owed for them, and the same as CSV."""

from __future__ import annotations

import csv
import io
from datetime import date

from flask import Response, make_response

from portal.access import permissions
from portal.extensions import db
from portal.kernel.money import format_money
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.htmx import request
from portal.vendors import portal_invoices as invoices
from portal.vendors.portal_room import Place, company_zone, on_both
from portal.vendors.room import today

OLDEST_YEAR = 2000
ROWS_A_PAGE = 25
_COLUMNS = ("sale", "service", "contract", "milestone", "happened", "booked", "kind", "paid_to")


@on_both("/invoice", company=permissions.settle_statements)
def invoice(place: Place) -> Response:
    """A month by service and by sale, the newest first, reversals shown."""
    month = _month()
    found = invoices.invoice_of(db.session(), place.vendor.id, month=month, zone=company_zone())
    after = invoices.next_month(month)
    skip = min(number(request.args, "skip") or 0, len(found.lines))
    return show(
        "vendors/portal/invoice.html",
        "main",
        place=place,
        vendor=place.vendor,
        invoice=found,
        lines=found.lines[::-1][skip : skip + ROWS_A_PAGE],
        skip=skip,
        page=ROWS_A_PAGE,
        name=f"{month:%Y-%m}",
        before=f"{invoices.month_before(month):%Y-%m}" if month.year > OLDEST_YEAR else "",
        after=f"{after:%Y-%m}" if after <= today() else "",
        running=after > today(),
    )


@on_both("/invoice.csv", company=permissions.settle_statements)
def invoice_csv(place: Place) -> Response:
    """Every line of a month, services by their codes; amounts in dollars without a sign."""
    month = _month()
    found = invoices.invoice_of(db.session(), place.vendor.id, month=month, zone=company_zone())
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow((*_COLUMNS, "revenue", "vendor_share", "owed_to_company"))
    for line in found.lines:
        writer.writerow(
            (
                line.sale_id,
                _safe(line.service_code),
                _safe(line.contract_ref),
                line.milestone,
                line.occurred_at.isoformat(timespec="seconds"),
                line.recorded_at.isoformat(timespec="seconds"),
                "reversal" if line.reversal else "sale",
                "company" if line.paid_here else "vendor",
                _plain(line.revenue_cents),
                _plain(line.vendor_cents),
                _plain(line.owed_cents),
            )
        )
    response = make_response(written.getvalue())
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="invoice-{month:%Y-%m}.csv"'
    return response


def _month() -> date:
    """The month of the address; the present one for anything else."""
    try:
        year, _dash, month = request.args.get("month", "").partition("-")
        found = date(int(year), int(month), 1)
    except (ValueError, OverflowError):
        found = today().replace(day=1)
    return found if OLDEST_YEAR <= found.year <= today().year else today().replace(day=1)


def _plain(cents: int) -> str:
    return format_money(cents).replace("$", "").replace(",", "")


def _safe(text: str) -> str:
    """A text that a spreadsheet takes for a text: what begins like a formula gets a quote in front."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text
