"""Templates: each is used, none is missing, nothing inline that the content security policy forbids."""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Iterator

import pytest

from tests.house import sources
from tests.house.sources import Source

NAME = re.compile(r"^[\w*-]+(/[\w*-]+)+\.(html|txt|xml)$")
REFERENCE = re.compile(r"""\{%-?\s*(?:extends|include|import|from)\s+["']([^"']+)["']""")
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
TAG = re.compile(r"<[a-zA-Z][^<>]*>")

FORBIDDEN = {
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)", re.IGNORECASE),
    "an inline style": re.compile(r"<style\b|\sstyle\s*=", re.IGNORECASE),
    "an event attribute": re.compile(r"<[^<>]*\son[a-z]+\s*=", re.IGNORECASE),
    "hx-on": re.compile(r"\bhx-on\b"),
    "hx-disabled-elt (htmx 4 calls it hx-disable)": re.compile(r"\bhx-disabled-elt\b"),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "an address of another site": re.compile(
        r"""<(?:script|link|img)[^<>]*(?:src|href)=["'](?:https?:)?//"""
    ),
}
REQUESTS = ("hx-get=", "hx-post=")
# Jinja's gettext fills in with `%`, values or not: a bare one ends in an error page.
BARE_PERCENT = re.compile(r"""\b(?:_|gettext|ngettext)\(\s*"[^"]*(?<!%)%(?![(%])[^"]*\"""")


def named_in(source: Source) -> Iterator[str]:
    """Template names that Python code speaks of; a part filled in later becomes `*`."""
    for node in ast.walk(source.tree):
        text = _text(node)
        if NAME.match(text):
            yield text


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
    return ""


def named() -> set[str]:
    """Every template name of the house, in code and in templates."""
    in_code = {name for source in sources.code() for name in named_in(source)}
    return in_code | {name for text in sources.templates().values() for name in REFERENCE.findall(text)}


def unused(existing: set[str], spoken_of: set[str]) -> set[str]:
    return {name for name in existing if not any(fnmatch.fnmatch(name, spoken) for spoken in spoken_of)}


def missing(existing: set[str], spoken_of: set[str]) -> set[str]:
    return {spoken for spoken in spoken_of if not fnmatch.filter(existing, spoken)}


def forbidden(text: str) -> list[str]:
    plain = JINJA.sub("x", text)
    return [fault for fault, shape in FORBIDDEN.items() if shape.search(plain)]


def aimless(text: str) -> list[str]:
    """Elements that send a request without saying on themselves where the answer goes."""
    senders = [tag for tag in TAG.findall(JINJA.sub("x", text)) if any(word in tag for word in REQUESTS)]
    return [tag for tag in senders if "hx-target=" not in tag or "hx-swap=" not in tag]


def test_no_text_of_a_template_holds_a_percent_sign_that_gettext_would_fill_in():
    texts = {name: COMMENT.sub("", text) for name, text in sources.templates().items()}

    assert {name for name, text in texts.items() if BARE_PERCENT.search(text)} == set()


def test_the_check_sees_a_bare_percent_sign():
    assert BARE_PERCENT.search('{{ _("24 % withheld") }}')
    assert not BARE_PERCENT.search('{{ _("24 %% withheld from %(name)s", name=name) }} 5 % of "it"')


def test_every_template_is_used():
    assert unused(set(sources.templates()), named()) == set()


def test_every_template_that_is_named_exists():
    assert missing(set(sources.templates()), named()) == set()


def test_no_template_holds_what_the_browser_must_refuse():
    assert {name: faults for name, text in sources.templates().items() if (faults := forbidden(text))} == {}


def test_every_request_of_a_page_names_its_target_and_its_swap():
    assert {name: tags for name, text in sources.templates().items() if (tags := aimless(text))} == {}


@pytest.mark.parametrize(
    "sample",
    [
        "<script>alert(1)</script>",
        '<p style="color: red">',
        "<style>p {}</style>",
        '<button onclick="go()">',
        '<form hx-on:submit="go()">',
        '<form hx-disabled-elt="find button">',
        '<a href="javascript:go()">',
        '<script src="https://example.com/a.js"></script>',
    ],
)
def test_the_check_sees_what_is_forbidden(sample):
    assert forbidden(sample) != []


def test_the_check_lets_a_plain_page_pass():
    assert (
        forbidden('<script src="{{ asset(\'app.js\') }}" defer></script><p content="on = 1">on = 2</p>') == []
    )


def test_the_check_sees_unused_and_missing_templates():
    spoken = set(named_in(Source("sample.py", "show('a/b.html'); show(f'mail/{name}.txt'); 'text/html'")))

    assert spoken == {"a/b.html", "mail/*.txt"}
    assert unused({"a/b.html", "a/c.html", "mail/welcome.txt"}, spoken) == {"a/c.html"}
    assert missing({"mail/welcome.txt"}, spoken) == {"a/b.html"}


def test_the_check_sees_a_request_without_a_target():
    assert aimless('<form hx-post="{{ url }}" hx-swap="outerHTML">') != []
    assert aimless('<form hx-post="{{ url }}" hx-target="#form" hx-swap="outerHTML">') == []
