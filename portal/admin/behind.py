"""What stands behind a sum on another page: the entries, accounts, payouts or sales that come to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from flask import Response, url_for
from flask_babel import LazyString
from flask_babel import gettext as _

from portal.access import permissions
from portal.access.guard import requires
from portal.admin import queries
from portal.admin.payment_forms import PaymentFilter
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.errors import NotYours
from portal.ledger import company, months
from portal.payments.booked import FIGURES, entries_behind, sum_behind
from portal.payouts.automatic import matching
from portal.payouts.queries import entries_of
from portal.ui import bookings, show
from portal.ui.addresses import number
from portal.ui.htmx import request

ROWS_A_PAGE = 50


@dataclass(frozen=True)
class Part:
    """A part of a sum, in cents: what it is, when it was, and the page it opens into."""

    title: str | LazyString
    note: str
    at: datetime | None
    url: str
    cents: int


@dataclass(frozen=True)
class Sum:
    """A sum in cents and the page it stands on; `number` counts its parts, `older` leads to more of them."""

    title: str
    note: str
    back: tuple[str, str]
    number: int
    cents: int
    parts: list[Part] = field(default_factory=list)
    older: str = ""


@admin.get("/payments/sums/<figure>")
@requires(permissions.see_payments)
def payment_sum(figure: str) -> Response:
    """The entries behind one sum of the payments page, under the filters it had."""
    form = PaymentFilter(request.args)
    if figure not in FIGURES or not form.validate():
        raise NotYours("There is nothing here under this address.")
    wanted, before = form.wanted(), number(request.args, "before") or 0
    kept = {name: value for name, value in request.args.items() if name in form._fields and value}
    count, cents = sum_behind(db.session(), wanted, figure=figure)
    rows = entries_behind(db.session(), wanted, figure=figure, before=before, limit=ROWS_A_PAGE)
    titles = {"paid": _("Paid"), "refunded": _("Refunded"), "fees": _("Fees of Stripe"), "kept": _("Kept")}
    older = rows[-1].entry.id if len(rows) == ROWS_A_PAGE else 0
    return _page(
        Sum(
            title=titles[figure],
            note=_("The entries behind this sum, newest first."),
            back=(_("Payments"), url_for("admin.payments", **kept)),
            number=count,
            cents=cents,
            parts=[
                Part(
                    bookings.entry(row.entry.kind),
                    "",
                    row.entry.created_at,
                    url_for("admin.entry", entry_id=row.entry.id),
                    row.cents,
                )
                for row in rows
            ],
            older=url_for("admin.payment_sum", figure=figure, **(kept | {"before": older})) if older else "",
        )
    )


@admin.get("/books/months/<int:period_id>")
@requires(permissions.see_company)
def month_of_books(period_id: int) -> Response:
    """What a month moved, account by account; each leads to its postings of the month."""
    found = months.months(db.session(), period_id=period_id)
    if not found:
        raise NotYours("There is no such month.")
    standing = [line for line in company.trial_balance(db.session(), month=period_id) if line.debit]
    name = found[0].period.starts.strftime("%Y-%m")
    return _page(
        Sum(
            title=_("Moved in %(month)s", month=name),
            note=_("What each account was debited with; the credits come to the same."),
            back=(_("Books"), url_for("admin.books")),
            number=len(standing),
            cents=found[0].posted,
            parts=[
                Part(
                    bookings.account(line.purpose),
                    _("Wallets of consultants") if line.owner_type == "consultant" else _("The company"),
                    None,
                    url_for(
                        "admin.account", owner_type=line.owner_type, purpose=line.purpose, month=period_id
                    ),
                    line.debit,
                )
                for line in standing
            ],
        )
    )


@admin.get("/payouts/sending/matches/<int:match_id>")
@requires(permissions.manage_payouts)
def match_sum(match_id: int) -> Response:
    """The payouts that a daily match compared, each with the entry that paid it."""
    name, payouts = matching.compared(db.session(), match_id)
    booked = entries_of(db.session(), payouts)
    return _page(
        Sum(
            title=_("Compared with %(name)s", name=name),
            note=_("Payouts of the three days before the match. What came back since is not listed."),
            back=(_("Automatic payouts"), url_for("admin.sending")),
            number=len(payouts),
            cents=sum(one.net_cents for one in payouts),
            parts=[
                Part(
                    one.provider_ref or _("No name there"),
                    "",
                    one.settled_at,
                    url_for("admin.entry", entry_id=booked[one.id][-1].id),
                    one.net_cents,
                )
                for one in payouts
            ],
        )
    )


@admin.get("/sales/<name>")
@requires(permissions.see_company)
def week_sales(name: str) -> Response:
    """The sales behind a week's revenue, newest first; a refund takes its part away."""
    session, before = db.session(), number(request.args, "before") or 0
    cycle = queries.cycle_by_name(session, name)
    figures = queries.week_figures(session, cycle)
    rows = queries.sales_of(session, cycle.id, before=before, limit=ROWS_A_PAGE)
    older = rows[-1].sale.id if len(rows) == ROWS_A_PAGE else 0
    return _page(
        Sum(
            title=_("Revenue of %(name)s", name=name),
            note=_("What vendors pay the company for these sales. It is not in the books before it is paid."),
            back=(_("Overview"), url_for("admin.overview")),
            number=figures.sales + figures.refunds,
            cents=figures.revenue,
            parts=[
                Part(
                    _("Refund") if row.sale.reverses_id else row.service,
                    _("%(name)s, contract %(ref)s", name=row.seller, ref=row.sale.contract.ref),
                    row.sale.occurred_at,
                    url_for("admin.statement", public_id=row.public_id),
                    row.sale.revenue_cents,
                )
                for row in rows
            ],
            older=url_for("admin.week_sales", name=name, before=older) if older else "",
        )
    )


def _page(found: Sum) -> Response:
    return show("admin/behind.html", "main", found=found)
