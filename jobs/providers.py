"""Which adapter pays by which method, and from which account of ours."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import current_app

from portal.config import Settings
from portal.gateways.http_payouts import HttpPayouts
from portal.gateways.payout_adapter import PayoutAdapter
from portal.gateways.stripe_connect import StripeConnect
from portal.ledger.accounts import BANK, STRIPE_BALANCE, AccountKey
from portal.models import PayoutMethod
from portal.payouts.automatic.patience import Patience, at_pace

SANDBOX_KEY = "sk_test_sandbox"


@dataclass(frozen=True)
class Provider:
    """An adapter with the method it serves and the account that its payouts leave."""

    adapter: PayoutAdapter
    method_id: int
    from_account: AccountKey
    patience: Patience


def provider_of(method: PayoutMethod) -> Provider:
    """The provider behind a method that pays by itself.

    Raises `KeyError` for a kind that has none, `BadDescription` for settings that cannot be used.
    """
    patience = at_pace(_settings().payout_pace)
    make, account = {"stripe": (_stripe, STRIPE_BALANCE), "http": (_http, BANK)}[method.kind]
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


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
