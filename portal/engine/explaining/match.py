"""The binary rule in words with its numbers, for one member, in each mode."""

from __future__ import annotations

from portal.engine.arithmetic import MONEY_UNIT
from portal.engine.binary_plan import Binary, Pairs, Percent
from portal.engine.cycle import Result
from portal.engine.explaining.written import percent, text_of
from portal.engine.ranks import PaidAs

Fraction = tuple[int, int]


def words_of_match(result: Result, member: int) -> tuple[Fraction, list[str]]:
    """Cents before rounding for all that was matched, and how they came about."""
    plan, network, members = result.inputs.plan, result.inputs.network, result.members
    assert plan.binary is not None
    matched, earned = int(members.matched[member]), int(members.binary_earned[member])
    pack, mode = network.packs[network.pack[member]], plan.binary.mode
    left, right = legs_before(result, member)
    words = [f"left {text_of(left)}, right {text_of(right)}: {text_of(matched)} matched"]
    fraction = (earned, 1)
    if isinstance(mode, Percent):
        own_rate = mode.rate[pack]
        fraction = (matched * plan.point_value * own_rate, MONEY_UNIT)
        words.append(f"x point value {text_of(plan.point_value)} x {percent(own_rate)} (pack {pack})")
    elif isinstance(mode, Pairs):
        pairs = matched // mode.weak
        words.append(
            f"{pairs} pairs of {text_of(mode.strong)} and {text_of(mode.weak)}, {text_of(mode.pay)} each"
        )
    else:
        words.append(f"the tier of {text_of(matched)} pays {text_of(earned)}")
    return fraction, words + caps_in_words(result, member, plan.binary, pack)


def facts_of_match(result: Result, member: int) -> dict[str, int]:
    """The numbers of `words_of_match` by name, as far as the mode and the pack have them."""
    plan, network = result.inputs.plan, result.inputs.network
    assert plan.binary is not None
    mode, pack = plan.binary.mode, network.packs[network.pack[member]]
    left, right = legs_before(result, member)
    matched, money = int(result.members.matched[member]), cap_money(result, member, plan.binary, pack)
    facts = {"left": left, "right": right, "matched": matched}
    if isinstance(mode, Percent):
        facts |= {"rate": mode.rate[pack], "point_value": plan.point_value}
        facts |= {"cap_volume": mode.cap_volume[pack]} if pack in mode.cap_volume else {}
    elif isinstance(mode, Pairs):
        facts |= {"strong": mode.strong, "weak": mode.weak, "pay": mode.pay, "pairs": matched // mode.weak}
        facts |= {"cap_pairs": mode.cap_pairs[pack]} if pack in mode.cap_pairs else {}
    if money is not None:
        facts |= {"cap_money": money, "cap_by_rank": int(money > plan.binary.cap_money[pack])}
    return facts


def legs_before(result: Result, member: int) -> tuple[int, int]:
    """Both legs as they were matched: carried in, new and restored."""
    state, members = result.inputs.state, result.members
    restored = int(members.restored[member])
    left = int(state.carry_left[member]) + int(members.new_left[member]) + restored
    right = int(state.carry_right[member]) + int(members.new_right[member]) + restored
    return left, right


def caps_in_words(result: Result, member: int, binary: Binary, pack: str) -> list[str]:
    """The caps that the pack has, and what the rank makes of them."""
    words, money = [], cap_money(result, member, binary, pack)
    if isinstance(binary.mode, Percent) and pack in binary.mode.cap_volume:
        words.append(f"cap on volume (pack {pack}): {text_of(binary.mode.cap_volume[pack])}")
    if isinstance(binary.mode, Pairs) and pack in binary.mode.cap_pairs:
        words.append(f"cap on pairs (pack {pack}): {binary.mode.cap_pairs[pack]}")
    if money is not None:
        words.append(f"cap on money (pack {pack}, or the rank's if larger): {text_of(money)}")
    return words


def cap_money(result: Result, member: int, binary: Binary, pack: str) -> int | None:
    """How much the binary may pay this member; None without a cap."""
    if pack not in binary.cap_money:
        return None
    ranks = PaidAs(result.members.rank, result.inputs.plan.ranks)
    return max(binary.cap_money[pack], int(ranks.cap[member]))
