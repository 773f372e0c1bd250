"""Saying yes to withdrawals, one or many: never one's own, never what one made, and only what can be paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from portal.kernel.errors import Conflict, DomainError
from portal.kernel.facts import WithdrawalApproved
from portal.kernel.money import Cents
from portal.ledger.accounts import receivable
from portal.ledger.releases import held_wallets
from portal.models import Destination, TaxForm, TaxYear, Withdrawal
from portal.payouts.own import own_consultants
from portal.payouts.payees import tax_years
from portal.payouts.payees.methods import AUTOMATIC_KINDS
from portal.payouts.stops import refuse_while_stopped
from portal.payouts.terms import deducted, demand_form, refuse_while_resting
from portal.store.locks import lock_row
from portal.store.unit_of_work import UnitOfWork

_AT_ONCE = 500


@dataclass(frozen=True)
class Refused:
    """A withdrawal that was not approved, and why."""

    withdrawal_id: int
    reason: str


@dataclass(frozen=True)
class _Known:
    """What a decision on some withdrawals rests on; debts are locked until the commit."""

    actor_id: int
    own: frozenset[int]
    debts: dict[int, int]
    destinations: dict[int, Destination]
    forms: dict[int, TaxForm]
    rules: TaxYear


def approve(uow: UnitOfWork, *, withdrawal_id: int, actor_id: int) -> Withdrawal:
    """Say yes to somebody else's withdrawal: a provider's waits for its turn, a file's for its export.

    What is withheld for tax follows the form that is valid now. Raises `Conflict` once it is decided, while
    its owner owes money, while new payment details rest or while payouts are stopped; `DomainError` for
    one's own and for what one made oneself; `BadInput` without the tax form that is needed.
    """
    withdrawal = lock_row(uow, Withdrawal, withdrawal_id)
    if withdrawal.state != "requested":
        raise Conflict(f"This withdrawal is {withdrawal.state}.")
    _approve(uow, withdrawal, _known(uow, [withdrawal], actor_id))
    uow.session.flush()
    return withdrawal


def approve_selection(uow: UnitOfWork, *, selection_id: int, actor_id: int) -> list[Refused]:
    """Say yes to all that a selection made and that nobody decided on; what is refused stays as it is.

    Raises `DomainError` for the person who made it.
    """
    refused: list[Refused] = []
    for some in _waiting(uow, selection_id):
        known = _known(uow, some, actor_id)
        if any(withdrawal.requested_by == actor_id for withdrawal in some):
            raise DomainError("You made these withdrawals. Somebody else has to approve them.")
        for withdrawal in some:
            try:
                _approve(uow, withdrawal, known)
            except DomainError as refusal:
                refused.append(Refused(withdrawal.id, refusal.message))
        uow.session.flush()
    return refused


def is_own(uow: UnitOfWork, *, consultant_id: int, actor_id: int) -> bool:
    """Whether the wallet belongs to the person who acts."""
    return consultant_id in _own(uow, actor_id)


def _approve(uow: UnitOfWork, withdrawal: Withdrawal, known: _Known) -> None:
    _refuse_people(withdrawal, known)
    if known.debts.get(withdrawal.consultant_id, 0) > 0:
        raise Conflict("A correction is open on this wallet. Reject the withdrawal; its money pays the debt.")
    now, automatic = uow.clock(), False
    if withdrawal.destination_id is not None:
        destination = known.destinations[withdrawal.destination_id]
        automatic = destination.method.kind in AUTOMATIC_KINDS
        _settle_terms(uow, withdrawal, destination, known)
    if automatic:
        refuse_while_stopped(uow)
        withdrawal.next_at = now
    withdrawal.state = "queued" if automatic else "approved"
    withdrawal.decided_by, withdrawal.decided_at = known.actor_id, now
    uow.note("withdrawal.approve", thing="withdrawal", thing_id=withdrawal.id, actor_id=known.actor_id)
    uow.publish(WithdrawalApproved(withdrawal.id), key=f"withdrawal.approved:{withdrawal.id}")


def _refuse_people(withdrawal: Withdrawal, known: _Known) -> None:
    if withdrawal.consultant_id in known.own:
        raise DomainError("Somebody else has to decide on your own withdrawal.")
    if withdrawal.requested_by == known.actor_id:
        raise DomainError("You made this withdrawal. Somebody else has to approve it.")


def _settle_terms(uow: UnitOfWork, withdrawal: Withdrawal, destination: Destination, known: _Known) -> None:
    """Freeze what is withheld; refuse a destination that changed or is too new."""
    now = uow.clock()
    if destination.replaced_at is not None:
        raise Conflict("The payment details were changed after this was asked. It has to be asked again.")
    refuse_while_resting(destination, now=now)
    form = known.forms.get(withdrawal.consultant_id)
    if form is None:
        # The withdrawal counts already among what was asked for in this year.
        form = demand_form(uow.session, withdrawal.consultant_id, amount=0, now=now)
    amount = Cents(withdrawal.amount_cents)
    withheld = tax_years.withheld_of(amount, known.rules) if form and form.backup_withholding else 0
    if withheld != withdrawal.withheld_cents:
        withdrawal.withheld_cents = deducted(
            uow.session, destination.method, amount, form=form, now=now
        ).withheld


def _waiting(uow: UnitOfWork, selection_id: int) -> list[Sequence[Withdrawal]]:
    ours = (Withdrawal.selection_id == selection_id, Withdrawal.state == "requested")
    ids = uow.session.scalars(select(Withdrawal.id).where(*ours).order_by(Withdrawal.id)).all()
    return [_locked(uow, ids[start : start + _AT_ONCE]) for start in range(0, len(ids), _AT_ONCE)]


def _locked(uow: UnitOfWork, ids: Sequence[int]) -> Sequence[Withdrawal]:
    return uow.session.scalars(
        select(Withdrawal)
        .where(Withdrawal.id.in_(ids), Withdrawal.state == "requested")
        .order_by(Withdrawal.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _known(uow: UnitOfWork, withdrawals: Sequence[Withdrawal], actor_id: int) -> _Known:
    owners = [withdrawal.consultant_id for withdrawal in withdrawals]
    wallets = held_wallets(uow, owners)
    places = {withdrawal.destination_id for withdrawal in withdrawals} - {None}
    destinations = uow.session.scalars(select(Destination).where(Destination.id.in_(places))).unique()
    forms = uow.session.scalars(
        select(TaxForm).where(TaxForm.consultant_id.in_(owners), TaxForm.state == "valid")
    )
    return _Known(
        actor_id=actor_id,
        own=_own(uow, actor_id),
        debts={owner: wallets[receivable(owner)] for owner in owners},
        destinations={destination.id: destination for destination in destinations},
        forms={form.consultant_id: form for form in forms},
        rules=tax_years.rules_of(uow.session, uow.clock().year),
    )


def _own(uow: UnitOfWork, actor_id: int) -> frozenset[int]:
    return frozenset(uow.session.scalars(own_consultants(actor_id)))
