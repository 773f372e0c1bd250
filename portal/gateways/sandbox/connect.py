"""What happens to accounts of payees at the test Stripe: they open, are paid, pay out, fail, close."""

from __future__ import annotations

from typing import Any

from portal.gateways.sandbox import stripe_objects
from portal.gateways.sandbox.balance import platform_funds, set_funds
from portal.gateways.sandbox.calls import missing, refused
from portal.gateways.sandbox.play import Play
from portal.gateways.sandbox.store import Answer, Books, Document, new_id
from portal.gateways.sandbox.stripe_form import BadRequest
from portal.gateways.sandbox.stripe_objects import PRIVATE

LINK_SECONDS = 300
_DETAILS = ["external_account", "individual.verification.document", "tos_acceptance.date"]


def open_account(play: Play, books: Books, parameters: dict[str, Any]) -> Answer:
    """A new account that cannot be paid before its person has given the details."""
    wanted = (parameters.get("capabilities") or {}).get("transfers") or {}
    account = {
        "id": f"acct_{new_id('a')[2:18]}",
        "object": "account",
        "type": parameters.get("type"),
        "country": parameters.get("country", "US"),
        "email": parameters.get("email"),
        "business_type": parameters.get("business_type"),
        "created": play.now(),
        "capabilities": {"transfers": "inactive"} if wanted.get("requested") else {},
        "charges_enabled": False,
        "details_submitted": False,
        "payouts_enabled": False,
        "requirements": {"currently_due": _DETAILS, "disabled_reason": "requirements.past_due"},
        "external_accounts": {"object": "list", "data": []},
        "metadata": parameters.get("metadata") or {},
        PRIVATE: {"balance": 0},
    }
    books.save("account", account)
    return Answer(200, account)


def open_link(play: Play, books: Books, parameters: dict[str, Any], *, base_url: str) -> Answer:
    """A page on which the person gives the details; it lives for five minutes and serves once."""
    if books.find("account", parameters.get("account", "")) is None:
        return missing("account", str(parameters.get("account")))
    for name in ("return_url", "refresh_url"):
        if not str(parameters.get(name, "")).startswith(("http://", "https://")):
            raise BadRequest("Not a valid URL", parameter=name, code="url_invalid")
    link = {
        "id": new_id("link"),
        "object": "account_link",
        "created": play.now(),
        "expires_at": play.now() + LINK_SECONDS,
        "url": "",
        PRIVATE: {name: parameters[name] for name in ("account", "return_url", "refresh_url")},
    }
    link["url"] = f"{base_url}/connect/onboarding/{link['id']}"
    books.save("account_link", link)
    return Answer(200, {name: value for name, value in link.items() if name != "id"})


def transfer(play: Play, books: Books, parameters: dict[str, Any]) -> Answer:
    """Money of the platform goes to an account, at once. Raises `BadRequest` for what Stripe refuses."""
    amount = str(parameters.get("amount", ""))
    if not amount.isdigit() or not 0 < int(amount) < 10**8:
        raise BadRequest("Invalid integer", parameter="amount", code="parameter_invalid_integer")
    if parameters.get("currency") != "usd":
        raise BadRequest("The sandbox pays in usd.", parameter="currency")
    account = books.find("account", str(parameters.get("destination", "")))
    if account is None:
        raise BadRequest("No such destination", parameter="destination", code="resource_missing")
    if account["capabilities"].get("transfers") != "active":
        raise BadRequest(
            "Your destination account needs to have the transfers capability enabled.",
            parameter="destination",
            code="insufficient_capabilities_for_transfer",
        )
    funds, cents = platform_funds(books), int(amount)
    if funds < cents:
        return refused(
            400, "You have insufficient funds in your Stripe account.", code="balance_insufficient"
        )
    made = _new_transfer(play, parameters, cents)
    books.save("transfer", made)
    set_funds(books, funds - cents)
    _add(books, account, cents)
    return Answer(200, made)


def reverse(play: Play, books: Books, made: Document) -> Answer:
    """The whole transfer comes back from the account, if the money is still there."""
    left = made["amount"] - made["amount_reversed"]
    if left == 0:
        raise BadRequest("This transfer has already been fully reversed.", code="transfer_already_reversed")
    account = books.find("account", made["destination"])
    assert account is not None, "an account is never deleted here"
    if account[PRIVATE]["balance"] < left:
        return refused(400, "The account has insufficient funds.", code="balance_insufficient")
    made.update(amount_reversed=made["amount"], reversed=True)
    books.save("transfer", made)
    set_funds(books, platform_funds(books) + left)
    _add(books, account, -left)
    _tell(play, books, "transfer.reversed", made)
    reversal = {"id": new_id("trr"), "object": "transfer_reversal", "amount": left, "transfer": made["id"]}
    return Answer(200, {**reversal, "created": play.now(), "currency": made["currency"], "metadata": {}})


def new_bank(account: Document) -> Document:
    """A bank account for the payouts of an account."""
    digits = str(10_000 + int(new_id("n")[2:10], 16) % 90_000)
    return {
        "id": new_id("ba"),
        "object": "bank_account",
        "account": account["id"],
        "bank_name": "STRIPE TEST BANK",
        "country": account["country"],
        "currency": "usd",
        "default_for_currency": True,
        "fingerprint": new_id("f")[2:18],
        "last4": digits[-4:],
        "status": "new",
    }


def change_bank(play: Play, books: Books, account: Document) -> None:
    """The person puts another bank account in the place of the one that is there."""
    listed = account["external_accounts"]["data"]
    before, made = list(listed), new_bank(account)
    listed[:] = [made]
    books.save("account", account)
    _tell(play, books, "account.external_account.created", made, account=account["id"])
    for gone in before:
        _tell(play, books, "account.external_account.deleted", gone, account=account["id"])
    _tell(play, books, "account.updated", account, account=account["id"])


def give_details(play: Play, books: Books, account: Document) -> None:
    """The person gave everything: the account can be paid."""
    if not account["external_accounts"]["data"]:
        made = new_bank(account)
        account["external_accounts"]["data"].append(made)
        _tell(play, books, "account.external_account.created", made, account=account["id"])
    account.update(details_submitted=True, payouts_enabled=True)
    account["capabilities"]["transfers"] = "active"
    account["requirements"] = {"currently_due": [], "disabled_reason": None}
    books.save("account", account)
    _tell(play, books, "account.updated", account, account=account["id"])


def close(play: Play, books: Books, account: Document) -> None:
    """Stripe closes an account: it can be paid no more."""
    account["payouts_enabled"] = False
    account["capabilities"]["transfers"] = "inactive"
    account["requirements"] = {"currently_due": [], "disabled_reason": "rejected.other"}
    books.save("account", account)
    _tell(play, books, "account.updated", account, account=account["id"])


def pay_out(play: Play, books: Books, account: Document) -> Document | None:
    """All that lies in an account goes to the person's bank; None where nothing lies there."""
    cents = account[PRIVATE]["balance"]
    if cents <= 0:
        return None
    payout = {
        "id": new_id("po"),
        "object": "payout",
        "amount": cents,
        "arrival_date": play.now(),
        "automatic": True,
        "created": play.now(),
        "currency": "usd",
        "failure_code": None,
        "status": "paid",
        PRIVATE: {"account": account["id"]},
    }
    books.save("payout", payout)
    _add(books, account, -cents)
    _tell(play, books, "payout.paid", payout, account=account["id"])
    return payout


def bounce(play: Play, books: Books, payout: Document, *, code: str = "account_closed") -> None:
    """The bank sends a payout back: the money lies in the account again."""
    if payout["status"] == "failed":
        return
    payout.update(status="failed", failure_code=code)
    books.save("payout", payout)
    account = books.find("account", payout[PRIVATE]["account"])
    assert account is not None, "an account is never deleted here"
    _add(books, account, payout["amount"])
    _tell(play, books, "payout.failed", payout, account=account["id"])


def _new_transfer(play: Play, parameters: dict[str, Any], cents: int) -> Document:
    return {
        "id": new_id("tr"),
        "object": "transfer",
        "amount": cents,
        "amount_reversed": 0,
        "created": play.now(),
        "currency": "usd",
        "description": parameters.get("description"),
        "destination": parameters["destination"],
        "livemode": False,
        "metadata": parameters.get("metadata") or {},
        "reversed": False,
        "transfer_group": parameters.get("transfer_group"),
    }


def _add(books: Books, account: Document, cents: int) -> None:
    account[PRIVATE]["balance"] += cents
    books.save("account", account)


def _tell(play: Play, books: Books, kind: str, thing: Document, *, account: str = "") -> None:
    event = stripe_objects.new_event(kind, thing, now=play.now())
    if account:
        event["account"] = account
    books.save("event", event)
    play.courier.queue(books, event)
