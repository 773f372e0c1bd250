"""THE MAP OF REACTIONS: a fact, and every job that follows from it.

A handler is called as `handler(uow, body)` inside one unit of work together with the mark that it is done,
so it happens once for each fact. An empty row says that nothing reacts to the fact, on purpose.
"""

from __future__ import annotations

HANDLERS: dict[str, tuple[str, ...]] = {
    "consultant.registered": ("jobs.mail.welcome", "jobs.webhooks.consultant_registered"),
    "consultant.placed": (),
    "payment.received": ("jobs.mail.payment_received",),
    "pack.changed": ("jobs.mail.pack_changed",),
    "customer.registered": ("jobs.leads.customer_registered", "jobs.webhooks.customer_registered"),
    "customer.reachable": ("jobs.leads.customer_registered",),
    "customer.signed_up": ("jobs.mail.signed_up",),
    "lead.taken": (
        "jobs.leads.lead_taken",
        "jobs.leads.route",
        "jobs.mail.lead_taken",
        "jobs.webhooks.lead_taken",
    ),
    "lead.offered": ("jobs.mail.lead_offered",),
    "licence.verified": ("jobs.licences.release_held", "jobs.mail.licence_verified"),
    "licence.rejected": ("jobs.mail.licence_rejected",),
    "sale.recorded": ("jobs.webhooks.sale_recorded",),
    "sale.reversed": ("jobs.webhooks.sale_reversed",),
    "sale.held": ("jobs.mail.sale_held",),
    "sale.released": ("jobs.mail.sale_settled",),
    "sale.refused": ("jobs.mail.sale_settled",),
    "cycle.ended": (),
    "cycle.closed": (),
    "cycle.undone": ("jobs.mail.cycle_undone", "jobs.webhooks.cycle_undone"),
    "commission.credited": ("jobs.mail.commission_credited", "jobs.webhooks.commission_credited"),
    "adjustment.booked": ("jobs.mail.adjustment_booked",),
    "withdrawal.requested": (),
    "withdrawal.approved": (),
    "withdrawal.returned": ("jobs.mail.withdrawal_returned",),
    "withdrawal.paid": ("jobs.mail.withdrawal_paid", "jobs.webhooks.withdrawal_paid"),
    "match.requested": ("jobs.payouts.ask_for_match",),
    "payee.changed": ("jobs.mail.payee_changed",),
    "statement.received": ("jobs.statements.compare_received",),
}

# What changes the projection asks for one recalculation, however many facts ask at the same time.
RECALCULATED_AFTER = frozenset(
    {
        "consultant.registered",
        "consultant.placed",
        "pack.changed",
        "sale.recorded",
        "sale.reversed",
        "cycle.ended",
        "cycle.closed",
        "cycle.undone",
    }
)


def queue_of(handler: str) -> str:
    """Mail has a queue of its own, so that money never waits for it."""
    return "mail" if handler.startswith("jobs.mail.") else "money"
