"""The door for a WSGI server and for `flask --app wsgi`."""

import os

from portal import create_app
from portal.config import BadSettings

try:
    app = create_app()
except BadSettings as faults:
    if not os.environ.get("FLASK_RUN_FROM_CLI"):
        raise
    from portal.cli.offline import offline_app

    app = offline_app(str(faults))
