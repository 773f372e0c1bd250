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
      "created": "created",                               seconds since 1970 or an ISO moment, in a row
      "reverse_url": "https://pay.example.com/v1/payouts/{ref}/reverse",
      "key_header": "Idempotency-Key",
      "keeps_keys": "yes",                                the same key is carried out once at most
      "currencies": ["USD"], "minimum_cents": 1, "maximum_cents": 10000000
    }

Dots lead into objects. Without `lookup_url` a payout whose answer is lost is left to people. Answers that
cannot be read, words for a state that are not described, time-outs and 5xx are unknown; only what is certain
is certain. In production every call goes to an address of the public network and to no other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import urllib3

from portal.gateways.errors import ProviderUnavailable
from portal.gateways.http_rows import BadDescription, Reader, Row, at_path, check, filled, put
from portal.gateways.payout_adapter import (
    Absent,
    Accepted,
    Answer,
    Capabilities,
    Finding,
    Found,
    Payout,
    Rejected,
    RetryLater,
    Transfer,
    Unknown,
)
from portal.gateways.public_hosts import pinned

__all__ = ["BadDescription", "HttpPayouts", "check"]

_WAIT_SECONDS = 60
_LONG_WAIT_SECONDS = 3600
_MOST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class _Reply:
    """An answer that arrived: its status and what could be read of its body."""

    status: int
    said: Any


class HttpPayouts:
    """The adapter for one described provider.

    `insecure`: plain http and addresses of the own network are let through, in development only.
    """

    def __init__(
        self, description: Mapping[str, Any], *, insecure: bool = False, timeout_seconds: float = 15
    ) -> None:
        check(description, insecure=insecure)
        self._about = description
        self._reader = Reader(description)
        self._insecure = insecure
        self._timeout = urllib3.Timeout(total=timeout_seconds)

    @property
    def capabilities(self) -> Capabilities:
        """As described."""
        return Capabilities(
            currencies=frozenset(self._about.get("currencies", ["USD"])),
            minimum_cents=int(self._about.get("minimum_cents", 1)),
            maximum_cents=int(self._about.get("maximum_cents", 10_000_000)),
            can_lookup=bool(self._about.get("lookup_url")),
            can_reverse=bool(self._about.get("reverse_url")),
            keeps_keys=self._about.get("keeps_keys") == "yes",
        )

    def send(self, payout: Payout, key: str) -> Answer:
        """One POST with the order under an idempotency key."""
        header = str(self._about.get("key_header") or "Idempotency-Key")
        try:
            reply = self._call("POST", str(self._about["url"]), self._body(payout), {header: key})
        except ProviderUnavailable as lost:
            return Unknown(lost.message)
        return self._answer(reply)

    def lookup(self, payout: Payout) -> Finding:
        """All payouts under our reference; the oldest that did not come back is the one that counts.

        A row that is not about this payout, or of another amount, is nothing to act upon: a person looks.
        """
        if not self.capabilities.can_lookup:
            return Unknown("This provider cannot be asked.", by_hand=True)
        try:
            rows = self._rows(str(self._about["lookup_url"]), reference=payout.group)
        except ProviderUnavailable as lost:
            return Unknown(lost.message)
        for row in rows:
            if row.group != payout.group:
                return Unknown(f"The provider answered with a payout that was not asked for: {row.ref}", True)
            if row.state == "":
                return Unknown(f"{row.ref} is in a state that is not described: {row.word}")
            if row.state != "rejected" and not row.is_of(payout.amount_cents, payout.currency):
                return Unknown(f"{row.ref} is not what was ordered", by_hand=True)
        return _found([row for row in rows if row.state != "rejected"])

    def reverse(self, payout: Payout, ref: str, key: str) -> Answer:
        """Ask for the money back, where that is offered; `Accepted` once the provider says that it came."""
        if not self.capabilities.can_reverse:
            return Rejected("not_reversible")
        url = filled(str(self._about["reverse_url"]), ref=ref)
        header = str(self._about.get("key_header") or "Idempotency-Key")
        try:
            reply = self._call("POST", url, {"reference": payout.group}, {header: key})
        except ProviderUnavailable as lost:
            return Unknown(lost.message)
        if not 200 <= reply.status < 300:
            return self._refusal(reply)
        state, word = self._reader.state(reply.said)
        if state == "rejected":
            return Rejected("rejected")
        return Accepted(ref) if state == "returned" or not word else Unknown(f"It is {word} there.")

    def balance_cents(self, currency: str, *, pending: bool = False) -> int | None:
        """Such a provider takes from a bank account; it holds nothing of ours."""
        return None

    def transfers(self, since: datetime, until: datetime) -> Sequence[Transfer] | None:
        """The provider's list of a window, None where it has none. Raises `ProviderUnavailable`."""
        if not self._about.get("list_url"):
            return None
        window = {"since": str(int(since.timestamp())), "until": str(int(until.timestamp()))}
        rows = self._rows(str(self._about["list_url"]), **window)
        if strange := next((row for row in rows if row.state == "" or row.created is None), None):
            raise ProviderUnavailable(f"{strange.ref} cannot be read: {strange.word or 'without a moment'}")
        return sorted(map(_transfer, rows), key=lambda row: row.created)

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
            put(body, str(path), values[name])
        return body

    def _answer(self, reply: _Reply) -> Answer:
        if not 200 <= reply.status < 300:
            return self._refusal(reply)
        ref, (state, word) = at_path(reply.said, self._about["ref"]), self._reader.state(reply.said)
        if state == "rejected":
            return Rejected("rejected")
        if not state:
            return Unknown(f"The answer names a state that is not described: {word}")
        if state == "returned":
            return Unknown("The answer says that it came back.")
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
            return Rejected(str(at_path(reply.said, "error") or said)[:100])
        return Unknown(said)

    def _rows(self, url: str, **values: str) -> list[Row]:
        reply = self._call("GET", filled(url, **values))
        rows = at_path(reply.said, str(self._about.get("rows") or "data"))
        if reply.status != 200 or not isinstance(rows, list):
            raise ProviderUnavailable(f"no list of payouts, HTTP {reply.status}")
        return [self._reader.row(row) for row in rows]

    def _call(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> _Reply:
        """One call. Raises `ProviderUnavailable` where no answer came that can be read."""
        sent = {"Authorization": f"Bearer {self._about['token']}", "Accept": "application/json"}
        encoded = None if body is None else json.dumps(body).encode()
        if encoded is not None:
            sent["Content-Type"] = "application/json"
        options: dict[str, Any] = {"body": encoded, "redirect": False, "retries": False}
        options |= {"headers": {**sent, **(headers or {})}, "timeout": self._timeout}
        try:
            if self._insecure:
                answer = urllib3.request(method, url, **options)
            else:
                answer = pinned(method, url, options)
            said = json.loads(answer.data[:_MOST_BYTES]) if answer.status < 500 else None
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise ProviderUnavailable(f"no answer that can be read ({type(error).__name__})") from error
        return _Reply(answer.status, said)


def _found(there: list[Row]) -> Finding:
    """What rows of one payout mean; which of several counts is known by their moments only."""
    if not there:
        return Absent()
    if len(there) > 1:
        if any(row.created is None for row in there):
            return Unknown("It is there more than once, and nothing says which is the oldest.", by_hand=True)
        there = sorted(there, key=lambda row: row.created)  # type: ignore[arg-type, return-value]
    live = [row for row in there if row.state != "returned"]
    if not live:
        return Found(there[0].ref, "returned")
    return Found(live[0].ref, live[0].state, tuple(row.ref for row in live[1:]))


def _transfer(row: Row) -> Transfer:
    assert row.created is not None, "a row without its moment was refused"
    cents = 0 if row.state in ("returned", "rejected") else row.amount_cents
    return Transfer(row.ref, row.group, cents, row.currency, row.state, row.created)
