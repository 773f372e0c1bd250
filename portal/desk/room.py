"""The room itself; its pages stand in the modules beside this one."""

from __future__ import annotations

from flask import Blueprint

desk = Blueprint("desk", __name__)
