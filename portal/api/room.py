"""The room of the API's own pages."""

from __future__ import annotations

from flask import Blueprint

api = Blueprint("api", __name__)
