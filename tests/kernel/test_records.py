"""CSV as people save it: the sign between the cells, marks, quotes and empty lines."""

from __future__ import annotations

import pytest

from portal.kernel.records import Unreadable, read_records


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_record_is_read_with_its_line(sign, end):
    rows = ("name{0}note", '"Reed, Dana"{0}"one; two\tthree"', "{0} ", "", 'Eli{0}"two\nlines"', "Zoe{0}")
    content = "\ufeff" + end.join(rows).format(sign)

    assert list(read_records(content.encode())) == [
        (1, ["name", "note"]),
        (2, ["Reed, Dana", "one; two\tthree"]),
        (5, ["Eli", "two\nlines"]),
        (7, ["Zoe", ""]),
    ]


@pytest.mark.parametrize("content, line", [(b"name\nDana\n\xff", 3), (b'name\n"Dana"x\n', 2)])
def test_what_cannot_be_read_is_named_by_its_line(content, line):
    with pytest.raises(Unreadable) as refusal:
        list(read_records(content))

    assert refusal.value.line == line and f"Line {line}" in refusal.value.message


def test_an_empty_file_has_no_record():
    assert list(read_records(b"")) == []
