"""Every door has a sign: a view carries its permission, or says that it is public."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask_principal import Permission, RoleNeed

from portal.access.guard import public, requires

PUBLIC_ROOMS = {"api", "auth", "desk", "join", "shop", "inbound", "dashboard", "style", "static"}


def unsigned(views: Mapping[str, Callable[..., Any]]) -> list[str]:
    """Endpoints whose view neither names a permission with needs nor is public."""
    return sorted(name for name, view in views.items() if not _is_signed(view))


def _is_signed(view: Callable[..., Any]) -> bool:
    door = getattr(view, "door", None)
    return door == "public" or (isinstance(door, Permission) and bool(door.needs))


def test_every_door_has_a_sign(sqlite_app):
    assert unsigned(sqlite_app.view_functions) == []


def test_every_public_door_is_meant_to_be(sqlite_app):
    rooms = {name.split(".")[0] for name, view in sqlite_app.view_functions.items() if _is_public(view)}

    assert rooms <= PUBLIC_ROOMS


def _is_public(view: Callable[..., Any]) -> bool:
    return getattr(view, "door", None) == "public"


def test_routes_answer_get_and_post_only(sqlite_app):
    verbs = {verb for rule in sqlite_app.url_map.iter_rules() for verb in rule.methods or ()}

    assert verbs <= {"GET", "POST", "HEAD", "OPTIONS"}


def test_the_check_sees_a_door_without_a_sign():
    def forgotten() -> str:
        return ""

    def empty() -> str:
        return ""

    empty.door = Permission()  # type: ignore[attr-defined]

    assert unsigned({"a.forgotten": forgotten, "a.empty": empty}) == ["a.empty", "a.forgotten"]


def test_the_check_lets_signed_doors_pass():
    guarded = requires(Permission(RoleNeed("admin")))(lambda: "")

    assert unsigned({"a.guarded": guarded, "a.open": public(lambda: "")}) == []


def test_a_permission_without_needs_is_refused_at_once():
    with pytest.raises(AssertionError):
        requires(Permission())
