"""The room of the API's own pages, of the doors for tokens, and of forms that stand elsewhere.

Nobody here has a session: a token or the form itself says who is meant, so there is no form token to check.
"""

from __future__ import annotations

from flask import Blueprint

from portal.extensions import csrf
from portal.ui.rates import tell_rates

api = Blueprint("api", __name__)
csrf.exempt(api)
api.after_request(tell_rates)
