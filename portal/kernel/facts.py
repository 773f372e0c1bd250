"""Facts: what happened, in the past tense. Frozen, small, made of ids and numbers only."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Fact:
    """Something that happened; written beside the data it speaks of, read later by jobs."""

    name: ClassVar[str]

    def body(self) -> dict[str, Any]:
        """The fact as it is stored."""
        return asdict(self)


@dataclass(frozen=True)
class ConsultantRegistered(Fact):
    name: ClassVar[str] = "consultant.registered"
    consultant_id: int


@dataclass(frozen=True)
class ConsultantPlaced(Fact):
    name: ClassVar[str] = "consultant.placed"
    consultant_id: int


@dataclass(frozen=True)
class PaymentReceived(Fact):
    name: ClassVar[str] = "payment.received"
    payment_id: int


@dataclass(frozen=True)
class PackChanged(Fact):
    """A consultant fell back to the free pack, or came up again; `number` counts such changes of theirs."""

    name: ClassVar[str] = "pack.changed"
    consultant_id: int
    number: int


@dataclass(frozen=True)
class CustomerRegistered(Fact):
    name: ClassVar[str] = "customer.registered"
    customer_id: int


@dataclass(frozen=True)
class CustomerReachable(Fact):
    """The vendor told the e-mail or phone number of a customer who was registered without it."""

    name: ClassVar[str] = "customer.reachable"
    customer_id: int


@dataclass(frozen=True)
class LeadTaken(Fact):
    name: ClassVar[str] = "lead.taken"
    lead_id: int


@dataclass(frozen=True)
class LeadOffered(Fact):
    name: ClassVar[str] = "lead.offered"
    offer_id: int


@dataclass(frozen=True)
class CustomerSignedUp(Fact):
    """Somebody filled in the sign-up page; their lead has a customer as soon as it has a consultant."""

    name: ClassVar[str] = "customer.signed_up"
    lead_id: int


@dataclass(frozen=True)
class SaleRecorded(Fact):
    name: ClassVar[str] = "sale.recorded"
    sale_id: int


@dataclass(frozen=True)
class SaleReversed(Fact):
    name: ClassVar[str] = "sale.reversed"
    sale_id: int


@dataclass(frozen=True)
class SaleHeld(Fact):
    """A rule of the terms keeps a sale from earning."""

    name: ClassVar[str] = "sale.held"
    held_sale_id: int


@dataclass(frozen=True)
class SaleReleased(Fact):
    """Nothing keeps a held sale from earning any more, or somebody released it."""

    name: ClassVar[str] = "sale.released"
    held_sale_id: int


@dataclass(frozen=True)
class SaleRefused(Fact):
    """Somebody decided that a held sale is never sold."""

    name: ClassVar[str] = "sale.refused"
    held_sale_id: int


@dataclass(frozen=True)
class CycleEnded(Fact):
    name: ClassVar[str] = "cycle.ended"
    cycle_id: int


@dataclass(frozen=True)
class CycleClosed(Fact):
    name: ClassVar[str] = "cycle.closed"
    cycle_id: int


@dataclass(frozen=True)
class CycleUndone(Fact):
    name: ClassVar[str] = "cycle.undone"
    cycle_id: int
    run_id: int


@dataclass(frozen=True)
class CommissionCredited(Fact):
    """A run credited everybody it pays: one fact for all of them."""

    name: ClassVar[str] = "commission.credited"
    cycle_id: int
    run_id: int


@dataclass(frozen=True)
class WithdrawalRequested(Fact):
    name: ClassVar[str] = "withdrawal.requested"
    withdrawal_id: int


@dataclass(frozen=True)
class WithdrawalApproved(Fact):
    name: ClassVar[str] = "withdrawal.approved"
    withdrawal_id: int


@dataclass(frozen=True)
class WithdrawalReturned(Fact):
    name: ClassVar[str] = "withdrawal.returned"
    withdrawal_id: int


@dataclass(frozen=True)
class WithdrawalPaid(Fact):
    name: ClassVar[str] = "withdrawal.paid"
    withdrawal_id: int


@dataclass(frozen=True)
class PayeeChanged(Fact):
    name: ClassVar[str] = "payee.changed"
    destination_id: int
    # The second in which the bank behind an account at a provider changed; 0 where the details are new.
    change: int = 0


@dataclass(frozen=True)
class AdjustmentBooked(Fact):
    name: ClassVar[str] = "adjustment.booked"
    adjustment_id: int


@dataclass(frozen=True)
class MatchRequested(Fact):
    name: ClassVar[str] = "match.requested"
    asked_by: int


@dataclass(frozen=True)
class StatementReceived(Fact):
    name: ClassVar[str] = "statement.received"
    statement_id: int


@dataclass(frozen=True)
class LicenceVerified(Fact):
    name: ClassVar[str] = "licence.verified"
    licence_id: int


@dataclass(frozen=True)
class LicenceRejected(Fact):
    name: ClassVar[str] = "licence.rejected"
    licence_id: int


FACTS: dict[str, type[Fact]] = {fact.name: fact for fact in Fact.__subclasses__()}
