"""The frame around every page: navigation by permission, account, parts that are well-formed."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from portal.access.permissions import ROLES
from portal.ui import nav
from portal.ui.nav import Row
from portal.ui.panels import Panel, panels_for, register_panel

VOID = {"meta", "link", "input", "img", "br", "hr"}
DRAWN = {"use", "rect", "circle", "path"}


class Reading(HTMLParser):
    """Reads a page: what is open, ids, references to ids, controls without a name."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.targets, self.labels, self.inputs = [], [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag not in VOID | DRAWN:
            self.open.append(tag)
        if "id" in found:
            self.ids.append(found["id"])
        for name in ("aria-labelledby", "aria-describedby"):
            self.targets += found.get(name, "").split()
        if found.get("hx-target", "").startswith("#"):
            self.targets.append(found["hx-target"][1:])
        if tag == "label":
            self.labels.add(found["for"])
        if tag in ("input", "select", "textarea") and found.get("type") != "hidden":
            self.inputs.append(found["id"])

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_of_all_parts_is_well_formed(browser):
    page = Reading(browser.get("/style").text)

    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.targets) - set(page.ids) == set()
    assert set(page.inputs) - page.labels == set()


def test_the_page_has_one_heading_one_main_and_a_way_to_skip_to_it(browser):
    text = browser.get("/style").text

    assert (text.count("<h1"), text.count("<main")) == (1, 1)
    assert '<a class="skip" href="#main">' in text


def test_signing_out_and_the_look_are_forms_with_a_token(browser):
    text = browser.get("/style").text
    forms = re.findall(
        r'<form method="post" action="(/sign_out|/set_theme)">\s*<input type="hidden" name="csrf_token"', text
    )

    assert sorted(forms) == ["/set_theme", "/set_theme", "/sign_out", "/sign_out"]


def test_a_stranger_sees_no_navigation_and_no_account(stranger):
    text = stranger.get("/style").text

    assert "Sign out" not in re.findall(r'<div class="page">.*?</header>', text, re.S)[0]
    assert 'class="nav-row" href' not in text


def test_a_reader_sees_the_rows_of_their_permissions_only():
    rows = nav.visible(nav.ROWS, may=lambda name: name == "see own business")

    assert [row.endpoint for row in rows] == [
        "dashboard.home",
        "network.team",
        "wallets.earnings",
        "shop.market",
        "shop.own_orders",
        "dashboard.rank",
        "shop.plan",
    ]


def test_every_row_can_be_opened_by_somebody():
    granted = {name for names in ROLES.values() for name in names}

    assert [row.endpoint for row in nav.ROWS if row.permission not in granted] == []


def test_the_row_of_the_room_is_marked_from_within():
    here = [
        getattr(nav.current(nav.ROWS, name), "endpoint", None)
        for name in ("network.place", "admin.cycles", "auth.x", None)
    ]

    assert here == ["network.team", "admin.cycles", None, None]


def test_a_form_that_is_shown_again_stays_in_its_row():
    """A refused decision answers with the page it came from, under the address of the decision."""
    queue = ("approve_payouts", "reject_payouts", "export_payouts")

    assert {nav.current(nav.ROWS, f"admin.{name}").endpoint for name in queue} == {"admin.payouts"}


def test_a_row_without_a_permission_does_not_exist():
    assert nav.visible([Row("", "a.b", "house", "A")], may=lambda name: bool(name)) == []


def test_panels_stand_in_their_order_and_behind_their_permission(monkeypatch):
    monkeypatch.setattr("portal.ui.panels.PANELS", {})
    for name, order, permission in (("late", 9, "see"), ("early", 1, "see"), ("secret", 0, "rule")):
        register_panel(Panel(name, name, order, permission, f"{name}.html", load=lambda consultant_id: None))

    assert [panel.name for panel in panels_for(lambda permission: permission == "see")] == ["early", "late"]
