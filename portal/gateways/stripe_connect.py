"""Stripe Connect through its own SDK: accounts of consultants, transfers to them, and what becomes of those.

Retries belong to whoever calls, where they are written down: the SDK makes none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from portal.gateways.errors import ProviderUnavailable, Refused
from portal.gateways.payout_adapter import (
    Absent,
    Accepted,
    Answer,
    Capabilities,
    Finding,
    Found,
    Payout,
    ProviderEvent,
    Rejected,
    RetryLater,
    Transfer,
    Unknown,
)

# The SDK takes 0.4 s to import, so that it is imported where it is first needed.
if TYPE_CHECKING:
    import stripe

TIMEOUT_SECONDS = 15.0
_WAIT_SECONDS = 60
_LONG_WAIT_SECONDS = 3600
_PAST_PROXIES = {"no_proxy": "localhost,127.0.0.1,::1"}


@dataclass(frozen=True)
class AccountRequest:
    """Whose account is opened; `idempotency_key` is stored by the caller before the first try."""

    destination: str
    email: str
    country: str
    idempotency_key: str


@dataclass(frozen=True)
class AccountState:
    """Whether Stripe pays to this account, its code of what is missing, and its mark of the bank if told."""

    ready: bool
    problem: str
    bank: str | None = None


class StripeConnect:
    """The payout adapter for Stripe, and the onboarding of accounts. `base_url` empty is Stripe itself."""

    capabilities = Capabilities(
        currencies=frozenset({"USD"}),
        minimum_cents=1,
        maximum_cents=99_999_999,
        can_lookup=True,
        can_reverse=True,
        keeps_keys=True,
        tells_balance=True,
    )

    def __init__(self, key: str, *, base_url: str = "", timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._key = key
        self._base_url = base_url
        self._timeout_seconds = timeout_seconds

    def send(self, payout: Payout, key: str) -> Answer:
        """One transfer to the account of the payee."""
        parameters: Any = {
            "amount": payout.amount_cents,
            "currency": payout.currency.lower(),
            "destination": payout.destination,
            "transfer_group": payout.group,
            "description": payout.reference,
            "metadata": {"payout": payout.group, "generation": str(payout.generation)},
        }
        options: Any = {"idempotency_key": key}
        return _answer(lambda: self._client.v1.transfers.create(parameters, options).id)

    def lookup(self, payout: Payout) -> Finding:
        """All transfers of the group; the oldest that was not reversed is the one that counts."""
        import stripe

        try:
            page = self._client.v1.transfers.list({"transfer_group": payout.group, "limit": 100})
            newest_first = list(page.data)
        except (stripe.StripeError, AttributeError, TypeError) as error:
            return Unknown(_said(error))
        if not newest_first:
            return Absent()
        oldest_first = newest_first[::-1]
        live = [transfer for transfer in oldest_first if not transfer.reversed]
        if not live:
            return Found(oldest_first[0].id, "returned")
        if (live[0].amount, live[0].destination) != (payout.amount_cents, payout.destination):
            return Unknown(f"{live[0].id} is not what was ordered", by_hand=True)
        return Found(live[0].id, "sent", tuple(transfer.id for transfer in live[1:]))

    def reverse(self, payout: Payout, ref: str, key: str) -> Answer:
        """Take a whole transfer back."""
        parameters: Any = {"metadata": {"payout": payout.group}}
        options: Any = {"idempotency_key": key}
        reversals = self._client.v1.transfers.reversals
        answer = _answer(lambda: reversals.create(ref, parameters, options).id)
        if isinstance(answer, Rejected) and self._is_reversed(ref):
            return Accepted(ref)
        if isinstance(answer, RetryLater) and answer.for_all:
            return RetryLater(answer.after_seconds, answer.reason, key_is_spent=answer.key_is_spent)
        return answer

    def balance_cents(self, currency: str, *, pending: bool = False) -> int | None:
        """What lies on the platform's balance; None when Stripe does not answer."""
        import stripe

        try:
            balance = self._client.v1.balance.retrieve()
        except stripe.StripeError:
            return None
        parts = [*balance.available, *(balance.pending if pending else ())]
        return sum(part.amount for part in parts if part.currency == currency.lower())

    def transfers(self, since: datetime, until: datetime) -> Sequence[Transfer]:
        """Every transfer that was made in a window, oldest first. Raises `ProviderUnavailable`."""
        import stripe

        window: Any = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        try:
            found = self._client.v1.transfers.list({"created": window, "limit": 100})
            return [_transfer(each) for each in found.auto_paging_iter()][::-1]
        except stripe.StripeError as error:
            raise ProviderUnavailable(_said(error)) from error

    def open_account(self, request: AccountRequest) -> str:
        """Stripe's id of a new account; the same key gives the same. Raises `ProviderUnavailable`."""
        parameters: Any = {
            "type": "express",
            "country": request.country,
            "email": request.email,
            "business_type": "individual",
            "capabilities": {"transfers": {"requested": True}},
            "metadata": {"destination": request.destination},
        }
        options: Any = {"idempotency_key": request.idempotency_key}
        return str(_demanded(lambda: self._client.v1.accounts.create(parameters, options).id))

    def account_link(self, account: str, *, return_url: str, refresh_url: str) -> str:
        """A page of Stripe's on which the person gives what is missing. Raises `ProviderUnavailable`."""
        parameters: Any = {
            "account": account,
            "type": "account_onboarding",
            "return_url": return_url,
            "refresh_url": refresh_url,
        }
        return str(_demanded(lambda: self._client.v1.account_links.create(parameters).url))

    def account_state(self, account: str) -> AccountState:
        """How an account stands now. Raises `ProviderUnavailable`."""
        found: Any = _demanded(lambda: self._client.v1.accounts.retrieve(account))
        return _state(found.to_dict())

    def _is_reversed(self, ref: str) -> bool:
        import stripe

        try:
            return bool(self._client.v1.transfers.retrieve(ref).reversed)
        except stripe.StripeError:
            return False

    @cached_property
    def _client(self) -> stripe.StripeClient:
        import stripe

        return stripe.StripeClient(
            self._key,
            base_addresses={"api": self._base_url} if self._base_url else {},
            max_network_retries=0,
            http_client=stripe.RequestsClient(
                timeout=self._timeout_seconds,
                proxy=_PAST_PROXIES if self._base_url else None,  # type: ignore[arg-type]
            ),
        )


def parse_event(body: bytes) -> ProviderEvent:
    """What a believed event of Stripe says about payouts. Raises `Refused`."""
    try:
        event = json.loads(body)
        kind, thing, account = event["type"], event["data"]["object"], event.get("account") or ""
        told = _EVENTS.get(kind, _nothing)(thing, account)
        if told.transition in ("account", "bank"):
            return replace(told, created=datetime.fromtimestamp(event["created"], UTC))
        return told
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        raise Refused("the body is not an event we know how to read") from error


def _answer(call: Callable[[], str | None]) -> Answer:
    """One call and what it means, as nothing but `Accepted` where an id came back."""
    import stripe

    try:
        ref = call()
    except stripe.StripeError as error:
        return _meaning(error)
    except (AttributeError, TypeError, ValueError) as error:
        return Unknown(f"Stripe: no answer that can be read ({type(error).__name__})")
    return Accepted(ref) if ref else Unknown("Stripe: an answer without an id")


def _meaning(error: stripe.StripeError) -> Answer:
    """Certain answers by their status and code; timeouts, resets, 5xx and the unreadable are unknown."""
    import stripe

    status, said = error.http_status or 0, _said(error)
    if isinstance(error, stripe.IdempotencyError) and status != 409:
        return Unknown(said, by_hand=True)
    if status in (409, 429):
        return RetryLater(_WAIT_SECONDS, said)
    if status == 401:
        return RetryLater(_LONG_WAIT_SECONDS, said, for_all=True)
    if error.code == "balance_insufficient":
        return RetryLater(_LONG_WAIT_SECONDS, said, for_all=True, key_is_spent=True)
    if 400 <= status < 500:
        return Rejected(error.code or type(error).__name__)
    return Unknown(said)


def _demanded(call: Callable[[], object]) -> object:
    """What a call gives. Raises `ProviderUnavailable` for everything that goes wrong."""
    import stripe

    try:
        return call()
    except stripe.StripeError as error:
        status = error.http_status or 0
        spent = status >= 400 and status not in (401, 409, 429)
        raise ProviderUnavailable(_said(error), key_is_spent=spent) from error


def _said(error: Exception) -> str:
    """What went wrong, for the log: codes and ids, no data."""
    code = getattr(error, "code", None) or type(error).__name__
    status = getattr(error, "http_status", None) or 0
    return f"Stripe: {code}, HTTP {status}, request {getattr(error, 'request_id', None) or 'without id'}"


def _transfer(transfer: Any) -> Transfer:
    left = transfer.amount - transfer.amount_reversed
    return Transfer(
        ref=transfer.id,
        group=transfer.transfer_group or "",
        amount_cents=left,
        currency=transfer.currency.upper(),
        state="sent" if left else "returned",
        created=datetime.fromtimestamp(transfer.created, UTC),
    )


def _state(account: dict[str, Any]) -> AccountState:
    """An account can be paid when transfers to it and payouts from it are both possible."""
    needs = account.get("requirements") or {}
    transfers = (account.get("capabilities") or {}).get("transfers")
    ready = account.get("payouts_enabled") is True and transfers == "active"
    missing = needs.get("disabled_reason") or next(iter(needs.get("currently_due") or ()), "")
    return AccountState(ready, "" if ready else str(missing or "not_complete"), _bank_of(account))


def _bank_of(account: dict[str, Any]) -> str | None:
    """The mark of the bank that an account is paid out to; empty for none, None where it is not told."""
    listed = (account.get("external_accounts") or {}).get("data")
    if listed is None:
        return None
    chosen = [each for each in listed if each.get("default_for_currency")] or listed
    return _mark(chosen[0]) if chosen else ""


def _mark(bank: dict[str, Any]) -> str:
    """The same for the same account number, whoever gave it; never the number itself."""
    return str(bank.get("fingerprint") or bank["id"])


def _payout(transition: str) -> Callable[[dict[str, Any], str], ProviderEvent]:
    def read(payout: dict[str, Any], account: str) -> ProviderEvent:
        return ProviderEvent(
            ref=str(payout["id"]),
            transition=transition if account else "",
            account=account,
            amount_cents=int(payout["amount"]),
            created=datetime.fromtimestamp(payout["created"], UTC),
            reason=str(payout.get("failure_code") or ""),
        )

    return read


def _reversed(transfer: dict[str, Any], _account: str) -> ProviderEvent:
    whole = transfer["amount_reversed"] >= transfer["amount"]
    group = str(transfer.get("transfer_group") or "")
    return ProviderEvent(ref=str(transfer["id"]), transition="reversed" if whole else "", group=group)


def _account(account: dict[str, Any], _account: str) -> ProviderEvent:
    state, ref = _state(account), str(account["id"])
    told = ProviderEvent(ref=ref, transition="account", account=ref, ready=state.ready, reason=state.problem)
    return replace(told, bank=state.bank)


def _bank(bank: dict[str, Any], account: str) -> ProviderEvent:
    """A bank account that is not the one for payouts changes nothing."""
    counts = bool(account) and bank.get("default_for_currency") is not False
    told = ProviderEvent(ref=str(bank["id"]), transition="bank" if counts else "", account=account)
    return replace(told, bank=_mark(bank))


def _bank_gone(bank: dict[str, Any], account: str) -> ProviderEvent:
    told = ProviderEvent(ref=str(bank["id"]), transition="bank" if account else "", account=account)
    return replace(told, gone=_mark(bank))


def _closed(_application: dict[str, Any], account: str) -> ProviderEvent:
    return ProviderEvent(ref=account, transition="account", account=account, reason="account_closed")


def _nothing(thing: dict[str, Any], account: str) -> ProviderEvent:
    return ProviderEvent(ref=str(thing.get("id") or ""), transition="", account=account)


_EVENTS: dict[str, Callable[[dict[str, Any], str], ProviderEvent]] = {
    "payout.paid": _payout("arrived"),
    "payout.failed": _payout("failed"),
    "transfer.reversed": _reversed,
    "account.updated": _account,
    "account.external_account.created": _bank,
    "account.external_account.updated": _bank,
    "account.external_account.deleted": _bank_gone,
    "account.application.deauthorized": _closed,
}
KINDS = tuple(_EVENTS)
