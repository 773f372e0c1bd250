"""/earnings/payees/stripe: an account at Stripe, whose pages are Stripe's own: opening one is a call outside.

Every call stands outside any unit of work, after what it is about was written down.
"""

from __future__ import annotations

import logging

from flask import Response, current_app, flash, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import require_recent_password, requires
from portal.config import Settings
from portal.extensions import db, limiter
from portal.gateways.errors import ProviderUnavailable
from portal.gateways.stripe_connect import AccountRequest, StripeConnect
from portal.kernel.clock import utc_now
from portal.models import Destination
from portal.payouts.automatic import accounts
from portal.store import perform
from portal.ui import show
from portal.wallets.room import owner, wallets

SANDBOX_KEY = "sk_test_sandbox"

log = logging.getLogger(__name__)


@wallets.get("/payees/stripe")
@requires(permissions.withdraw_own_money)
def stripe_account() -> Response:
    """How the account stands, and the button that leads to Stripe."""
    return _page()


@wallets.get("/payees/stripe/back")
@requires(permissions.withdraw_own_money)
def stripe_back() -> Response:
    """Where Stripe sends people when they are done, or had enough."""
    return _page(back=True)


@wallets.get("/payees/stripe/again")
@requires(permissions.withdraw_own_money)
def stripe_again() -> Response:
    """Where Stripe sends people whose link was too old."""
    return _page(old_link=True)


@wallets.post("/payees/stripe")
@requires(permissions.withdraw_own_money)
@require_recent_password()
@limiter.limit("20 per hour")
def open_stripe() -> AnyResponse:
    """Open the account where there is none, then Stripe's page for it."""
    owner_id, actor_id = owner().id, current_user.id
    begun = perform(
        lambda uow: _known(accounts.begin_account(uow, consultant_id=owner_id, actor_id=actor_id))
    )
    email, country = owner().person.email, owner().person.country
    # The connection goes back to the pool: a slow provider must not hold the database.
    db.session.rollback()
    try:
        account = begun[2] or _open(begun, email=email, country=country)
        base_url = _settings().base_url
        link = _stripe().account_link(
            account,
            return_url=f"{base_url}{url_for('wallets.stripe_back')}",
            refresh_url=f"{base_url}{url_for('wallets.stripe_again')}",
        )
    except ProviderUnavailable as failure:
        log.warning("no account page for %s: %s", begun[1], failure.message)
        return _page(problem=True, status=503)
    return redirect(link, 303)


@wallets.post("/payees/stripe/check")
@requires(permissions.withdraw_own_money)
@limiter.limit("30 per hour")
def check_stripe() -> AnyResponse:
    """Ask Stripe how the account stands, for when its word did not reach us."""
    place = accounts.account_of(db.session(), owner().id)
    account = place.provider_account if place else None
    db.session.rollback()
    if account is None:
        return redirect(url_for("wallets.stripe_account"), 303)
    try:
        state = _stripe().account_state(account)
    except ProviderUnavailable as failure:
        log.warning("no word about %s: %s", account, failure.message)
        return _page(problem=True, status=503)
    perform(
        lambda uow: accounts.note_state(
            uow, account=account, ready=state.ready, problem=state.problem, bank=state.bank
        )
    )
    flash(_("Stripe pays to your account.") if state.ready else _("Stripe still needs something."), "ok")
    return redirect(url_for("wallets.stripe_account"), 303)


def _page(
    *, back: bool = False, old_link: bool = False, problem: bool = False, status: int = 200
) -> Response:
    return show(
        "wallets/onboarding.html",
        "account",
        status=status,
        method=accounts.offered_method(db.session()),
        place=accounts.account_of(db.session(), owner().id),
        back=back,
        old_link=old_link,
        problem=problem,
        now=utc_now(),
    )


def _known(place: Destination) -> tuple[int, str, str]:
    """Id, public id and the provider's id of a destination, as far as it has one."""
    return place.id, place.public_id, place.provider_account or ""


def _open(begun: tuple[int, str, str], *, email: str, country: str) -> str:
    """Open the account that was written down; the same one when that is asked again."""
    destination_id, public_id, _account = begun
    request = AccountRequest(public_id, email, country, idempotency_key=f"account_{public_id}")
    try:
        account = _stripe().open_account(request)
    except ProviderUnavailable as failure:
        if failure.key_is_spent:
            perform(lambda uow: accounts.note_dead(uow, destination_id=destination_id))
        raise
    perform(lambda uow: accounts.note_account(uow, destination_id=destination_id, account=account))
    return account


def _stripe() -> StripeConnect:
    settings = _settings()
    if settings.stripe_key:
        return StripeConnect(settings.stripe_key)
    return StripeConnect(SANDBOX_KEY, base_url=f"{settings.base_url}/sandbox/stripe")


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
