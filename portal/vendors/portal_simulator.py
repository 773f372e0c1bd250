"""The simulator: events of made-up contracts sent with the vendor's own key, and what comes of each.

They are real events and make real sales; so there is no simulator where money is real.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import Response, current_app, redirect, url_for
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse
from wtforms import IntegerField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from portal.access import permissions
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError, NotYours
from portal.kernel.vendor_scenarios import SCENARIOS
from portal.store import UnitOfWork, perform
from portal.ui import show
from portal.ui.addresses import number
from portal.ui.fields import RefusingForm
from portal.ui.htmx import request
from portal.vendors import portal_simulating as simulating
from portal.vendors import portal_words as words
from portal.vendors.portal_room import Place, on_both
from portal.vendors.portal_simulating import MOST_CONTRACTS, Trial
from portal.vendors.queries import live_keys

NEEDED = InputRequired(_l("Please fill this in."))


class SimulatorForm(RefusingForm):
    """What to send."""

    scenario = RadioField(
        _l("What happens"),
        choices=[SelectChoice(value=name, label=words.SCENARIOS.get(name, name)) for name in SCENARIOS],
        default="sale",
        validators=[NEEDED],
    )
    service = SelectField(_l("Service"), validators=[NEEDED])
    consultant_code = StringField(_l("Consultant's code"), validators=[NEEDED, Length(max=16)])
    count = IntegerField(
        _l("Contracts"),
        default=1,
        validators=[NEEDED, NumberRange(min=1, max=MOST_CONTRACTS, message=_l("Please write 1 to 20."))],
    )


@on_both("/simulator", needs=permissions.simulate_vendor_events)
def simulator(place: Place) -> Response:
    """The form, and what came of what was sent last; a tick asks again."""
    sent = _sent_before()
    return _page(place, SimulatorForm(formdata=None, **(vars(sent) if sent else {})))


@on_both("/simulator", needs=permissions.simulate_vendor_events, post=True)
def simulate(place: Place) -> AnyResponse:
    """Send the events of a scenario through the vendor's door."""
    if _closed():
        raise NotYours("There is no simulator where money is real.")
    form, keys = SimulatorForm(), live_keys(place.vendor)
    form.service.choices = _services(place)
    if not form.validate_on_submit():
        return _page(place, form, status=422)
    code = (form.consultant_code.data or "").strip().upper()
    seed = secrets.randbelow(900_000) + 100_000
    trial = Trial(form.scenario.data, form.service.data, code, form.count.data or 1, seed)
    vendor_id, actor_id, secret = place.vendor.id, current_user.id, keys[-1].secret if keys else ""

    def send(uow: UnitOfWork) -> None:
        simulating.check_seller(uow.session, code)
        sent = simulating.send(uow, vendor_id=vendor_id, secret=secret, events=trial.events(uow.clock()))
        uow.note("events simulated", thing="vendor", thing_id=vendor_id, actor_id=actor_id, number=sent)

    try:
        perform(send)
    except DomainError as refusal:
        form.refuse(refusal)
        return _page(place, form, status=refusal.status)
    return redirect(place.url("simulator", **vars(trial)), 303)


def _page(place: Place, form: SimulatorForm, *, status: int = 200) -> Response:
    form.service.choices = _services(place)
    trial, keys, now = _sent_before(), live_keys(place.vendor), utc_now()
    events = trial.events(now) if trial else []
    door = url_for("inbound.take_vendor_event", public_id=place.vendor.public_id, _external=True)
    context: dict[str, Any] = {
        "results": simulating.results(db.session(), place.vendor, events),
        "curl": simulating.curl(events[0], url=door, secret=keys[-1].secret, now=now)
        if events and keys
        else "",
    }
    return show(
        "vendors/portal/simulator.html",
        "live",
        status=status,
        place=place,
        vendor=place.vendor,
        words=words,
        form=form,
        closed=_closed(),
        has_key=bool(keys),
        trial=trial,
        **context,
    )


def _sent_before() -> Trial | None:
    """What the address says was sent; None where it says nothing that could have been."""
    count, seed = number(request.args, "count"), number(request.args, "seed")
    scenario = request.args.get("scenario", "")
    if scenario not in SCENARIOS or not count or not seed or count > MOST_CONTRACTS:
        return None
    service, code = request.args.get("service", "")[:64], request.args.get("consultant_code", "")[:16]
    return Trial(scenario, service, code, count, seed)


def _services(place: Place) -> list[SelectChoice]:
    on_sale = [service for service in place.vendor.services if service.withdrawn_at is None]
    return [SelectChoice(value=service.code, label=service.name) for service in on_sale]


def _closed() -> bool:
    return bool(current_app.config["SETTINGS"].production)
