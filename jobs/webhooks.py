"""Other systems are told: facts become messages, `drain` sends what is due, signed, until it is taken."""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from flask import current_app

from jobs.retries import next_try
from jobs.work import poke
from portal.gateways import outgoing, vendor_signatures
from portal.gateways.outgoing import Said
from portal.integrations import deliveries, telling
from portal.integrations.deliveries import Outcome, Parcel
from portal.kernel.clock import utc_now
from portal.messages.integrations import say_webhook_disabled
from portal.store import UnitOfWork, perform

AT_ONCE = 8
# So many at once go to addresses that did not take what was sent last.
MOST_UNSURE = 4
# While somebody keeps us waiting, what became due meanwhile is looked for so often.
LOOK_SECONDS = 0.25
MOST_SECONDS = 300


def consultant_registered(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A consultant registered."""
    telling.consultant_registered(uow, body["consultant_id"])


def customer_registered(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A vendor registered a customer."""
    telling.customer_registered(uow, body["customer_id"])


def lead_taken(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A lead came in."""
    telling.lead_taken(uow, body["lead_id"])


def sale_recorded(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A sale was recorded."""
    telling.sale_written(uow, body["sale_id"], kind="sale.recorded")


def sale_reversed(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A sale was taken back."""
    telling.sale_written(uow, body["sale_id"], kind="sale.reversed")


def commission_credited(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A closed cycle brought people money."""
    telling.commission_credited(uow, body["cycle_id"])


def cycle_undone(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A close was undone."""
    telling.commission_undone(uow, body["run_id"])


def withdrawal_paid(uow: UnitOfWork, body: dict[str, Any]) -> None:
    """A withdrawal was paid."""
    telling.withdrawal_paid(uow, body["withdrawal_id"])


def drain() -> int:
    """Send what is due, several addresses at a time and each its messages in order; how many were tried.

    An address that keeps us waiting holds up nobody else: whoever is done makes room for the next.
    """
    tried, until = 0, time.monotonic() + MOST_SECONDS
    loopback = current_app.config["SETTINGS"].webhooks_to_loopback
    under_way: dict[Future[Said], Parcel] = {}
    with ThreadPoolExecutor(AT_ONCE) as sending:
        while True:
            parcels = _claimed(under_way.values()) if time.monotonic() < until else []
            under_way |= {sending.submit(_post, parcel, loopback=loopback): parcel for parcel in parcels}
            tried += len(parcels)
            if not under_way:
                break
            for answer in wait(under_way, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED).done:
                perform(partial(_settle, parcel=under_way.pop(answer), said=answer.result()))
    if time.monotonic() >= until:
        poke("webhooks")
    return tried


def _claimed(under_way: Collection[Parcel]) -> list[Parcel]:
    """As many more as there is room for."""
    places = AT_ONCE - len(under_way)
    unsure = MOST_UNSURE - sum(parcel.is_unsure for parcel in under_way)
    if not places:
        return []
    return perform(lambda uow: deliveries.claim_some(uow, most=places, unsure=max(unsure, 0)))


def _post(parcel: Parcel, *, loopback: bool) -> Said:
    now = int(utc_now().timestamp())
    signed = [vendor_signatures.sign(key, parcel.message_id, now, parcel.body) for key in parcel.secrets]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Canopy-Webhooks",
        vendor_signatures.ID_HEADER: parcel.message_id,
        vendor_signatures.TIMESTAMP_HEADER: str(now),
        vendor_signatures.SIGNATURE_HEADER: " ".join(signed),
    }
    return outgoing.post(parcel.url, parcel.body, headers, loopback=loopback)


def _settle(uow: UnitOfWork, *, parcel: Parcel, said: Said) -> None:
    again_at = next_try(uow.clock(), attempts=parcel.attempts)
    outcome = Outcome(said.status, said.words, taken=said.is_taken, again_at=again_at)
    if deliveries.settle(uow, parcel, outcome):
        say_webhook_disabled(uow, delivery_id=parcel.delivery_id)
