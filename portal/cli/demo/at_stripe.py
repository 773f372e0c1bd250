"""What the demo's company has at the played Stripe: accounts that are paid, and money that came in there.

It is written down as if it had happened long ago: nobody is told of it, because the books know it already.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from portal.gateways.sandbox import balance, charges, connect, stripe_objects
from portal.gateways.sandbox.delivery import Courier
from portal.gateways.sandbox.play import Play
from portal.gateways.sandbox.store import Books, Document, Store
from portal.kernel.clock import fixed
from portal.kernel.provider_events import MoneyMove


class _Past(Play):
    """The test Stripe at an instant of the past, which tells nobody."""

    def tell(self, books: Books, kind: str, thing: Document) -> None:
        """What happened is known already."""


class PlayedStripe:
    """The played Stripe beside this portal's database."""

    def __init__(self, folder: Path) -> None:
        self._store = Store(folder / "sandbox.sqlite")

    def open_accounts(self, count: int, *, at: datetime) -> list[str]:
        """So many accounts whose owners have given all details."""
        wanted = {"type": "express", "capabilities": {"transfers": {"requested": "true"}}}

        def work(play: Play, books: Books) -> list[str]:
            made = []
            for _ in range(count):
                account = connect.open_account(play, books, wanted).body
                # As `connect.give_details` leaves it, but for the events of it.
                account.update(details_submitted=True, payouts_enabled=True)
                account["capabilities"]["transfers"] = "active"
                account["requirements"] = {"currently_due": [], "disabled_reason": None}
                books.save("account", account)
                made.append(str(account["id"]))
            return made

        found: list[str] = self._do(work, at)
        return found

    def charge(self, intent: str, cents: int, *, at: datetime) -> MoneyMove:
        """A card paid so many cents; what Stripe wrote down of it, with its fee."""

        def work(play: Play, books: Books) -> MoneyMove:
            session: dict[str, object] = {"currency": "usd", "customer": None, "metadata": {}}
            made, charge = stripe_objects.new_charge(session, intent, cents=cents, now=play.now())
            balance.take_charge(books, charge, now=play.now())
            books.save("payment_intent", made)
            books.save("charge", charge)
            return MoneyMove(charge["balance_transaction"], cents, balance.charge_fee(cents), "usd")

        found: MoneyMove = self._do(work, at)
        return found

    def refund(self, intent: str, cents: int, *, at: datetime) -> str:
        """A part or all of it went back; Stripe's name for that."""
        wanted = {"payment_intent": intent, "amount": str(cents)}
        return str(self._do(lambda play, books: charges.create_refund(play, books, wanted).body["id"], at))

    def dispute(self, intent: str, *, at: datetime) -> str:
        """The customer's bank took it back for now; Stripe's name for that."""

        def work(play: Play, books: Books) -> str:
            charges.dispute(play, books, {stripe_objects.PRIVATE: {"intents": [intent]}})
            return str(books.newest("dispute", 1)[0]["id"])

        return str(self._do(work, at))

    def _do(self, work: Callable[[Play, Books], Any], at: datetime) -> Any:
        clock = fixed(at)
        courier = Courier(self._store, url="", secret="", clock=clock)
        play = _Past(self._store, courier, clock=clock, public_base_url="")
        with self._store.writing() as books:
            return work(play, books)
