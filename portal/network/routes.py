"""/team: the tree around one person, and placing the people who wait for a spot."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.access import permissions
from portal.access.guard import requires
from portal.commissions import projection
from portal.commissions.queries import open_cycle
from portal.commissions.standings import standings
from portal.extensions import db
from portal.kernel.clock import utc_now
from portal.kernel.errors import DomainError, NotYours
from portal.members import placement
from portal.members import queries as members
from portal.members.preference import set_preference
from portal.members.team import viewer_of
from portal.models import Consultant
from portal.network import queries
from portal.network.forms import PlaceForm, PreferenceForm
from portal.network.past import asked_day, latest_day, past_tree
from portal.network.queries import Viewer
from portal.store import UnitOfWork, perform
from portal.ui import show
from portal.ui.addresses import end_of
from portal.ui.filters import current
from portal.ui.htmx import request
from portal.ui.packs import own_consultant, own_features

network = Blueprint("network", __name__)


@network.get("/team")
@requires(permissions.see_own_business)
def team() -> Response:
    """The tree around oneself."""
    viewer = _viewer()
    return _tree(viewer, viewer.consultant.public_id)


@network.get("/team/<public_id>")
@requires(permissions.see_own_business)
def person(public_id: str) -> Response:
    """The tree around somebody in one's downline."""
    return _tree(_viewer(), public_id)


@network.get("/team/<public_id>/bottom/<any(left, right):side>")
@requires(permissions.see_own_business)
def bottom(public_id: str, side: str) -> AnyResponse:
    """Go to the outer end of a leg."""
    viewer = _viewer()
    focus = _person(viewer, public_id)
    end = members.outside_edge(db.session(), focus.id, queries.LEGS[side])
    target = db.session().get_one(Consultant, end)
    if not queries.is_shown(viewer, target):
        flash(_("This leg goes on below the levels that your plan shows."), "ok")
        target = focus
    return redirect(url_for("network.person", public_id=target.public_id))


@network.get("/team/place")
@requires(permissions.place_own_people)
def place() -> Response:
    """Who waits for a spot, and where people go who join later."""
    return _place_page(_viewer())


@network.post("/team/preference")
@requires(permissions.place_own_people)
def prefer() -> AnyResponse:
    """Keep where people go who join later."""
    viewer, form = _viewer(), PreferenceForm()
    if not form.validate_on_submit():
        return _place_page(viewer, form, status=422)
    perform(lambda uow: set_preference(uow, consultant_id=viewer.id, preference=form.preference.data))
    flash(_("Your preference is kept."), "ok")
    return redirect(url_for("network.place"), 303)


@network.get("/team/place/<public_id>")
@requires(permissions.place_own_people)
def choose(public_id: str) -> Response:
    """Choose a spot for one person; with `parent` and `leg` in the address, check it before it is taken."""
    viewer = _viewer()
    waiting = _waiting(viewer, public_id)
    if request.args.get("parent"):
        return _check_page(viewer, waiting, PlaceForm(request.args))
    ends = {side: queries.end_of_leg(db.session(), viewer, side) for side in queries.LEGS}
    return show("network/choose.html", "main", waiting=waiting, ends=ends)


@network.post("/team/place/<public_id>")
@requires(permissions.place_own_people)
def put(public_id: str) -> AnyResponse:
    """Give the person the spot that was checked."""
    viewer, form = _viewer(), PlaceForm()
    waiting, parent = _waiting(viewer, public_id), _parent(viewer, form)

    def work(uow: UnitOfWork) -> None:
        sponsor, consultant, above = (
            uow.session.get_one(Consultant, found.id) for found in (viewer.consultant, waiting, parent)
        )
        placement.place_by_hand(
            uow,
            sponsor=sponsor,
            consultant=consultant,
            parent=above,
            leg=queries.LEGS.get(form.leg.data or "", ""),
        )

    try:
        perform(work)
    except DomainError as refusal:
        return _check_page(viewer, waiting, form, refusal=refusal)
    flash(_("%(name)s has a place in your team.", name=waiting.person.name), "ok")
    seen = queries.is_shown(viewer, waiting)
    shown = waiting if seen else viewer.consultant
    return redirect(url_for("network.person", public_id=shown.public_id), 303)


def _viewer() -> Viewer:
    return viewer_of(own_consultant(), own_features())


def _person(viewer: Viewer, public_id: str) -> Consultant:
    return queries.person_below(db.session(), viewer, public_id)[0]


def _parent(viewer: Viewer, form: PlaceForm) -> Consultant:
    """Who is to stand above: anybody in the downline. A plan limits the view of the tree, not its ends."""
    return _person(replace(viewer, levels=None), form.parent.data or "")


def _waiting(viewer: Viewer, public_id: str) -> Consultant:
    people = members.waiting_people(db.session(), viewer.id)
    found = next((person for person in people if person.public_id == public_id), None)
    if found is None:
        raise NotYours(_("There is nothing here under this address."))
    return found


def _tree(viewer: Viewer, public_id: str) -> Response:
    day = asked_day(request.args, now=utc_now())
    if day is not None:
        return past_tree(replace(viewer, at=end_of(day)), public_id, day=day)
    session = db.session()
    focus, path = queries.person_below(session, viewer, public_id)
    spot = queries.picture(session, viewer, focus, depth=path.depth)
    people = queries.people_in(spot)
    cycle = open_cycle(session)
    return show(
        "network/team.html",
        "tree",
        spot=spot,
        path=path,
        person=queries.details(session, viewer, focus),
        standings=dict(zip(people, standings(people), strict=True)),
        waiting=members.waiting_people(session, viewer.id),
        sponsored=queries.sponsored(session, viewer) if viewer.levels == 0 else None,
        published=projection.published(),
        now=current(cycle.rhythm if cycle else "week"),
        moved=(request.source or "").startswith("a"),
        on=None,
        latest=latest_day(utc_now()),
    )


def _place_page(viewer: Viewer, form: PreferenceForm | None = None, *, status: int = 200) -> Response:
    chosen = {name: request.args[name] for name in ("parent", "leg") if request.args.get(name)}
    return show(
        "network/place.html",
        "main",
        status=status,
        form=form or PreferenceForm(preference=viewer.consultant.preference),
        waiting=members.waiting_people(db.session(), viewer.id),
        code=viewer.consultant.code,
        chosen=chosen,
    )


def _check_page(
    viewer: Viewer, waiting: Consultant, form: PlaceForm, refusal: DomainError | None = None
) -> Response:
    parent = _parent(viewer, form)
    return show(
        "network/check.html",
        "main",
        status=refusal.status if refusal else 200,
        waiting=waiting,
        above=_("you") if parent.id == viewer.id else viewer.name_of(parent),
        leg=form.leg.data,
        form=form,
        refusal=refusal,
    )
