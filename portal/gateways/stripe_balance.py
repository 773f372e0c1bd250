"""What Stripe wrote into its own books for a payment, a refund or a dispute, and the fees it kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal.kernel.provider_events import MoneyMove

if TYPE_CHECKING:
    import stripe

Thing = dict[str, Any]


@dataclass(frozen=True)
class _Question:
    """Where a kind of thing is asked for, what is put in the place of ids, and where its moves stand."""

    service: str
    expand: tuple[str, ...]
    moves: Callable[[Thing], list[Any]]


def _of_intent(intent: Thing) -> list[Any]:
    charge = intent.get("latest_charge")
    return [charge.get("balance_transaction")] if isinstance(charge, dict) else []


def _of_refund(refund: Thing) -> list[Any]:
    return [refund.get("balance_transaction"), refund.get("failure_balance_transaction")]


def _of_dispute(dispute: Thing) -> list[Any]:
    return dispute.get("balance_transactions") or []


_QUESTIONS = {
    "payment": _Question("payment_intents", ("latest_charge.balance_transaction",), _of_intent),
    "refund": _Question("refunds", ("balance_transaction", "failure_balance_transaction"), _of_refund),
    "dispute": _Question("disputes", (), _of_dispute),
}


def moves_of(client: stripe.StripeClient, *, kind: str, ref: str) -> list[MoneyMove]:
    """Stripe's moves for a payment intent (`payment`), a refund or a dispute; none where it has none yet.

    Raises `stripe.StripeError` as the SDK does.
    """
    question = _QUESTIONS[kind]
    parameters = {"expand": list(question.expand)} if question.expand else {}
    thing = getattr(client.v1, question.service).retrieve(ref, parameters).to_dict()
    return [_move(each) for each in question.moves(thing) if isinstance(each, dict)]


def _move(transaction: Thing) -> MoneyMove:
    return MoneyMove(
        ref=str(transaction["id"]),
        amount_cents=int(transaction["amount"]),
        fee_cents=int(transaction["fee"]),
        currency=str(transaction["currency"]),
    )
