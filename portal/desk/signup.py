"""/v: what customers can ask for through a consultant, the page on which they sign up, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.access.guard import public
from portal.desk.access import NOT_HERE
from portal.desk.room import desk
from portal.desk.signup_form import SignUpForm
from portal.extensions import db, limiter
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError, NotYours
from portal.leads import consents, selling, signing_up
from portal.members.queries import sponsor_by_code
from portal.models import ConsentText, Consultant, Pack, Service, TermsVersion
from portal.sales.cooling_off import rules
from portal.store import perform
from portal.ui import show
from portal.ui.htmx import request
from portal.ui.invited import kept
from portal.ui.patience import is_too_much

SIGN_UPS = "10 per minute; 60 per hour"


@dataclass(frozen=True)
class Offer:
    """What a page of this room is about: a service, its terms of today, and whose link was followed."""

    service: Service
    terms: TermsVersion
    consultant: Consultant | None

    @property
    def address(self) -> dict[str, Any]:
        """The parts of the page's address."""
        named = {"vendor": self.service.vendor.public_id, "code": self.service.code}
        return named | ({"c": self.consultant.code} if self.consultant else {})

    @property
    def thanks(self) -> str:
        """The address of the page that follows."""
        return url_for("desk.thanks", **self.address)

    @property
    def asks_size(self) -> bool:
        """Whether the service is paid by its size."""
        return bool(self.terms.volume_per_unit or self.terms.revenue_per_unit_cents)


@desk.get("/v")
@public
@limiter.limit("60 per minute")
def services() -> Response:
    """Everything a customer can ask for, through the consultant named by `c`."""
    consultant = _consultant()
    offered = selling.offered_services(db.session(), day=utc_now().date())
    return show(
        "desk/services.html",
        "main",
        consultant=consultant,
        services=[service for service, terms in offered if _sells(consultant, service, terms)],
    )


@desk.get("/v/<vendor>/<code>")
@public
@limiter.limit("60 per minute")
def sign_up_page(vendor: str, code: str) -> Response:
    """One service, and the form to sign up for it."""
    _ensure_texts()
    return _page(_offer(vendor, code), SignUpForm(formdata=None).open())


@desk.post("/v/<vendor>/<code>")
@public
def sign_up(vendor: str, code: str) -> AnyResponse:
    """Keep what the customer wrote; who is known already sees the same page as everybody."""
    offer, form = _offer(vendor, code), SignUpForm().open()
    if is_too_much(form, SIGN_UPS):
        return _page(offer, form, status=429)
    thanks = redirect(offer.thanks, 303)
    if form.website.data:
        return thanks
    valid = form.validate_on_submit()
    if form.misses(offer.terms) or not valid:
        return _page(offer, form, status=422)
    consultant_id = offer.consultant.id if offer.consultant else None
    answers = form.answers(service_id=offer.service.id, consultant_id=consultant_id)
    try:
        perform(lambda uow: signing_up.sign_up(uow, signup=answers))
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(_offer(vendor, code), form, status=refusal.status)
    return thanks


@desk.get("/v/<vendor>/<code>/thanks")
@public
@limiter.limit("60 per minute")
def thanks(vendor: str, code: str) -> Response:
    """What happens next; the same for everybody, so that nobody learns who is a customer."""
    return show("desk/thanks.html", "main", offer=_offer(vendor, code))


def _offer(vendor: str, code: str) -> Offer:
    session, consultant = db.session(), _consultant()
    service = selling.offered_service(session, vendor, code)
    terms = selling.terms_of_day(session, service.id, utc_now().date()) if service else None
    if service is None or terms is None:
        raise NotYours(NOT_HERE)
    if _sells(consultant, service, terms):
        return Offer(service, terms, consultant)
    if request.args.get("c"):
        raise NotYours(NOT_HERE)
    # The address names nobody: who once invited this browser and may not sell it does not hide the page.
    return Offer(service, terms, None)


def _consultant() -> Consultant | None:
    """Whose link was followed: named by the address, or else kept in this browser; nobody's without both.

    A code in the address that is not known is no page.
    """
    if code := request.args.get("c", ""):
        found = sponsor_by_code(db.session(), code)
        if found is None:
            raise NotYours(NOT_HERE)
        return found
    invited = kept()
    return sponsor_by_code(db.session(), invited.code) if invited else None


def _sells(consultant: Consultant | None, service: Service, terms: TermsVersion) -> bool:
    if consultant is None:
        return True
    pack = db.session.get_one(Pack, consultant.pack)
    return selling.may_sell(pack, vendor=service.vendor, terms=terms)


def _ensure_texts() -> None:
    if any(_text(purpose) is None for purpose in consents.PURPOSES):
        perform(consents.ensure_texts)


def _text(purpose: str) -> ConsentText | None:
    return consents.current_text(db.session(), purpose)


def _page(offer: Offer, form: SignUpForm, *, status: int = 200) -> Response:
    texts = {purpose: _text(purpose) for purpose in consents.PURPOSES}
    for purpose, text in texts.items():
        read, holds = form[f"{purpose}_text"], text.sha256 if text else ""
        form[purpose].data = bool(form[purpose].data) and read.data == holds
        read.data = holds
    units = ("", offer.service.unit)
    general = [
        rule.business_days
        for rule in rules(db.session())
        if not rule.state and rule.service_unit in units and not rule.from_age
    ]
    return show(
        "desk/signup.html",
        "form",
        status=status,
        form=form,
        offer=offer,
        texts=texts,
        needs=form.needs(offer.terms),
        states=selling.served_states(offer.terms),
        business_days=max(general, default=0),
    )
