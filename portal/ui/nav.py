"""The navigation: one table of rows; a page shows those whose permission its reader holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

TABS = 4


@dataclass(frozen=True)
class Row:
    """A place to go: `permission` opens it, `endpoint` is its view.

    It is marked on the pages called `inside` as well, and where no row fits better in its whole `room`.
    `feature` names what the reader's registration plan must have.
    """

    permission: str
    endpoint: str
    icon: str
    label: LazyString
    group: LazyString | str = ""
    inside: tuple[str, ...] = ()
    feature: str = ""

    @property
    def room(self) -> str:
        return self.endpoint.partition(".")[0]


PAYOUT_PAGES = (
    "approve_payouts",
    "reject_payouts",
    "export_payouts",
    "batch",
    "import_result",
    "suspense",
    "payout_selections",
    "find_selection",
    "payout_selection",
    "payout_methods",
    "payout_method",
    "change_payout_method",
    "new_payout_method",
    "add_payout_method",
    "payout_tax_forms",
    "read_tax_number",
    "sending",
    "sending_one",
    "propose_payout",
    "match_sum",
    "tax_years_page",
    "save_tax_year",
)

PLAN_PAGES = (
    *(
        "plan_version",
        "plan_draft",
        "write_plan_draft",
        "plan_draft_text",
        "write_plan_text",
        "compare_plans",
        "try_plan",
        "start_trial",
        "trial",
    ),
    *(
        "propose_plan",
        "send_plan_proposal",
        "approve_plan",
        "reject_plan",
    ),
)
PAYMENT_PAGES = ("payment", "ask_for_refund", "payment_events", "payment_event", "payment_sum")
BOOKS_PAGES = (
    *("account", "entry", "statement", "cooling_off", "add_cooling_off"),
    *("month_of_books", "check_month", "close_month"),
)
ADJUSTING = ("adjust", "adjustment", "propose_adjustment", "approve_adjustment", "reject_adjustment")

MOVE_PAGES = ("move", "move_consultant", "propose_move", "approve_move", "reject_move")
COMPARING = ("comparison", "comparison_work", "comparison_line", "compare_cycle", "settle_difference")
CYCLE_PAGES = (
    "cycle",
    "cycle_person",
    "cycle_people",
    "cycle_check",
    "cycle_revenue",
    "cycle_legs",
    "cycle_again",
    "rhythm",
    "decide_rhythm",
    "run",
    "run_person",
    "run_line",
    "run_team",
)

HELD_PAGES = ("held_sale", "release_held", "refuse_held", "mark_own_use")
STATEMENT_PAGES = (
    *("statement", "difference", "answer_question"),
    *("uploaded", "send_upload", "upload_statement"),
)
CONSENT_PAGES = ("publish_consent", "contact_stops", "change_stop")
LICENCE_PAGES = ("licence", "verify_licence", "reject_licence", "end_licence")
LEAD_PAGES = ("new_lead", "lead", "add_lead", "import_page", "read_import", "import_leads")

INTEGRATION_PAGES = (
    *("make_token", "webhooks", "add_webhook", "webhook", "rotate_secret", "webhook_message"),
    *("lead_forms", "add_lead_form", "lead_form"),
)

ROWS: tuple[Row, ...] = (
    Row("see own business", "dashboard.home", "house", _l("Home")),
    Row("see own business", "network.team", "network", _l("Team")),
    Row("see own business", "wallets.earnings", "wallet", _l("Earnings")),
    Row("work leads", "desk.leads", "user-plus", _l("Leads"), "", LEAD_PAGES, feature="lead_desk"),
    Row("work leads", "desk.customers", "users", _l("Customers"), "", ("own_retail",)),
    Row(
        "work leads", "desk.own_licences", "shield-check", _l("Licences"), "", ("new_licence", "send_licence")
    ),
    Row("see own business", "shop.market", "store", _l("Marketplace"), "", ("market_vendor",)),
    Row("see own business", "shop.own_orders", "receipt", _l("Orders")),
    Row("see own business", "dashboard.rank", "target", _l("Rank"), "", ("rank_history",)),
    Row("see own business", "shop.plan", "credit-card", _l("Your plan"), "", ("receipt",)),
    Row("connect systems", "connections.access_tokens", "link", _l("Integrations"), "", INTEGRATION_PAGES),
    Row("see company", "admin.overview", "house", _l("Overview"), _l("Company")),
    Row("see company", "admin.cycles", "history", _l("Cycles"), _l("Company"), CYCLE_PAGES),
    Row("manage payouts", "admin.payouts", "banknote", _l("Payouts"), _l("Company"), PAYOUT_PAGES),
    Row("see payments", "admin.payments", "credit-card", _l("Payments"), _l("Company"), PAYMENT_PAGES),
    Row("see company", "admin.people", "users", _l("People"), _l("Company")),
    Row("see company", "admin.books", "receipt", _l("Books"), _l("Company"), BOOKS_PAGES),
    Row("manage adjustments", "admin.adjustments", "refresh-cw", _l("Corrections"), _l("Company"), ADJUSTING),
    Row("settle held sales", "admin.held_sales", "lock", _l("Held sales"), _l("Company"), HELD_PAGES),
    Row("see company", "admin.plans", "file-text", _l("Pay plans"), _l("Company"), PLAN_PAGES),
    Row("see company", "admin.breakage", "target", _l("Breakage"), _l("Company"), ("cycle_breakage",)),
    Row("manage moves", "admin.moves", "network", _l("Moves"), _l("Company"), MOVE_PAGES),
    Row("see company", "admin.comparisons", "list", _l("Comparisons"), _l("Company"), COMPARING),
    Row(
        "route leads",
        "admin.routing",
        "user-plus",
        _l("Lead routing"),
        _l("Company"),
        ("decide_routing", "settle_lead"),
    ),
    Row("manage consents", "admin.consents", "shield-check", _l("Consent"), _l("Company"), CONSENT_PAGES),
    Row(
        "see retail meter",
        "admin.retail_meter",
        "target",
        _l("Retail meter"),
        _l("Company"),
        ("limit_own_use",),
    ),
    Row(
        "manage licences", "admin.licence_queue", "shield-check", _l("Licences"), _l("Company"), LICENCE_PAGES
    ),
    Row("settle statements", "vendors.index", "store", _l("Vendors"), _l("Company")),
    Row(
        "connect company systems",
        "company_connections.access_tokens",
        "link",
        _l("Integrations"),
        _l("Company"),
        INTEGRATION_PAGES,
    ),
    Row("see vendor traffic", "partner.home", "house", _l("Home")),
    Row("see vendor traffic", "partner.deliveries", "list", _l("Deliveries"), "", ("delivery",)),
    Row("send statements", "partner.statements", "file-text", _l("Statements"), "", STATEMENT_PAGES),
    Row("see vendor traffic", "partner.invoice", "receipt", _l("Invoice")),
    Row("see vendor traffic", "partner.troubles", "triangle-alert", _l("Errors")),
    Row("simulate vendor events", "partner.simulator", "zap", _l("Simulator"), "", ("simulate",)),
    Row("manage vendor keys", "partner.keys", "key-round", _l("Keys"), "", ("make_key",)),
)


def visible(
    rows: Iterable[Row], *, may: Callable[[str], bool], has: Callable[[str], bool] = lambda _feature: True
) -> list[Row]:
    """The rows for one reader, in the order of the table: `has` says what their registration plan opens."""
    return [row for row in rows if may(row.permission) and (not row.feature or has(row.feature))]


def current(rows: Iterable[Row], endpoint: str | None) -> Row | None:
    """The row to be marked: the view itself, else the first row of the same room."""
    rows = list(rows)
    room, _, view = (endpoint or "").partition(".")
    exact = [row for row in rows if row.endpoint == endpoint or (row.room == room and view in row.inside)]
    return next(iter(exact or [row for row in rows if row.room == room]), None)
