"""What every process asks before it begins: are the settings and the database fit to work with?"""

from __future__ import annotations

import logging
import os
import sys

from portal.config import BadSettings, Settings, read_settings
from portal.store.readiness import database_faults


def fit_settings() -> Settings:
    """The settings of this process; it ends with the reasons where they or the database forbid a start."""
    try:
        settings = read_settings(os.environ)
    except BadSettings as faults:
        sys.exit(str(faults))
    if not settings.redis_url:
        sys.exit("This process needs REDIS_URL; without it the web process does its work.")
    if reasons := database_faults(settings):
        sys.exit("\n".join(reasons))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("stripe").setLevel(logging.WARNING)
    return settings
