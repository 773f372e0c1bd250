"""The room itself; its pages stand in the modules beside this one."""

from __future__ import annotations

from datetime import date

from flask import Blueprint
from flask_babel import get_timezone

from portal.kernel.clock import utc_now

shop = Blueprint("shop", __name__)


def today() -> date:
    """The day it is in the company's time zone."""
    return utc_now().astimezone(get_timezone()).date()
