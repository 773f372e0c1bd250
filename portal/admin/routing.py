"""/admin/routing: who is offered leads without a consultant, by which order, and who would be asked now."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse
from wtforms import IntegerField
from wtforms.validators import InputRequired, NumberRange

from portal.access import permissions
from portal.access.guard import requires
from portal.admin.room import admin
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import BadInput, DomainError, NotYours
from portal.kernel.us import STATES
from portal.leads import offers, ranking, selling
from portal.leads.criteria import CRITERIA, SHIPPED, Asked
from portal.leads.queries import left_because, open_offers
from portal.leads.ranking import HEAVIEST, LONGEST_HOURS, SHIPPED_HOURS, Weighed
from portal.models import Lead, RoutingRule, Service
from portal.store import UnitOfWork, perform
from portal.ui import routing as words
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.fields import RefusingForm
from portal.ui.filters import worded
from portal.ui.htmx import request

NOT_HERE = "There is nothing here under this address."


class RuleForm(RefusingForm):
    """How long an offer stands, and the place and the weight of each criterion."""

    answer_hours = IntegerField(
        _l("Hours to answer"),
        validators=[
            InputRequired(_l("Please write a number of hours.")),
            NumberRange(1, LONGEST_HOURS, _l("Please write 1 to 168 hours.")),
        ],
    )

    def weighed(self) -> list[Weighed]:
        """The criteria in the order of their places."""
        codes = sorted(CRITERIA, key=lambda code: (self[f"place_{code}"].data, list(CRITERIA).index(code)))
        return [Weighed(code, self[f"weight_{code}"].data) for code in codes]


for _code in CRITERIA:
    _whole = [InputRequired(_l("Please write a number."))]
    _weight = [*_whole, NumberRange(0, HEAVIEST, _l("A weight is from 0 to 10."))]
    _place = [*_whole, NumberRange(1, 99, _l("A place is from 1 on."))]
    setattr(RuleForm, f"place_{_code}", IntegerField(_l("Place"), validators=_place))
    setattr(RuleForm, f"weight_{_code}", IntegerField(_l("Weight"), validators=_weight))


@dataclass(frozen=True)
class Warned:
    """A lead that somebody wants to give to the consultant with a code, and what speaks against it.

    `unmet` are the rules that shut them out, `fault` says what is wrong with the code itself.
    """

    public_id: str
    code: str
    unmet: list[str]
    fault: str = ""


@admin.get("/routing")
@requires(permissions.route_leads)
def routing() -> Response:
    """What waits, the rule, and who would be asked for a service in a state."""
    return _page(_filled())


@admin.post("/routing")
@requires(permissions.route_leads)
def decide_routing() -> AnyResponse:
    """Decide the order from now on; offers that stand keep theirs."""
    form, actor_id = RuleForm(), current_user.id
    if not form.validate_on_submit():
        return _page(form, status=422)
    weighed, hours = form.weighed(), form.answer_hours.data
    try:
        perform(lambda uow: ranking.decide_rule(uow, weighed, hours=hours, actor_id=actor_id) and None)
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(form, status=refusal.status)
    flash(_("Decided. Offers that stand already keep the rule they were made by."), "ok")
    return redirect(url_for("admin.routing"), 303)


@admin.post("/routing/leads/<public_id>")
@requires(permissions.route_leads)
def settle_lead(public_id: str) -> AnyResponse:
    """Give a lead to the consultant with a code; without one, look again who could be asked."""
    code, reason = request.form.get("code", "").strip(), request.form.get("reason", "")
    actor_id = current_user.id

    def work(uow: UnitOfWork) -> bool:
        lead_id = uow.session.scalar(select(Lead.id).where(Lead.public_id == public_id))
        if lead_id is None:
            raise NotYours(NOT_HERE)
        if code:
            offers.assign(uow, lead_id=lead_id, code=code, actor_id=actor_id, reason=reason)
        return bool(code) or offers.route(uow, lead_id=lead_id) is not None

    try:
        found = perform(work)
    except NotYours:
        raise
    except offers.Unfit as warning:
        return _page(_filled(), status=422, warned=Warned(public_id, code, warning.unmet))
    except BadInput as refusal:
        return _page(_filled(), status=422, warned=Warned(public_id, code, [], worded(refusal.message)))
    except DomainError as refusal:
        flash(refusal.message, "bad")
        return redirect(url_for("admin.routing"), 303)
    said = _("Given to them.") if code else _("It is offered to somebody now.")
    flash(said if found else _("There is still nobody who could be asked."), "ok" if found else "sun")
    return redirect(url_for("admin.routing"), 303)


def _rule() -> RoutingRule | None:
    return ranking.current_rule(db.session(), utc_now())


def _filled() -> RuleForm:
    """The form with the rule that holds; the shipped one before anybody decided."""
    rule = _rule()
    weighed = ranking.weighed_of(rule) if rule else [Weighed(*each) for each in SHIPPED]
    weighed += [Weighed(code, 0) for code in CRITERIA if code not in {each.code for each in weighed}]
    known = {"answer_hours": rule.answer_hours if rule else SHIPPED_HOURS}
    known |= {f"place_{each.code}": place for place, each in enumerate(weighed, start=1)}
    known |= {f"weight_{each.code}": each.weight for each in weighed}
    return RuleForm(formdata=None, data=known)


def _page(form: RuleForm, *, status: int = 200, warned: Warned | None = None) -> Response:
    session = db.session()
    waiting = session.scalars(offers.unrouted().limit(50)).unique().all()
    service, region = _asked_service(), request.args.get("state", "")
    rule = _rule() or RoutingRule(criteria=[{"code": code, "weight": weight} for code, weight in SHIPPED])
    asked = None
    if "state" in request.args:
        terms = selling.terms_of_day(session, service.id, utc_now().date()) if service else None
        asked = Asked(service, terms, region if region in STATES else None, utc_now())
    people = ranking.ranked(session, rule, asked) if asked else []
    return show(
        "admin/routing.html",
        "main",
        status=status,
        form=form,
        order=[code for code, _place in _places(form)],
        waiting=waiting,
        warned=warned,
        why=left_because(session, [lead.id for lead in waiting]),
        standing=open_offers(session),
        services=[one for one, _terms in selling.offered_services(session, day=utc_now().date())],
        chosen_service=service,
        chosen_state=region,
        states=STATES,
        asked=asked,
        people=people,
        nobody=ranking.shut_out_by(session, rule, asked) if asked and not people else "",
        words=words,
    )


def _asked_service() -> Service | None:
    service_id = number(request.args, "service")
    return db.session.get(Service, service_id) if service_id else None


def _places(form: RuleForm) -> list[tuple[str, int]]:
    """The criteria in the order in which the form shows them."""
    places = [(code, form[f"place_{code}"].data or 0) for code in CRITERIA]
    return sorted(places, key=lambda each: each[1])
