"""Any payout provider that speaks JSON over HTTPS, described by data: no code for a new one.

The description is the sealed `settings` of a payout method:

    {
      "url": "https://pay.example.com/v1/payouts",        POST: give an order
      "token": "…",                                       sent as `Authorization: Bearer …`
      "account": "our account's name there",
      "fields": {"reference": "reference", "amount": "amount", "currency": "currency",
                 "destination": "to.account", "routing": "to.routing", "payee": "to.name",
                 "account": "from", "generation": "attempt"},
      "amount_in": "cents" or "units" (12.50 as text),
      "ref": "id", "status": "status",                    where the answer holds them
      "states": {"sent": ["accepted", "pending"], "paid": ["paid"], "returned": ["returned"],
                 "rejected": ["rejected"]},
      "lookup_url": "https://pay.example.com/v1/payouts?reference={reference}",
      "list_url": "https://pay.example.com/v1/payouts?from={since}&to={until}",
      "rows": "data",                                     where a look-up or list holds its rows
      "created": "created",                               seconds since 1970, in a row
      "reverse_url": "https://pay.example.com/v1/payouts/{ref}/reverse",
      "key_header": "Idempotency-Key",
      "currencies": ["USD"], "minimum_cents": 1, "maximum_cents": 10000000
    }

Dots lead into objects. Without `lookup_url` a payout whose answer is lost is left to people. Answers that
cannot be read, time-outs and 5xx are unknown; only what is certain is certain.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import urllib3

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

STATES = ("sent", "paid", "returned", "rejected")
NEEDED = ("url", "token", "fields", "ref")
_WAIT_SECONDS = 60
_LONG_WAIT_SECONDS = 3600
_MOST_BYTES = 1024 * 1024
_DEFAULT_STATES = {"sent": ["accepted", "pending", "sent"], "paid": ["paid"], "returned": ["returned"]}


class BadDescription(Exception):
    """The data that describe a provider cannot be used; the message says why."""


@dataclass(frozen=True)
class _Reply:
    """An answer that arrived: its status and what could be read of its body."""

    status: int
    said: Any


class HttpPayouts:
    """The adapter for one described provider. `insecure`: plain http is let through, in development only."""

    def __init__(
        self, description: Mapping[str, Any], *, insecure: bool = False, timeout_seconds: float = 15
    ) -> None:
        check(description, insecure=insecure)
        self._about = description
        self._states = {
            word: state
            for state, words in description.get("states", _DEFAULT_STATES).items()
            for word in words
        }
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=timeout_seconds))

    @property
    def capabilities(self) -> Capabilities:
        """As described."""
        return Capabilities(
            currencies=frozenset(self._about.get("currencies", ["USD"])),
            minimum_cents=int(self._about.get("minimum_cents", 1)),
            maximum_cents=int(self._about.get("maximum_cents", 10_000_000)),
            can_lookup=bool(self._about.get("lookup_url")),
            can_cancel=False,
            can_reverse=bool(self._about.get("reverse_url")),
        )

    def send(self, payout: Payout, key: str) -> Answer:
        """One POST with the order under an idempotency key."""
        header = str(self._about.get("key_header", "Idempotency-Key"))
        try:
            reply = self._call("POST", str(self._about["url"]), self._body(payout), {header: key})
        except ProviderUnavailable as lost:
            return Unknown(lost.message)
        return self._answer(reply)

    def lookup(self, payout: Payout) -> Finding:
        """All payouts under our reference; the oldest that did not come back is the one that counts."""
        if not self.capabilities.can_lookup:
            return Unknown("This provider cannot be asked.", by_hand=True)
        try:
            rows = self._rows(str(self._about["lookup_url"]), reference=payout.group)
        except ProviderUnavailable as lost:
            return Unknown(lost.message)
        known = [(self._state(row), str(_at(row, self._about["ref"]) or "")) for row in rows]
        there = [(state, ref) for state, ref in known if state != "rejected" and ref]
        if not there:
            return Absent()
        live = [(state, ref) for state, ref in there if state != "returned"]
        if not live:
            return Found(there[0][1], "returned")
        state, ref = live[0]
        return Found(ref, state, tuple(other for _, other in live[1:]))

    def cancel(self, payout: Payout, ref: str) -> Answer:
        """Nothing is described for this."""
        return Rejected("not_cancellable")

    def reverse(self, payout: Payout, ref: str, key: str) -> Answer:
        """Ask for the money back, where the provider offers that."""
        if not self.capabilities.can_reverse:
            return Rejected("not_reversible")
        url = _filled(str(self._about["reverse_url"]), ref=ref)
        header = str(self._about.get("key_header", "Idempotency-Key"))
        try:
            reply = self._call("POST", url, {"reference": payout.group}, {header: key})
        except ProviderUnavailable as lost:
            return Unknown(lost.message)
        return Accepted(ref) if reply.status < 300 else self._refusal(reply)

    def balance_cents(self, currency: str) -> int | None:
        """Such a provider takes from a bank account; it holds nothing of ours."""
        return None

    def transfers(self, since: datetime, until: datetime) -> Sequence[Transfer] | None:
        """The provider's list of a window, None where it has none. Raises `ProviderUnavailable`."""
        if not self._about.get("list_url"):
            return None
        window = {"since": str(int(since.timestamp())), "until": str(int(until.timestamp()))}
        rows = [self._transfer(row) for row in self._rows(str(self._about["list_url"]), **window)]
        return sorted(rows, key=lambda row: row.created)

    def parse_event(self, body: bytes) -> ProviderEvent:
        """What a row of this provider, sent to us, says. Raises `Refused`."""
        try:
            row = json.loads(body)
            ref, group = str(_at(row, self._about["ref"])), str(_at(row, self._about["fields"]["reference"]))
            transition = {"paid": "arrived", "returned": "reversed"}.get(self._state(row), "")
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise Refused("the body is not an event we know how to read") from error
        return ProviderEvent(ref=ref, transition=transition, group=group)

    def _body(self, payout: Payout) -> dict[str, Any]:
        cents = payout.amount_cents
        units = f"{cents // 100}.{cents % 100:02d}"
        values: dict[str, Any] = {
            "reference": payout.group,
            "amount": units if self._about.get("amount_in") == "units" else cents,
            "currency": payout.currency,
            "destination": payout.details.get("account") or payout.destination,
            "payee": payout.payee,
            "generation": payout.generation,
            "statement": payout.reference,
            "routing": payout.details.get("routing", ""),
            "account_type": payout.details.get("type", ""),
            "account": self._about.get("account", ""),
        }
        body: dict[str, Any] = {}
        for name, path in self._about["fields"].items():
            _put(body, str(path), values[name])
        return body

    def _answer(self, reply: _Reply) -> Answer:
        if not 200 <= reply.status < 300:
            return self._refusal(reply)
        ref, state = _at(reply.said, self._about["ref"]), self._state(reply.said)
        if state == "rejected":
            return Rejected("rejected")
        if not isinstance(ref, str | int) or isinstance(ref, bool) or ref == "":
            return Unknown("The answer holds no reference.")
        return Accepted(str(ref))

    def _refusal(self, reply: _Reply) -> Answer:
        said = f"HTTP {reply.status}"
        if reply.status in (401, 402, 403):
            return RetryLater(_LONG_WAIT_SECONDS, said, for_all=True)
        if reply.status in (408, 425, 429):
            return RetryLater(_WAIT_SECONDS, said)
        if reply.status == 409:
            return Unknown(f"{said}: the key was used for something else", by_hand=True)
        if 400 <= reply.status < 500:
            return Rejected(str(_at(reply.said, "error") or said)[:100])
        return Unknown(said)

    def _state(self, row: Any) -> str:
        """The state of a row in our words; `sent` where the provider says none."""
        word = _at(row, str(self._about.get("status", "status")))
        return self._states.get(str(word), "sent")

    def _transfer(self, row: Any) -> Transfer:
        fields, amount = self._about["fields"], _at(row, str(self._about["fields"]["amount"]))
        state = self._state(row)
        cents = _cents(amount, units=self._about.get("amount_in") == "units")
        created = _at(row, str(self._about.get("created", "created"))) or 0
        return Transfer(
            ref=str(_at(row, self._about["ref"])),
            group=str(_at(row, str(fields["reference"]))),
            amount_cents=0 if state in ("returned", "rejected") else cents,
            currency=str(_at(row, str(fields.get("currency", "currency"))) or ""),
            state=state,
            created=datetime.fromtimestamp(int(created), UTC),
        )

    def _rows(self, url: str, **values: str) -> list[Any]:
        reply = self._call("GET", _filled(url, **values))
        rows = _at(reply.said, str(self._about.get("rows", "data")))
        if reply.status != 200 or not isinstance(rows, list):
            raise ProviderUnavailable(f"no list of payouts, HTTP {reply.status}")
        return rows

    def _call(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> _Reply:
        """One call. Raises `ProviderUnavailable` where no answer came that can be read."""
        sent = {"Authorization": f"Bearer {self._about['token']}", "Accept": "application/json"}
        encoded = None if body is None else json.dumps(body).encode()
        if encoded is not None:
            sent["Content-Type"] = "application/json"
        try:
            answer = self._pool.request(
                method, url, body=encoded, headers={**sent, **(headers or {})}, redirect=False
            )
            said = json.loads(answer.data[:_MOST_BYTES]) if answer.status < 500 else None
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise ProviderUnavailable(f"no answer that can be read ({type(error).__name__})") from error
        return _Reply(answer.status, said)


def check(description: Mapping[str, Any], *, insecure: bool = False) -> None:
    """Whether a provider can be called as described. Raises `BadDescription`."""
    if missing := [name for name in NEEDED if not description.get(name)]:
        raise BadDescription(f"{', '.join(missing)} must be given.")
    fields = description["fields"]
    if not isinstance(fields, Mapping) or not {"reference", "amount", "destination"} <= set(fields):
        raise BadDescription("fields must say where reference, amount and destination go.")
    known = {"reference", "amount", "currency", "destination", "payee", "generation", "statement"}
    if unknown := set(fields) - known - {"routing", "account_type", "account"}:
        raise BadDescription(f"fields has names that we cannot fill: {', '.join(sorted(unknown))}.")
    for name in ("url", "lookup_url", "list_url", "reverse_url"):
        address = urlsplit(str(description.get(name) or "https://none"))
        if address.scheme != "https" and not (insecure and address.scheme == "http"):
            raise BadDescription(f"{name} must begin with https://.")
    if set(description.get("states", {})) - set(STATES):
        raise BadDescription(f"states may be {', '.join(STATES)}.")


def _at(said: Any, path: str) -> Any:
    """What lies at a dotted path; None where nothing does."""
    for part in str(path).split("."):
        said = said.get(part) if isinstance(said, dict) else None
    return said


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        body = body.setdefault(parent, {})
    body[last] = value


def _cents(amount: Any, *, units: bool) -> int:
    if not units:
        return int(amount)
    whole, _, part = str(amount).partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0")[:2])


def _filled(url: str, **values: str) -> str:
    for name, value in values.items():
        url = url.replace("{" + name + "}", quote(value, safe=""))
    return url
