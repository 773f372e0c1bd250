"""What happens at the test Stripe: sessions open, are paid, expire, renew; and the portal is told."""

from __future__ import annotations

from typing import Any

from portal.gateways.sandbox import stripe_objects
from portal.gateways.sandbox.delivery import Courier
from portal.gateways.sandbox.store import Answer, Books, Document, Store
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
        self._tell(books, "checkout.session.async_payment_succeeded", session)
        if session["subscription"]:
            self._invoice(books, session, invoice_id=session["invoice"], reason="subscription_create")

    def renew(self, books: Books, session: Document) -> None:
        """Charge the subscription of a paid session for one more month. Raises `NotInThisState`."""
        _expect(session["payment_status"] == "paid" and bool(session["subscription"]))
        self._invoice(books, session, invoice_id="", reason="subscription_cycle")

    def _complete(self, books: Books, session: Document, *, paid: bool) -> None:
        stripe_objects.complete(session, paid=paid)
        books.save("session", session)
        self._tell(books, "checkout.session.completed", session)
        if paid and session["subscription"]:
            self._invoice(books, session, invoice_id=session["invoice"], reason="subscription_create")

    def _expire(self, books: Books, session: Document) -> None:
        session.update(status="expired", url=None)
        books.save("session", session)
        self._tell(books, "checkout.session.expired", session)

    def _invoice(self, books: Books, session: Document, *, invoice_id: str, reason: str) -> None:
        invoice = stripe_objects.paid_invoice(session, invoice_id=invoice_id, reason=reason, now=self.now())
        books.save("invoice", invoice)
        self._tell(books, "invoice.paid", invoice)

    def _tell(self, books: Books, kind: str, thing: Document) -> None:
        event = stripe_objects.new_event(kind, thing, now=self.now())
        books.save("event", event)
        self.courier.queue(books, event)


def _expect(right: bool) -> None:
    if not right:
        raise NotInThisState
