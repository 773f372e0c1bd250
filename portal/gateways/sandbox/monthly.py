"""What happens to subscriptions at the test Stripe: they renew, fail, are paid late, are called off, end."""

from __future__ import annotations

from portal.gateways.sandbox.play import NotInThisState, Play
from portal.gateways.sandbox.store import Books, Document

MONTH_SECONDS = 30 * 86_400


def renew(play: Play, books: Books, session: Document) -> None:
    """One more month is paid. Raises `NotInThisState`."""
    subscription = _running(books, session)
    _next_month(subscription)
    play.bill(books, session, subscription, reason="subscription_cycle", paid=True)
    _change(play, books, subscription, status="active")


def fail_renewal(play: Play, books: Books, session: Document) -> None:
    """The card does not pay one more month. Raises `NotInThisState`."""
    subscription = _running(books, session)
    if subscription["status"] == "past_due":
        raise NotInThisState
    _next_month(subscription)
    play.bill(books, session, subscription, reason="subscription_cycle", paid=False)
    _change(play, books, subscription, status="past_due")


def pay_late(play: Play, books: Books, session: Document) -> None:
    """The month that failed is paid after all. Raises `NotInThisState`."""
    subscription = _running(books, session)
    invoice = books.find("invoice", subscription["latest_invoice"])
    if invoice is None or invoice["status"] != "open":
        raise NotInThisState
    play.settle(books, session, invoice)
    _change(play, books, subscription, status="active")


def call_off(play: Play, books: Books, session: Document) -> None:
    """It will end when the paid month is over. Raises `NotInThisState`."""
    subscription = _running(books, session)
    subscription["cancel_at_period_end"] = True
    subscription["cancel_at"] = subscription["items"]["data"][0]["current_period_end"]
    _change(play, books, subscription, status=subscription["status"])


def end(play: Play, books: Books, session: Document) -> None:
    """It ends at once. Raises `NotInThisState`."""
    subscription = _running(books, session)
    subscription.update(status="canceled", ended_at=play.now(), canceled_at=play.now())
    books.save("subscription", subscription)
    play.tell(books, "customer.subscription.deleted", subscription)


def session_of_customer(books: Books, customer: str) -> Document | None:
    """The newest session that made a subscription of a customer."""
    found = (each for each in books.newest("session", limit=10_000) if each["customer"] == customer)
    return next((each for each in found if each["subscription"]), None)


def _running(books: Books, session: Document) -> Document:
    found = books.find("subscription", session["subscription"] or "")
    if found is None or session["payment_status"] != "paid" or found["status"] == "canceled":
        raise NotInThisState
    return found


def _next_month(subscription: Document) -> None:
    (item,) = subscription["items"]["data"]
    item["current_period_start"] = item["current_period_end"]
    item["current_period_end"] += MONTH_SECONDS


def _change(play: Play, books: Books, subscription: Document, *, status: str) -> None:
    subscription["status"] = status
    books.save("subscription", subscription)
    play.tell(books, "customer.subscription.updated", subscription)
