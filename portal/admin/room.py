"""The room of those who keep the company; its pages stand in the modules beside this one."""

from __future__ import annotations

from flask import Blueprint

admin = Blueprint("admin", __name__, url_prefix="/admin")
