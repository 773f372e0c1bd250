"""Which adapter pays by which method, and from which account of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import current_app

from portal.config import Settings
from portal.gateways.http_payouts import HttpPayouts
from portal.gateways.nacha import Originator
from portal.gateways.nacha_payouts import NachaPayouts
from portal.gateways.payout_adapter import PayoutAdapter
from portal.gateways.stripe_connect import StripeConnect
from portal.kernel.clock import utc_now
from portal.ledger.accounts import BANK, STRIPE_BALANCE, AccountKey
from portal.models import PayoutMethod
from portal.payouts.automatic.patience import Patience, at_pace
from portal.payouts.payees.methods import settings_of

SANDBOX_KEY = "sk_test_sandbox"


@dataclass(frozen=True)
class Provider:
    """An adapter with the method it serves and the account that its payouts leave."""

    adapter: PayoutAdapter
    method_id: int
    from_account: AccountKey
    patience: Patience


def provider_of(method: PayoutMethod) -> Provider:
    """The provider behind a method.

    Raises `KeyError` for a kind that has none, `BadDescription` for settings that cannot be used.
    """
    patience = at_pace(_settings().payout_pace)
    make, account = ADAPTERS[method.kind]
    return Provider(make(method, patience.timeout.total_seconds()), method.id, account, patience)


def _stripe(_method: PayoutMethod, timeout_seconds: float) -> PayoutAdapter:
    settings = _settings()
    if settings.stripe_key:
        return StripeConnect(settings.stripe_key, timeout_seconds=timeout_seconds)
    base_url = f"{settings.base_url}/sandbox/stripe"
    return StripeConnect(SANDBOX_KEY, base_url=base_url, timeout_seconds=timeout_seconds)


def _http(method: PayoutMethod, timeout_seconds: float) -> PayoutAdapter:
    description = json.loads(method.settings or "{}")
    insecure = not _settings().production
    return HttpPayouts(description, insecure=insecure, timeout_seconds=timeout_seconds)


def _nacha(method: PayoutMethod, _timeout_seconds: float) -> PayoutAdapter:
    """A file of today, still empty: what goes into it is exported by people (`portal/bank_files.py`)."""
    made_at = utc_now().astimezone(ZoneInfo(_settings().time_zone))
    return NachaPayouts(Originator(**settings_of(method)), made_at=made_at)


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


# Every adapter there is, by the kind of its method, with the account of ours that its payouts leave.
ADAPTERS: dict[str, tuple[Callable[[PayoutMethod, float], PayoutAdapter], AccountKey]] = {
    "stripe": (_stripe, STRIPE_BALANCE),
    "http": (_http, BANK),
    "nacha": (_nacha, BANK),
}
