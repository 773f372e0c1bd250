"""The register of panels: each room brings its own; the dashboard only prints them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString


@dataclass(frozen=True)
class Panel:
    """A card on a home page: `load(consultant_id)` reads what its template shows, or None to stay away."""

    name: str
    title: LazyString | str
    order: int
    permission: str
    template: str
    load: Callable[[int], Any]
    aside: bool = False


PANELS: dict[str, Panel] = {}


def register_panel(panel: Panel) -> None:
    """Add a panel; a name is used once."""
    if PANELS.get(panel.name, panel) != panel:
        raise ValueError(f"two panels are called {panel.name}")
    PANELS[panel.name] = panel


def panels_for(may: Callable[[str], bool]) -> list[Panel]:
    """The panels one reader may see, in their order."""
    return sorted(
        (panel for panel in PANELS.values() if may(panel.permission)), key=lambda panel: panel.order
    )
