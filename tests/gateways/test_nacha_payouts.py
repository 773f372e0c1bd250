"""The NACHA file is as long, as wide and as summed up as the format says; returns are read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from portal.gateways.nacha import BadFile, Credit, Originator, nacha_file, read_returns

COMPANY = Originator("021000021", "Bank of Tests", "Canopy, Inc.", "1123456789")
MADE, DAY = datetime(2026, 11, 22, 9, 30), date(2026, 11, 24)  # noqa: DTZ001
BEN = Credit("PO-22223-A", "Ben Müller", "011401533", "123456789", "checking", 50_00)


def a_file(*credits: Credit, company: Originator = COMPANY) -> list[str]:
    return nacha_file(credits, originator=company, made_at=MADE, effective_on=DAY).decode().splitlines()


def test_every_line_has_94_characters_and_ten_lines_make_a_block():
    for count in range(1, 25):
        lines = a_file(*[BEN] * count)

        assert {len(line) for line in lines} == {94}
        assert len(lines) % 10 == 0
        assert int(next(line for line in lines if line.startswith("9000001"))[7:13]) == len(lines) // 10


def test_the_lines_say_what_the_format_asks_for():
    header, batch, entry, control, file_control = a_file(BEN)[:5]

    assert header == (
        "101 02100002111234567892611220930A094101BANK OF TESTS          CANOPY, INC.           " + " " * 8
    )
    assert batch[:4] == "5220" and batch[50:53] == "PPD" and batch[69:75] == "261124"
    assert entry == (
        "622011401533123456789        0000005000PO-22223-A     BEN M LLER              0021000020000001"
    )
    assert control == (
        "822000000100011401530000000000000000000050001123456789" + " " * 25 + "021000020000001"
    )
    assert file_control == "9000001000001000000010001140153000000000000000000005000" + " " * 39


def test_hash_and_sum_count_every_entry():
    lines = a_file(
        BEN, replace(BEN, routing="021000021", amount_cents=1), replace(BEN, account_type="savings")
    )

    control = next(line for line in lines if line.startswith("8"))
    assert int(control[4:10]) == 3
    assert int(control[10:20]) == 1140153 + 2100002 + 1140153
    assert int(control[32:44]) == 100_01
    assert [line[79:94] for line in lines if line.startswith("6")] == [
        f"02100002{number:07d}" for number in (1, 2, 3)
    ]
    assert lines[4].startswith("632")


@pytest.mark.parametrize(
    "wrong",
    [
        {"routing": "011401534"},
        {"routing": "1140153"},
        {"amount_cents": 0},
        {"amount_cents": 10**10},
        {"account": "1" * 18},
        {"account_type": "credit"},
    ],
)
def test_what_no_bank_would_take_is_refused(wrong):
    with pytest.raises(BadFile):
        a_file(replace(BEN, **wrong))


def test_a_file_without_payments_or_of_another_class_is_refused():
    with pytest.raises(BadFile):
        a_file()
    with pytest.raises(BadFile):
        a_file(BEN, company=replace(COMPANY, entry_class="WEB"))


def returns(*codes: str) -> bytes:
    entry = a_file(BEN)[2]
    lines = []
    for code in codes:
        lines += [entry, f"799{code}021000020000001      01140153".ljust(79) + "011401530000001"]
    return "\r\n".join([*a_file(BEN)[:2], *lines, *a_file(BEN)[3:]]).encode()


def test_a_return_file_names_payment_amount_and_reason():
    (known, unknown) = read_returns(returns("R02", "R77"))

    assert (known.reference, known.amount_cents, known.code) == ("PO-22223-A", 50_00, "R02")
    assert known.reason == "R02: the account is closed"
    assert unknown.reason == "R77: returned by the bank"


@pytest.mark.parametrize("content", [b"6" * 93, "ü".encode(), b"799R02".ljust(94), returns("X02")])
def test_a_return_file_that_cannot_be_read_says_so(content):
    with pytest.raises(BadFile):
        read_returns(content)
