"""Joining, one thing a page: link, plan, you, check, payment, done."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from portal.access.guard import public
from portal.access.passwords import hash_password
from portal.commissions.projection import leg_volumes
from portal.extensions import db, limiter
from portal.gateways.errors import ProviderUnavailable
from portal.join import checkout, invitation, wizard
from portal.join.forms import AgreementForm, CodeForm, PersonForm, PlanForm
from portal.kernel.errors import Conflict
from portal.members import queries, service
from portal.members.service import Applicant
from portal.models import Pack, Registration
from portal.store import perform
from portal.ui import show
from portal.ui.htmx import request

OVER = ("complete", "duplicate", "settled")

join = Blueprint("join", __name__)


@join.get("/r/<code>")
@public
@limiter.limit("60 per minute")
def referral(code: str) -> Response:
    """A consultant's link."""
    invited = invitation.read(code, request.args.get("side", ""))
    if invited is None:
        return show("join/unknown_link.html", "main", status=404)
    response = make_response(show("join/referral.html", "main", invited=invited))
    invitation.remember(response, invited)
    return response


@join.get("/join")
@public
def start() -> Response:
    if invitation.remembered():
        return redirect(url_for("join.plan"), 303)
    return show("join/start.html", "form", form=CodeForm(formdata=None))


@join.post("/join")
@public
@limiter.limit("20 per minute")
def enter_code() -> Response:
    form = CodeForm()
    if not form.validate_on_submit():
        return show("join/start.html", "form", status=422, form=form)
    if invitation.read(form.code.data, "") is None:
        form.code.errors = [_("This code is not known. Please look again, or ask for the link.")]
        return show("join/start.html", "form", status=422, form=form)
    return redirect(url_for("join.referral", code=form.code.data), 303)


@join.route("/join/plan", methods=["GET", "POST"])
@public
def plan() -> Response:
    invited = invitation.remembered()
    if invited is None:
        return redirect(url_for("join.start"), 303)
    packs = queries.packs(db.session())
    chosen = wizard.chosen_pack()
    form = PlanForm(data={"pack": chosen.code if chosen else None})
    form.pack.choices = [(pack.code, pack.name) for pack in packs]
    if form.validate_on_submit():
        wizard.choose_pack(form.pack.data)
        return redirect(_after_plan(form.pack.data, invited), 303)
    return show("join/plan.html", "form", status=422 if form.is_submitted() else 200, form=form, packs=packs)


@join.get("/join/you")
@public
def you() -> Response:
    pack, registration = wizard.chosen_pack(), wizard.own_registration()
    if pack is None or invitation.remembered() is None:
        return redirect(url_for("join.plan"), 303)
    known = {"name": registration.person.name, "email": registration.person.email} if registration else {}
    return show("join/you.html", "form", form=PersonForm(formdata=None, data=known), pack=pack)


@join.post("/join/you")
@public
@limiter.limit("10 per minute; 60 per hour")
def introduce() -> Response:
    pack, invited = wizard.chosen_pack(), invitation.remembered()
    if pack is None or invited is None:
        return redirect(url_for("join.plan"), 303)
    form = PersonForm()
    if not form.validate_on_submit():
        form.password.data = ""
        return show("join/you.html", "form", status=422, form=form, pack=pack)
    applicant = Applicant(form.name.data, form.email.data, hash_password(form.password.data))
    wizard.keep_answers(applicant, pack.code, invited.for_service())
    return redirect(url_for("join.check"), 303)


@join.get("/join/check")
@public
def check() -> Response:
    registration = wizard.own_registration()
    if registration is None:
        return redirect(url_for("join.you"), 303)
    if registration.state in OVER:
        return redirect(url_for("join.done", registration_id=registration.public_id), 303)
    return _check_page(registration, AgreementForm(formdata=None))


@join.post("/join/check")
@public
@limiter.limit("10 per minute; 60 per hour")
def agree() -> Response:
    registration = wizard.own_registration()
    if registration is None:
        return redirect(url_for("join.you"), 303)
    if registration.state in OVER:
        return redirect(url_for("join.done", registration_id=registration.public_id), 303)
    form = AgreementForm()
    if not form.validate_on_submit():
        return _check_page(registration, form, status=422)
    if queries.is_email_taken(db.session(), registration.person.email):
        return _check_page(registration, form, status=422, problem="taken")
    return _agreed(_usable(registration), form)


@join.get("/join/done/<registration_id>")
@public
def done(registration_id: str) -> Response:
    """Waits for the payment to be confirmed, then says welcome."""
    registration = queries.registration(db.session(), registration_id)
    if registration is None:
        raise NotFound
    return show("join/done.html", "state", registration=registration, signed_in=current_user.is_authenticated)


def _after_plan(pack: str, invited: invitation.Invited) -> str:
    """On to the answers; who has given them already only changes the plan."""
    known = wizard.own_registration()
    if known is None or known.state in OVER:
        return url_for("join.you")
    applicant = Applicant(known.person.name, known.person.email, known.password_hash)
    wizard.keep_answers(applicant, pack, invited.for_service())
    return url_for("join.check")


def _agreed(registration: Registration, form: AgreementForm) -> Response:
    """Keep the agreement, then on to the payment, or straight in where nothing is to be paid."""
    public_id, words = registration.public_id, form.agreement.data
    try:
        perform(lambda uow: service.accept_agreement(uow, public_id=public_id, sha256=words))
    except Conflict as refusal:
        form.agrees.errors = [refusal.message]
        return _check_page(registration, form, status=409)
    pack = db.session.get_one(Pack, registration.pack)
    if pack.is_free:
        perform(
            lambda uow: service.complete_registration(
                uow, registration_public_id=public_id, volumes=leg_volumes
            )
        )
        return redirect(url_for("join.done", registration_id=public_id), 303)
    try:
        return redirect(checkout.open_page(registration, pack).url, 303)
    except ProviderUnavailable as failure:
        if failure.key_is_spent:
            registration = wizard.begin_again(public_id)
        return _check_page(registration, form, status=503, problem="provider")


def _check_page(
    registration: Registration, form: AgreementForm, *, status: int = 200, problem: str = ""
) -> Response:
    agreement = queries.current_agreement(db.session())
    form.agreement.data = agreement.sha256
    return show(
        "join/check.html",
        "form",
        status=status,
        form=form,
        registration=registration,
        pack=db.session.get_one(Pack, registration.pack),
        agreement=agreement,
        problem=problem,
        cancelled="cancelled" in request.args,
    )


def _usable(registration: Registration) -> Registration:
    """The registration, or a fresh copy where its payment page has closed unpaid."""
    return wizard.begin_again(registration.public_id) if registration.state == "expired" else registration
