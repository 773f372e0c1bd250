"""Numbers and times as people read them: cents, hundredths of volume, ten-thousandths of a rate come in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from flask_babel import format_date, format_datetime, get_timezone, gettext, ngettext

from portal.kernel.clock import utc_now
from portal.kernel.money import format_money, format_volume

MINUS = "\N{MINUS SIGN}"
HIGHEST_BAR = 100
ONE = 1_000
LOWEST_BAR = 3
_STAMP = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}Z")
_IRREGULAR = {"foot": "feet", "person": "people"}
_SYMBOLS = {"kwh", "kwp", "kw", "mwh", "gb", "mbps", "ft", "sqft", "h", "m"}


def money(cents: int, currency: str = "USD") -> str:
    """Cents as `$1,234.50`; what is owed as `−$12.00`."""
    return format_money(cents, currency) if cents >= 0 else MINUS + format_money(-cents, currency)


def signed_money(cents: int) -> str:
    """Cents as `+$12.00` or `−$12.00`; nothing as `$0.00`."""
    return f"+{money(cents)}" if cents > 0 else money(cents)


def dollars(cents: int) -> str:
    """The whole part of an amount, `$1,234`, for the large figure."""
    return money(cents).rpartition(".")[0]


def pennies(cents: int) -> str:
    """The part behind the point, `.60`."""
    return "." + money(cents).rpartition(".")[2]


def volume(hundredths: int) -> str:
    """Volume as `1,234` or `1,234.50`."""
    return format_volume(hundredths) if hundredths >= 0 else MINUS + format_volume(-hundredths)


def percent(ten_thousandths: int) -> str:
    """A rate as `8%` or `12.5%`."""
    return f"{_plain(Decimal(ten_thousandths) / 100)}%"


def size(thousandths: int) -> str:
    """A size such as kilowatts, kept in thousandths: `8.4`."""
    return _plain(Decimal(thousandths) / 1000)


def units(unit: str) -> str:
    """More than one of a unit, `cameras`: vendors name units in English; symbols as kW have no plural."""
    words, _blank, last = unit.rpartition(" ")
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
    elif not last.isalpha() or not last.islower() or last in _SYMBOLS or re.search(r"[^s]s$", last):
        return unit
    elif re.search(r"[^aeiou]y$", last):
        last = f"{last[:-1]}ies"
    else:
        last += "es" if last.endswith(("ss", "x", "z", "ch", "sh")) else "s"
    return f"{words} {last}".strip()


def sized(thousandths: int, unit: str) -> str:
    """A size with its unit: `1 camera`, `2 cameras`, `8.4 kW`."""
    return f"{size(thousandths)} {unit if thousandths == ONE else units(unit)}"


def kilowatts(thousandths: int) -> str:
    """A solar size as `8.4 kW`."""
    return f"{size(thousandths)} kW"


def count(number: int) -> str:
    """A whole number with its thousands set apart."""
    return f"{number:,}"


def day(moment: date | datetime) -> str:
    """A day as `Nov 16, 2026`, in the company's time zone."""
    return format_date(moment, "MMM d, y")


def short_day(moment: date | datetime) -> str:
    """A day as `Nov 16`."""
    return format_date(moment, "MMM d")


def moment(instant: datetime) -> str:
    """An instant as `Nov 16, 2026, 2:14 PM MST`: in the company's time zone, and saying which."""
    return f"{format_datetime(instant, 'MMM d, y, h:mm a')} {zone(instant)}"


def worded(text: str) -> str:
    """A stored text or a refusal with its instants (`clock.stamped`) as people here read them."""
    return _STAMP.sub(lambda found: moment(datetime.fromisoformat(found[0])), text)


def weekday(instant: datetime) -> str:
    """A coming instant as `Sunday, 5:00 PM MST`."""
    return f"{format_datetime(instant, 'EEEE, h:mm a')} {zone(instant)}"


def clock(instant: datetime) -> str:
    """The time of day alone, `2:14 PM MST`."""
    return f"{format_datetime(instant, 'h:mm a')} {zone(instant)}"


def zone(instant: datetime) -> str:
    """The short name of the company's time zone at that instant."""
    local = instant.astimezone(get_timezone())
    return local.tzname() or ""


def ago(instant: datetime) -> str:
    """How long it is since: `6 min ago`; after a week the day."""
    passed = utc_now() - instant
    if passed < timedelta(minutes=1):
        return gettext("just now")
    if passed < timedelta(hours=1):
        return gettext("%(count)s min ago", count=passed.seconds // 60)
    if passed < timedelta(days=1):
        return gettext("%(count)s h ago", count=passed.seconds // 3600)
    if passed < timedelta(days=7):
        return ngettext("%(num)s day ago", "%(num)s days ago", passed.days)
    return day(instant)


def until(instant: datetime) -> str:
    """How long it is until: `2 days 4 hours`, `35 minutes`."""
    left = max(instant - utc_now(), timedelta(0))
    hours, minutes = left.seconds // 3600, left.seconds % 3600 // 60
    if left.days:
        parts = [
            ngettext("%(num)s day", "%(num)s days", left.days),
            ngettext("%(num)s hour", "%(num)s hours", hours),
        ]
        return " ".join(parts if hours else parts[:1])
    if hours:
        return ngettext("%(num)s hour", "%(num)s hours", hours)
    return ngettext("%(num)s minute", "%(num)s minutes", minutes)


def initials(name: str) -> str:
    """The first letters of the first and the last word: `MT`."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def brief_name(name: str) -> str:
    """First name and the initial of the last: `Maya T.`"""
    words = name.split()
    return f"{words[0]} {words[-1][0]}." if len(words) > 1 else name


def cycle_title(name: str) -> str:
    """A cycle at the beginning of a line: `Week 46`, `Nov 22, 2026`, `November 2026`."""
    return gettext("Week %(week)s", week=_week(name)) if "W" in name else cycle_called(name)


def cycle_called(name: str) -> str:
    """A cycle within a sentence: `week 46`, `Nov 22, 2026`, `November 2026`."""
    if "W" in name:
        return gettext("week %(week)s", week=_week(name))
    if name.count("-") == 1:
        return format_date(date.fromisoformat(f"{name}-01"), "MMMM y")
    return day(date.fromisoformat(name))


def current(rhythm: str) -> str:
    """The cycle that runs, as people speak of it: `today`, `this week`, `this month`."""
    words = {"day": gettext("today"), "week": gettext("this week"), "month": gettext("this month")}
    return words[rhythm]


def _week(name: str) -> int:
    return int(name.partition("W")[2])


def bar_heights(values: Sequence[int]) -> list[int]:
    """Heights from 0 to 100 for a row of amounts; a small one stays visible, nothing lies on the floor."""
    highest = max([*values, 1])
    return [max(value * HIGHEST_BAR // highest, LOWEST_BAR) if value > 0 else 1 for value in values]


def _plain(number: Decimal) -> str:
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


FILTERS = {
    function.__name__: function
    for function in (
        money, signed_money, dollars, pennies, volume, percent, size, sized, units, kilowatts, count,
        day, short_day, moment, worded, weekday, clock, zone, ago, until, initials, brief_name,
        cycle_title, cycle_called, current, bar_heights,
    )
}  # fmt: skip
