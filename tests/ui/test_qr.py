"""QR codes: the picture on the page is the code of the link beside it, and no strict policy refuses it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import segno
from flask import render_template_string

LINK = "https://canopy.example.com/v?c=MNTH2RTM&from=flyer"
PAGE = """{% from "macros/share.html" import link_field %}{{ link_field("Your link", link, id="own") }}"""


def drawn(svg):
    """The modules that the picture paints dark, row by row."""
    white, dark = (path.attrib["d"] for path in svg)
    side = int(svg.attrib["viewBox"].split()[2])
    assert white == f"M0 0h{side}v{side}H0z"
    rows = [[0] * side for _ in range(side)]
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", dark):
        rows[int(y)][int(x) : int(x) + int(length)] = [1] * int(length)
    assert re.sub(r"M\d+ \d+h(\d+)v1h-\1z", "", dark) == ""
    return rows


def picture(app, link):
    with app.test_request_context():
        page = render_template_string(PAGE, link=link)
    return page, ElementTree.fromstring(re.search(r'<svg role="img".*?</svg>', page, re.DOTALL)[0])


def test_the_picture_is_the_code_of_the_link(small_app):
    page, svg = picture(small_app, LINK)
    code = segno.make(LINK, error="m", micro=False)

    assert drawn(svg) == [list(map(bool, row)) for row in code.matrix_iter(border=4)]
    assert svg.attrib["aria-label"] == f"QR code of {LINK}" and "style=" not in page


def test_another_link_is_another_picture(small_app):
    """The control: the picture says which link it is of."""
    assert drawn(picture(small_app, LINK)[1]) != drawn(picture(small_app, LINK.replace("flyer", "fairs"))[1])
