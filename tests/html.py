"""A browser without JavaScript: follows links, fills in forms, keeps the cookies."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "input" and attributes.get("type") == "hidden" and attributes.get("name"):
            self.hidden.setdefault(attributes["name"], attributes.get("value", ""))


class Visitor:
    """One person's browser."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.page: TestResponse | None = None
        self.hidden: dict[str, str] = {}

    def visit(self, path: str, **options: Any) -> TestResponse:
        """Open a page and remember its hidden fields; ids on it must be unique."""
        return self._keep(self.client.get(path, **options))

    def submit(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Send a form with the hidden fields of the page last opened."""
        return self._keep(self.client.post(path, data={**self.hidden, **(data or {})}, **options))

    def follow(self) -> TestResponse:
        """Go where the last answer redirects to."""
        assert self.page is not None and self.page.location, f"no redirect: {self.page}"
        return self.visit(self.page.location)

    def sign_in(self, email: str, password: str) -> TestResponse:
        """Sign in through the page."""
        self.visit("/login")
        answer = self.submit("/login", {"email": email, "password": password})
        assert answer.status_code in (302, 303), answer.text
        return answer

    @property
    def words(self) -> str:
        """The text of the last page, without tags and doubled spaces."""
        assert self.page is not None
        whole_words = self.page.text.replace("<wbr>", "")
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", whole_words))).strip()

    def _keep(self, answer: TestResponse) -> TestResponse:
        self.page = answer
        if answer.mimetype == "text/html" and answer.text.strip():
            fields = _Fields()
            fields.feed(answer.text)
            repeated = {name for name in fields.ids if fields.ids.count(name) > 1}
            assert not repeated, f"ids used twice: {repeated}"
            self.hidden = fields.hidden or self.hidden
        return answer


class _Amounts(HTMLParser):
    """Collects amounts of money that stand in no link, button, heading, label or note."""

    QUIET = frozenset({"a", "button", "label", "title", "h1", "option", "summary", "script"})
    NOTES = frozenset({"muted", "field__help", "banner", "toasts", "page-head"})
    VOID = frozenset({"input", "meta", "link", "br", "img", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            classes = set((dict(attrs).get("class") or "").split())
            self.open.append((tag, tag in self.QUIET or bool(classes & self.NOTES)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """What closes itself holds no text."""

    def handle_endtag(self, tag: str) -> None:
        if tag in (name for name, _quiet in self.open):
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if re.search(r"\$[0-9]", data) and not any(quiet for _tag, quiet in self.open):
            self.found.append(data.strip())


def closed_amounts(html: str) -> list[str]:
    """The amounts of a page that open nothing."""
    parser = _Amounts()
    parser.feed(html)
    return parser.found
