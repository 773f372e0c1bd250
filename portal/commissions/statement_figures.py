"""What a cycle's checks see of vendors' statements: differences nobody settled, and days without one."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from portal.commissions.check_figures import Asked, Behind, Look, Seen
from portal.models import Statement
from portal.store.statement_days import MissingDay, missing_days, open_by_vendor, open_ones, vendors_by_id


def unsettled(look: Look) -> Asked:
    """Differences between statements of this cycle's days and their events that nobody settled."""
    since, until = _days(look)
    return (open_ones(select(func.count())).where(Statement.day >= since, Statement.day < until),)


def unsettled_vendors(look: Look) -> list[Behind]:
    """The vendors whose statements these are."""
    since, until = _days(look)
    counted = open_by_vendor(look.session, since=since, until=until)
    vendors = vendors_by_id(look.session, counted)
    return [Behind(vendors[vendor_id].name, str(number)) for vendor_id, number in sorted(counted.items())]


def without_statement(look: Look) -> Seen:
    """Days of this cycle with events of a vendor that sends statements, of which none came."""
    number = len(_silent(look))
    return Seen(not number, number)


def days_without_statement(look: Look) -> list[Behind]:
    """Those days, by vendor."""
    return [Behind(f"{each.vendor.name}, {each.day.isoformat()}", str(each.events)) for each in _silent(look)]


def _silent(look: Look) -> list[MissingDay]:
    since, until = _days(look)
    return missing_days(look.session, zone=ZoneInfo(look.limits.zone), since=since, until=until)


def _days(look: Look) -> tuple[date, date]:
    """The first day of a cycle, and the one after its last."""
    zone = ZoneInfo(look.limits.zone)
    return look.cycle.starts_at.astimezone(zone).date(), look.cycle.until.astimezone(zone).date()
