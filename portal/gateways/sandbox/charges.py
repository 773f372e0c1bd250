"""What happens to money that was paid at the test Stripe: it is refunded, disputed, won back."""

from __future__ import annotations

from typing import Any

from portal.gateways.sandbox.balance import DISPUTE_FEE_CENTS, Move, moved
from portal.gateways.sandbox.play import NotInThisState, Play
from portal.gateways.sandbox.store import Answer, Books, Document, new_id
from portal.gateways.sandbox.stripe_form import BadRequest
from portal.gateways.sandbox.stripe_objects import PRIVATE

OPEN_DISPUTES = ("needs_response", "under_review")


def charge_of(books: Books, intent_id: str) -> Document:
    """The charge of a payment intent. Raises `BadRequest`."""
    intent = books.find("payment_intent", intent_id)
    charge = books.find("charge", intent["latest_charge"]) if intent else None
    if charge is None:
        raise BadRequest(
            f"No such payment_intent: {intent_id}", parameter="payment_intent", code="resource_missing"
        )
    return charge


def charge_of_session(books: Books, session: Document) -> Document:
    """The newest charge of a session: its own, or that of its subscription's newest invoice."""
    intents = session[PRIVATE].get("intents") or []
    if not intents:
        raise NotInThisState
    return charge_of(books, intents[-1])


def create_refund(play: Play, books: Books, parameters: dict[str, Any]) -> Answer:
    """A refund asked for through the interface. Raises `BadRequest`."""
    charge = charge_of(books, str(parameters.get("payment_intent", "")))
    left = charge["amount"] - charge["amount_refunded"]
    amount = int(parameters.get("amount") or left)
    if charge["disputed"]:
        raise BadRequest("This charge has been charged back.", code="charge_disputed")
    if left == 0:
        raise BadRequest("This charge has already been refunded.", code="charge_already_refunded")
    if not 0 < amount <= left:
        raise BadRequest("Refund amount is greater than unrefunded amount on charge.", parameter="amount")
    return Answer(200, _refund(play, books, charge, amount=amount, marks=parameters.get("metadata") or {}))


def refund_all(play: Play, books: Books, session: Document) -> None:
    """Give back what is left of a session's newest charge."""
    charge = charge_of_session(books, session)
    _refund_some(play, books, charge, charge["amount"] - charge["amount_refunded"])


def refund_part(play: Play, books: Books, session: Document) -> None:
    """Give back a third of a session's newest charge."""
    charge = charge_of_session(books, session)
    _refund_some(play, books, charge, charge["amount"] // 3)


def fail_refund(play: Play, books: Books, session: Document) -> None:
    """The bank does not take the newest refund of a session: the money is back with the company."""
    charge = charge_of_session(books, session)
    done = [each for each in _refunds(books, charge) if each["status"] != "failed"]
    if not done:
        raise NotInThisState
    refund = {**done[0], "status": "failed", "failure_reason": "expired_or_canceled_card"}
    charge["amount_refunded"] -= refund["amount"]
    back = moved(books, refund, Move("refund_failure", refund["amount"]), now=play.now())
    refund["failure_balance_transaction"] = back["id"]
    books.save("charge", charge)
    books.save("refund", refund)
    play.tell(books, "refund.failed", refund)


def dispute(play: Play, books: Books, session: Document) -> None:
    """The customer's bank takes a session's newest charge back."""
    charge = charge_of_session(books, session)
    if charge["disputed"]:
        raise NotInThisState
    charge["disputed"] = True
    books.save("charge", charge)
    thing = {
        "id": f"dp_{new_id('d')[2:]}",
        "object": "dispute",
        "livemode": False,
        "created": play.now(),
        "amount": charge["amount"] - charge["amount_refunded"],
        "currency": charge["currency"],
        "charge": charge["id"],
        "payment_intent": charge["payment_intent"],
        "reason": "product_not_received",
        "status": "needs_response",
        "metadata": {},
    }
    gone = moved(books, thing, Move("adjustment", -thing["amount"], DISPUTE_FEE_CENTS), now=play.now())
    thing["balance_transactions"] = [gone]
    books.save("dispute", thing)
    play.tell(books, "charge.dispute.created", thing)
    play.tell(books, "charge.dispute.funds_withdrawn", thing)


def win(play: Play, books: Books, session: Document) -> None:
    """The bank gives a disputed charge back, and Stripe its fee."""
    thing = _open_dispute(books, session)
    thing["status"] = "won"
    back = moved(books, thing, Move("adjustment", thing["amount"], -DISPUTE_FEE_CENTS), now=play.now())
    thing["balance_transactions"].append(back)
    books.save("dispute", thing)
    play.tell(books, "charge.dispute.closed", thing)
    play.tell(books, "charge.dispute.funds_reinstated", thing)


def lose(play: Play, books: Books, session: Document) -> None:
    """The bank keeps a disputed charge."""
    thing = _open_dispute(books, session)
    thing["status"] = "lost"
    books.save("dispute", thing)
    play.tell(books, "charge.dispute.closed", thing)


def refunds_of_intent(books: Books, intent_id: str) -> list[Document]:
    """The refunds of a payment intent, newest first."""
    return _refunds(books, charge_of(books, intent_id))


def disputes_of(books: Books, session: Document) -> list[Document]:
    """The disputes of a session's charges, newest first."""
    intents = session[PRIVATE].get("intents") or []
    return [each for each in books.newest("dispute") if each["payment_intent"] in intents]


def _refund_some(play: Play, books: Books, charge: Document, amount: int) -> None:
    if charge["disputed"] or not 0 < amount <= charge["amount"] - charge["amount_refunded"]:
        raise NotInThisState
    _refund(play, books, charge, amount=amount, marks={})


def _refund(play: Play, books: Books, charge: Document, *, amount: int, marks: dict[str, str]) -> Document:
    refund = {
        "id": f"re_{new_id('r')[2:]}",
        "object": "refund",
        "livemode": False,
        "created": play.now(),
        "amount": amount,
        "currency": charge["currency"],
        "charge": charge["id"],
        "payment_intent": charge["payment_intent"],
        "reason": "requested_by_customer",
        "status": "succeeded",
        "metadata": marks,
    }
    gone = moved(books, refund, Move("refund", -amount), now=play.now())
    refund["balance_transaction"] = gone["id"]
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    books.save("charge", charge)
    books.save("refund", refund)
    play.tell(books, "refund.created", refund)
    play.tell(books, "charge.refunded", charge)
    return refund


def _refunds(books: Books, charge: Document) -> list[Document]:
    return [each for each in books.newest("refund", limit=10_000) if each["charge"] == charge["id"]]


def _open_dispute(books: Books, session: Document) -> Document:
    standing = [each for each in disputes_of(books, session) if each["status"] in OPEN_DISPUTES]
    if not standing:
        raise NotInThisState
    return standing[0]
