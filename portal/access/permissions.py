"""Every permission in one table, and the roles that hold it. Views ask for permissions, never for roles."""

from __future__ import annotations

from flask_principal import ActionNeed, Permission

ROLES: dict[str, frozenset[str]] = {}


def _permission(name: str, *roles: str) -> Permission:
    for role in roles:
        ROLES[role] = ROLES.get(role, frozenset()) | {name}
    return Permission(ActionNeed(name))


see_own_business = _permission("see own business", "consultant")
place_own_people = _permission("place own people", "consultant")
work_leads = _permission("work leads", "consultant")
withdraw_own_money = _permission("withdraw own money", "consultant")

connect_systems = _permission("connect systems", "consultant")

see_company = _permission("see company", "admin", "finance")
manage_cycles = _permission("manage cycles", "admin")
approve_cycles = _permission("approve cycles", "admin", "finance")
manage_plans = _permission("manage plans", "admin")
approve_plans = _permission("approve plans", "admin", "finance")
manage_payouts = _permission("manage payouts", "admin", "finance")
manage_payout_methods = _permission("manage payout methods", "admin")
review_tax_forms = _permission("review tax forms", "admin", "finance")
manage_adjustments = _permission("manage adjustments", "admin", "finance")
manage_moves = _permission("manage moves", "admin", "finance")
see_payments = _permission("see payments", "admin", "finance")
refund_payments = _permission("refund payments", "admin", "finance")
replay_payment_events = _permission("replay payment events", "admin", "finance")
connect_company = _permission("connect company systems", "admin", "finance")
manage_integrations = _permission("manage integrations", "admin")
route_leads = _permission("route leads", "admin")
manage_consents = _permission("manage consents", "admin")
manage_vendors = _permission("manage vendors", "admin")
see_traffic = _permission("see traffic", "admin")
settle_held_sales = _permission("settle held sales", "admin", "finance")
settle_statements = _permission("settle statements", "admin", "finance")

manage_licences = _permission("manage licences", "admin", "compliance")
see_retail = _permission("see retail meter", "admin", "finance", "compliance")
manage_own_use = _permission("manage own use", "admin", "compliance")

see_vendor_traffic = _permission("see vendor traffic", "vendor")
manage_vendor_keys = _permission("manage vendor keys", "vendor")
send_statements = _permission("send statements", "vendor")
simulate_vendor_events = _permission("simulate vendor events", "vendor")

signed_in = _permission("be signed in", "consultant", "admin", "finance", "vendor", "compliance")


def granted(roles: frozenset[str]) -> frozenset[str]:
    """The names of all permissions that come with `roles`."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))
