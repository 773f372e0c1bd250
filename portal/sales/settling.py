"""The difference between what a contract should have earned and what it has: written into the open cycle.

What it should have earned follows from its history, its terms, and what of its price stayed paid. So facts
that come late, again or corrected end in the same books as those that come in their order. Where they bring
terms that share the revenue otherwise, what was sold by others is taken back whole and sold anew by these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import exists, select

from portal.kernel.money import Cents, Volume
from portal.models import Contract, ContractFact, HeldSale, Order, Sale, TermsVersion
from portal.payments.orders import kept_of
from portal.sales import cooling_off, history
from portal.sales.facts import facts_of, keep_what_was_known
from portal.sales.gates import Asked, Rules, hold_own_use, judge, judge_own_use
from portal.sales.history import History
from portal.sales.holding import GONE, HELD, REFUSED, RELEASED, close, held_of, hold
from portal.sales.refusals import NotYetKnown
from portal.sales.sold import Sold, Till, sold_of
from portal.sales.worth import NOTHING, WHOLE, Worth, is_paid_by_size, terms_on, worth
from portal.store import UnitOfWork


@dataclass
class Settled:
    """What settling changed: sales and reversals that were written, and what is held now or otherwise.

    `still` is held as it was before; `waiting` are months that would be paid if the service were not
    suspended; `otherwise` says what an event told that was not taken.
    """

    history: History
    written: list[Sale] = field(default_factory=list)
    held: list[HeldSale] = field(default_factory=list)
    still: list[HeldSale] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    otherwise: str = ""


@dataclass
class _Milestone:
    """One milestone: what it should have earned, what was sold of it, and what is held back."""

    name: str
    wanted: Worth
    sold: Sold
    held: HeldSale | None
    reached_at: datetime


def settle(uow: UnitOfWork, contract: Contract, *, at: datetime, only: ContractFact | None = None) -> Settled:
    """Bring the row and the sales of a contract, which is locked, in line with what was said of it.

    `at` is when that happened which makes the difference; `only` is all that was said of a contract that was
    opened in this unit of work, so that nothing was sold of it. Raises `NotYetKnown` where a size or an open
    cycle is missing.
    """
    is_new = only is not None
    hold_own_use(uow, [contract.customer])
    past = history.read([only]) if only is not None else _history(uow, contract)
    order, is_held = (None, False) if is_new else _order_and_held(uow, contract)
    terms = _agree(uow, contract, past, order=order, at=at)
    wanted = _wanted(uow, contract, past, terms=terms, order=order)
    sold = {} if is_new else sold_of(uow, contract)
    held = held_of(uow, contract) if is_held else {}
    till, done = Till(uow, contract), Settled(past)
    for name in dict.fromkeys((*wanted, *sold, *held)):
        reached = past.reached.get(name)
        milestone = _Milestone(
            name,
            wanted.get(name, NOTHING),
            sold.get(name, Sold()),
            held.get(name),
            reached.at if reached else at,
        )
        asked = Asked(contract, terms, past, name, milestone.reached_at)
        before = _held_for(milestone.held)
        _settle_one(uow, till, milestone, asked=asked, at=at)
        if milestone.held is not None and milestone.held.state == HELD:
            is_news = _held_for(milestone.held) != before
            (done.held if is_news else done.still).append(milestone.held)
    done.written = till.written
    done.waiting = [name for name in past.waiting if worth(terms, size_thousandths=1, milestone=name)]
    uow.session.flush()
    return done


def _held_for(held: HeldSale | None) -> tuple[object, ...] | None:
    """What its vendor is told of something that is held."""
    if held is None:
        return None
    return held.state, held.volume, held.revenue_cents, held.reasons


def _history(uow: UnitOfWork, contract: Contract) -> History:
    said = facts_of(uow, contract)
    if len(said) <= 1:
        # It may stand there with sales alone: then those were its facts before this one.
        keep_what_was_known(uow, contract, said=said)
        said = facts_of(uow, contract)
    return history.read(said)


def _order_and_held(uow: UnitOfWork, contract: Contract) -> tuple[Order | None, bool]:
    """The order that a contract was paid by here, and whether anything of it was ever held."""
    is_held = exists().where(HeldSale.contract_id == contract.id)
    both = select(Order, is_held).select_from(Contract).outerjoin(Order, Order.contract_id == Contract.id)
    row = uow.session.execute(both.where(Contract.id == contract.id)).unique().one()
    return row[0], bool(row[1])


def _agree(
    uow: UnitOfWork, contract: Contract, past: History, *, order: Order | None, at: datetime
) -> TermsVersion:
    """Let the row say what the history says; a changed day of signing may bring other terms."""
    contract.size_thousandths = past.size_thousandths
    contract.activated_at = past.activated_at
    contract.refunded_share = past.refunded_share
    if order is None or order.state == "paid":
        contract.state, contract.cancelled_at = past.state, past.cancelled_at
    else:
        ends = (contract.cancelled_at, past.cancelled_at)
        contract.cancelled_at = min((end for end in ends if end is not None), default=at)
        contract.state = "cancelled"
    if contract.signed_on != past.signed_on:
        contract.signed_on = past.signed_on
        contract.terms_version_id = terms_on(uow.session, service=contract.service, day=past.signed_on).id
        cooling_off.count_last_day(uow, contract)
    return uow.session.get_one(TermsVersion, contract.terms_version_id)


def _wanted(
    uow: UnitOfWork, contract: Contract, past: History, *, terms: TermsVersion, order: Order | None
) -> dict[str, Worth]:
    """By milestone, what it should have earned: its worth, as far as its price stayed paid."""
    if order is not None and order.state != "paid":
        return {}
    kept = None if order is None else kept_of(uow, order)
    paid = (kept.cents, kept.of) if kept is not None and kept.of else (1, 1)
    wanted = {}
    for name, reached in past.reached.items():
        shares = paid, (WHOLE - past.refunded(name), WHOLE)
        value = worth(terms, size_thousandths=reached.size_thousandths, milestone=name, shares=shares)
        if value is None:
            continue
        if not reached.size_thousandths and is_paid_by_size(terms, name):
            raise NotYetKnown(f"The size of contract {contract.ref} is not known yet.", field="contract.size")
        wanted[name] = value
    return wanted


def _settle_one(uow: UnitOfWork, till: Till, one: _Milestone, *, asked: Asked, at: datetime) -> None:
    if one.held is not None and one.held.state == REFUSED:
        one.wanted = _least(one.wanted, one.sold.net)
    others = _shared_otherwise(uow, one.sold, asked.terms)
    till.take_back(one.name, others.net, at=at, sales=others.sales)
    till.take_back(one.name, _above(one.sold.net, one.wanted), at=at, sales=one.sold.sales)
    missing, is_anew = _above(one.wanted, one.sold.net), bool(others.sales)
    is_first = is_anew or not one.sold.sales
    rules = _rules(one, is_anew=is_anew, own_use=asked.contract.customer.own_use)
    if rules is not None:
        missing = _judged(uow, one, asked=asked, missing=missing, rules=rules)
    if missing != NOTHING:
        # What was held or is sold anew counts when it was reached, so that own use stays in its month.
        till.sell(one.name, missing, at=one.reached_at if is_first or rules else at, earlier=one.sold)


def _shared_otherwise(uow: UnitOfWork, sold: Sold, terms: TermsVersion) -> Sold:
    """What is left of sales whose terms share revenue otherwise than these.

    The difference in revenue says nothing of them: they are taken back whole and sold anew.
    """
    by_terms = {left.terms_id for left in sold.sales if (left.volume, left.revenue) != (0, 0)} - {terms.id}
    others = {each for each in by_terms if uow.session.get_one(TermsVersion, each).shares != terms.shares}
    return Sold([left for left in sold.sales if left.terms_id in others])


def _is_judged(one: _Milestone, *, is_anew: bool) -> bool:
    """Rules are asked before the first sale, and before what is sold anew by other terms.

    What somebody released or refused with a reason stays so.
    """
    if one.held is None:
        return is_anew or not one.sold.sales
    if one.held.state == RELEASED:
        return is_anew and one.held.settled_by is None
    return one.held.state in (HELD, GONE)


def _rules(one: _Milestone, *, is_anew: bool, own_use: bool) -> Rules | None:
    """Which rules speak about what is missing.

    Own use keeps its limit however small it began, unless a person decided.
    """
    if _is_judged(one, is_anew=is_anew):
        return judge
    is_decided = one.held is not None and one.held.settled_by is not None
    return judge_own_use if own_use and not is_decided else None


def _judged(uow: UnitOfWork, one: _Milestone, *, asked: Asked, missing: Worth, rules: Rules) -> Worth:
    """What of the missing part may be sold now; the rest is held."""
    verdict = rules(uow, asked, missing) if missing != NOTHING else None
    if verdict is not None and verdict.reasons:
        rest = _above(missing, verdict.free)
        one.held = hold(uow, one.held, asked, value=rest, reasons=verdict.reasons)
    elif one.held is not None and one.held.state == HELD:
        close(uow, one.held, state=RELEASED if verdict else GONE)
    return verdict.free if verdict else NOTHING


def _above(more: Worth, less: Worth) -> Worth:
    """What one worth has beyond another; never below nothing."""
    return Worth(Volume(max(more.volume - less.volume, 0)), Cents(max(more.revenue - less.revenue, 0)))


def _least(one: Worth, other: Worth) -> Worth:
    """No more than either, of volume and of revenue."""
    return Worth(Volume(min(one.volume, other.volume)), Cents(min(one.revenue, other.revenue)))
