"""What happens at the test Stripe: sessions open, are paid, expire; and the portal is told."""

from __future__ import annotations

from typing import Any

from portal.gateways.sandbox import balance, stripe_objects
from portal.gateways.sandbox.delivery import Courier
from portal.gateways.sandbox.store import Answer, Books, Document, Store, new_id
from portal.gateways.sandbox.stripe_form import BadRequest
from portal.kernel.clock import Clock

PAYS = "4242424242424242"
DECLINES = "4000000000000002"


class Declined(Exception):
    """The card does not pay; the message is for the person at the page."""


class NotInThisState(Exception):
    """The session is no longer, or not yet, where this could happen."""


class Play:
    """The acts of the sandbox, each in one transaction with its events."""

    def __init__(self, store: Store, courier: Courier, *, clock: Clock, public_base_url: str) -> None:
        self.store = store
        self.courier = courier
        self.clock = clock
        self._public_base_url = public_base_url.rstrip("/")

    def now(self) -> int:
        """The second it is, since 1970."""
        return int(self.clock().timestamp())

    def open_session(self, books: Books, parameters: dict[str, Any]) -> Answer:
        """Create a Checkout session from checked parameters."""
        self.expire_due(books)
        session = stripe_objects.new_session(parameters, now=self.now())
        session["url"] = f"{self._public_base_url}/checkout/{session['id']}"
        books.save("session", session)
        return Answer(200, session)

    def open_billing(self, books: Books, parameters: dict[str, Any]) -> Answer:
        """Open the page on which a customer keeps card and subscription. Raises `BadRequest`."""
        customer = str(parameters.get("customer", ""))
        if books.find("customer", customer) is None:
            raise BadRequest(f"No such customer: {customer}", parameter="customer", code="resource_missing")
        page = stripe_objects.new_billing_session(parameters, now=self.now())
        page["url"] = f"{self._public_base_url}/billing/{page['id']}"
        books.save("billing_session", page)
        return Answer(200, page)

    def session(self, books: Books, session_id: str) -> Document | None:
        """A session as it is now: one whose time is over has expired, and that is told."""
        session = books.find("session", session_id)
        if session and session["status"] == "open" and session["expires_at"] <= self.now():
            self._expire(books, session)
        return session

    def expire_due(self, books: Books) -> None:
        """Tell of the sessions whose time is over, though nobody looks at them any more."""
        for session in books.newest("session"):
            if session["status"] == "open" and session["expires_at"] <= self.now():
                self._expire(books, session)

    def expire(self, books: Books, session: Document) -> None:
        """End an open session. Raises `NotInThisState`."""
        _expect(session["status"] == "open")
        self._expire(books, session)

    def pay(self, books: Books, session: Document, *, card: str) -> None:
        """Pay an open session with a test card. Raises `Declined` or `NotInThisState`."""
        _expect(session["status"] == "open")
        if card == DECLINES:
            raise Declined("Your card was declined.")
        if card != PAYS:
            raise Declined("Your card number is not one of the test cards.")
        self._complete(books, session, paid=True)

    def pay_by_bank(self, books: Books, session: Document) -> None:
        """Complete an open session whose money arrives later. Raises `NotInThisState`."""
        _expect(session["status"] == "open")
        self._complete(books, session, paid=False)

    def arrive(self, books: Books, session: Document) -> None:
        """The money of `pay_by_bank` arrives. Raises `NotInThisState`."""
        _expect(session["status"] == "complete" and session["payment_status"] == "unpaid")
        session["payment_status"] = "paid"
        books.save("session", session)
        self.tell(books, "checkout.session.async_payment_succeeded", session)
        self._take(books, session)

    def fail_to_arrive(self, books: Books, session: Document) -> None:
        """The money of `pay_by_bank` does not come. Raises `NotInThisState`."""
        _expect(session["status"] == "complete" and session["payment_status"] == "unpaid")
        self.tell(books, "checkout.session.async_payment_failed", session)

    def bill(
        self, books: Books, session: Document, subscription: Document, *, reason: str, paid: bool
    ) -> None:
        """Write the invoice of a subscription's current month and charge it, or fail to."""
        invoice = stripe_objects.new_invoice(session, subscription, reason=reason, now=self.now())
        subscription["latest_invoice"] = invoice["id"]
        books.save("subscription", subscription)
        books.save("invoice", invoice)
        if paid:
            self.settle(books, session, invoice)
        else:
            self.tell(books, "invoice.payment_failed", invoice)

    def settle(self, books: Books, session: Document, invoice: Document) -> None:
        """Charge an invoice."""
        invoice.update(status="paid", amount_paid=invoice["amount_due"], amount_remaining=0)
        books.save("invoice", invoice)
        intent = self._charge(books, session, new_id("pi"), cents=invoice["amount_due"])
        link = stripe_objects.new_invoice_payment(invoice, intent=intent["id"], now=self.now())
        books.save("invoice_payment", link)
        self.tell(books, "invoice.paid", invoice)
        self.tell(books, "invoice_payment.paid", link)

    def tell(self, books: Books, kind: str, thing: Document) -> None:
        """Make an event and plan its delivery."""
        event = stripe_objects.new_event(kind, thing, now=self.now())
        books.save("event", event)
        self.courier.queue(books, event)

    def _complete(self, books: Books, session: Document, *, paid: bool) -> None:
        stripe_objects.complete(session, paid=paid)
        books.save("customer", stripe_objects.new_customer(session, now=self.now()))
        books.save("session", session)
        if session["subscription"]:
            books.save("subscription", stripe_objects.new_subscription(session, now=self.now()))
        self.tell(books, "checkout.session.completed", session)
        if paid:
            self._take(books, session)

    def _take(self, books: Books, session: Document) -> None:
        """Charge what a completed session asked for."""
        if not session["subscription"]:
            self._charge(books, session, session["payment_intent"], cents=session["amount_total"])
            return
        subscription = books.find("subscription", session["subscription"])
        assert subscription is not None, "a completed session has its subscription"
        self.bill(books, session, subscription, reason="subscription_create", paid=True)

    def _charge(self, books: Books, session: Document, intent_id: str, *, cents: int) -> Document:
        intent, charge = stripe_objects.new_charge(session, intent_id, cents=cents, now=self.now())
        session[stripe_objects.PRIVATE].setdefault("intents", []).append(intent_id)
        balance.take_charge(books, charge, now=self.now())
        books.save("payment_intent", intent)
        books.save("charge", charge)
        books.save("session", session)
        return intent

    def _expire(self, books: Books, session: Document) -> None:
        session.update(status="expired", url=None)
        books.save("session", session)
        self.tell(books, "checkout.session.expired", session)


def _expect(right: bool) -> None:
    if not right:
        raise NotInThisState
