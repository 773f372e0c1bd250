"""Every fault of the files of an import is named by file, line and column."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from portal.arrival import Faults, Files, Known, read_files

EXAMPLE = Path(__file__).resolve().parents[2] / "docs/examples/import"
HERE = Known(
    packs=frozenset({"smart", "pack", "plus"}),
    emails=frozenset({"ada@example.com"}),
    zone=ZoneInfo("America/Denver"),
    now=datetime(2026, 11, 20, tzinfo=UTC),
)


def faults_of(contents, **more):
    faults = Faults(**more)
    read_files(Files(contents), HERE, faults)
    return faults


def example():
    return dict(Files.in_folder(EXAMPLE).contents)


def test_the_example_has_no_faults():
    assert faults_of(example()).shown() == []


SPOILED = {
    "an unknown sponsor": (
        "consultants.csv",
        ("smart,active,A1002", "smart,active,A9"),
        (6, "sponsor", "no “A9”"),
    ),
    "a circle of sponsors": (
        "consultants.csv",
        ("plus,active,,2023", "plus,active,A1004,2023"),
        (2, "sponsor", "A1001 → A1004 → A1002 → A1001"),
    ),
    "somebody who sponsors herself": (
        "consultants.csv",
        ("plus,active,,2023", "plus,active,A1001,2023"),
        (2, "sponsor", "A1001 → A1001"),
    ),
    "a code twice, however it is typed": ("consultants.csv", ("A1003,", "a1002,"), (4, "code", "on line 3")),
    "an e-mail twice": ("consultants.csv", ("daniel@", "MAYA@"), (4, "email", "on line 3 already")),
    "an e-mail that signs in": (
        "consultants.csv",
        ("daniel@", "ada@"),
        (4, "email", "signs in here"),
    ),
    "no e-mail": ("consultants.csv", ("daniel@example.com", "daniel"), (4, "email", "not an e-mail")),
    "an empty name": ("consultants.csv", ("Maya Torres", ""), (3, "name", "must not be empty")),
    "an unknown pack": ("consultants.csv", ("US,pack", "US,gold"), (4, "pack", "no pack “gold”")),
    "an unknown status": ("consultants.csv", ("suspended", "resting"), (7, "status", "active or suspended")),
    "a day that is none": ("consultants.csv", ("2024-01-10", "10.1.2024"), (5, "joined_at", "2026-11-22")),
    "an instant without offset": ("consultants.csv", ("-06:00", ""), (6, "joined_at", "offset")),
    "a future": ("consultants.csv", ("2024-01-10", "2031-01-10"), (5, "joined_at", "future")),
    "a cell too many": ("consultants.csv", ("Maya Torres", "Torres, Maya"), (3, "", "9 cells")),
    "a quote that never ends": ("consultants.csv", ('Daniel"', "Daniel"), (4, "", "cannot be read")),
    "a missing column": ("consultants.csv", ("pack,status", "status,status"), (1, "pack", "missing")),
    "a column twice": ("consultants.csv", ("pack,status", "pack,name"), (1, "name", "more than once")),
    "an unknown column": ("consultants.csv", ("country", "phone"), (1, "phone", "not known here")),
    "a circle of places": (
        "placements.csv",
        ("A1001,,", "A1001,A1004,L"),
        (2, "parent", "A1001 → A1004 → A1002 → A1001"),
    ),
    "two in one place": ("placements.csv", ("A1002,R", "A1002,L"), (6, "leg", "taken on line 5 already")),
    "somebody placed twice": ("placements.csv", ("A1003,A1001", "A1002,A1001"), (4, "code", "on line 3")),
    "an unknown parent": ("placements.csv", ("A1003,L", "A9,L"), (7, "parent", "no “A9”")),
    "a parent without a place": ("placements.csv", ("A1003,L", "A1007,L"), (7, "parent", "has no place")),
    "a parent without a leg": ("placements.csv", ("A1003,L", "A1003,"), (7, "leg", "go together")),
    "a third leg": ("placements.csv", ("A1003,L", "A1003,M"), (7, "leg", "must be L or R")),
    "a gap between cycles": ("cycles.csv", ("45,2026-11-02", "45,2026-11-03"), (3, "start", "a Monday")),
    "a gap of a week": ("cycles.csv", ("2026-W45,2026-11-02,2026-11-09\n", ""), (3, "start", "before ended")),
    "a cycle that runs backwards": ("cycles.csv", (",2026-11-16", ",2026-11-01"), (4, "until", "Monday")),
    "a cycle that still runs": (
        "cycles.csv",
        ("2026-W46,2026-11-09,2026-11-16", "2026-W47,2026-11-16,2026-11-23"),
        (4, "until", "are over"),
    ),
    "a cycle that ends on a Tuesday": ("cycles.csv", (",2026-11-16", ",2026-11-17"), (4, "until", "Monday")),
    "a week under another one's name": ("cycles.csv", ("2026-W46", "2026-W47"), (4, "name", "2026-W46")),
    "a line outside the cycles": ("lines.csv", ("2026-W46", "2026-W47"), (4, "cycle", "no “2026-W47”")),
    "a line for nobody": ("lines.csv", ("A1003", "A9"), (5, "code", "no “A9”")),
    "an unknown kind": ("lines.csv", ("direct", "bonus"), (6, "kind", "“bonus” is not known")),
    "an amount that is none": ("lines.csv", ("9.60", '"1,234.5x"'), (6, "amount", "amount like 1,234.50")),
    "an amount in thousandths": ("lines.csv", ("9.60", "9.605"), (6, "amount", "amount like 1,234.50")),
    "volume of nobody": ("volumes.csv", ("A1004", "A9"), (2, "code", "no “A9”")),
    "volume twice": ("volumes.csv", ("W45,A1003", "W45,A1002"), (4, "code", "on line 3 already")),
    "carry for nobody": ("carry.csv", ("A1002", "A9"), (3, "code", "no “A9”")),
    "carry twice": ("carry.csv", ("A1002", "A1001"), (3, "code", "on line 2 already")),
    "money to date below 0": ("carry.csv", ("96.00", "-96.00"), (2, "paid_to_date", "below 0")),
    "an unknown rank": ("carry.csv", ("96.00,0,", "96.00,0,king"), (2, "rank", "no rank “king”")),
    "a negative balance": ("balances.csv", ("412.80", "-412.80"), (4, "amount", "above 0")),
    "free and owing": ("balances.csv", ("A1006,debt", "A1002,debt"), (7, "kind", "at the same time")),
    "a balance for nobody": ("balances.csv", ("A1006", "A9"), (7, "code", "no “A9”")),
    "pending without a day": ("balances.csv", ("60.00,2026-11-30", "60.00,"), (6, "due_on", "needs the day")),
    "a day for what is free": (
        "balances.csv",
        ("412.80,", "412.80,2026-11-30"),
        (4, "due_on", "only p"),
    ),
    "the same balance twice": (
        "balances.csv",
        ("2026-11-30\nA1002", "2026-11-23\nA1002"),
        (3, "code", "on"),
    ),
    "a plan that is none": ("plan.json", ('"percent"', '"often"'), (1, "", "mode")),
    "a plan that is no JSON": ("plan.json", ('"weekly",', '"weekly"'), (5, "", "not JSON")),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_fault_is_named_by_file_line_and_column(what):
    name, (old, new), (line, column, words) = SPOILED[what]
    contents = example()
    text = contents[name].decode()
    assert old in text
    text = text.replace(old, new) if new == ";" else text.replace(old, new, 1)
    contents[name] = text.encode()

    shown = faults_of(contents).shown()
    assert [fault for fault in shown if (fault.file, fault.line, fault.column) == (name, line, column)], shown
    assert any(words in fault.text for fault in shown if fault.line == line), shown


def test_a_mark_of_utf_8_and_windows_line_ends_are_no_fault():
    contents = {name: b"\xef\xbb\xbf" + each.replace(b"\n", b"\r\n") for name, each in example().items()}
    assert faults_of(contents).shown() == []


def test_other_encodings_are_named_with_their_line():
    contents = example() | {
        "consultants.csv": example()["consultants.csv"].decode().replace("Ines", "Inês").encode("latin-1"),
        "cycles.csv": example()["cycles.csv"].decode().encode("utf-16"),
    }
    found = {(fault.file, fault.line) for fault in faults_of(contents).shown() if "UTF-8" in fault.text}
    assert found == {("consultants.csv", 5), ("cycles.csv", 1)}


def test_lines_are_counted_as_an_editor_counts_them_after_a_break_inside_quotes():
    contents = example()
    text = contents["consultants.csv"].decode().replace("Osei, Daniel", "Osei,\nDaniel")
    contents["consultants.csv"] = text.replace("ravi@", "ravi").encode()

    assert [(fault.line, fault.column) for fault in faults_of(contents).shown()] == [
        (4, "name"),
        (8, "email"),
    ]


def test_files_that_are_missing_empty_or_unknown_are_named():
    contents = example() | {"carry.csv": b"", "carries.csv": b"code\n"}
    del contents["consultants.csv"]
    found = {(fault.file, fault.text[:20]) for fault in faults_of(contents).shown()}
    assert {
        ("consultants.csv", "this file is needed "),
        ("carry.csv", "the file is empty; i"),
        ("carries.csv", "no import knows a fi"),
    } <= found


def test_no_more_faults_are_kept_than_anybody_reads_but_all_are_counted():
    heads = "code,name,email,country,pack,status,sponsor,joined_at\n"
    contents = {"consultants.csv": (heads + "A 1,,nobody,USA,gold,,A9,never\n" * 1_000).encode()}
    faults = faults_of(contents, most=50)

    assert faults.count > 6_000
    assert (len(faults.shown()), faults.rest) == (50, faults.count - 50)
