"""The demo's integrations of Maya and of the company: a form, tokens, and addresses that are told."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from sqlalchemy import select

from portal.cli.demo.calendar import Calendar
from portal.cli.demo.network import MAYA
from portal.cli.demo.rows import Known
from portal.cli.demo.weeks import quietly
from portal.integrations import endpoints, tokens
from portal.integrations.endpoints import Mine
from portal.leads import forms
from portal.models import AccountUser, Consultant
from portal.store import UnitOfWork

SITE = "https://www.maya-solar.example"
# Addresses that no mail and no call can ever reach (RFC 2606); they are switched off from the start.
OWN_HOOK, COMPANY_HOOK = "https://crm.maya-solar.example/canopy", "https://warehouse.canopy.example/events"
OWN_KINDS = ("lead.taken", "sale.recorded")


def add_connections(calendar: Calendar, known: Known, *, admin_id: int) -> None:
    """Write them, as they were set up a while ago."""
    quietly(partial(_of_maya, known=known), at=calendar.now - timedelta(days=18))
    quietly(partial(_of_company, known=known, admin_id=admin_id), at=calendar.now - timedelta(days=25))


def _of_maya(uow: UnitOfWork, *, known: Known) -> None:
    maya = uow.session.get_one(Consultant, known.sellers[MAYA])
    user_id = uow.session.scalars(select(AccountUser.id).where(AccountUser.person_id == maya.person_id)).one()
    service = known.offers[0].service_id
    wish = forms.Wish("My home page", service, (SITE,), ask_phone=True, thanks_url=f"{SITE}/thanks")
    form = forms.add_form(uow, consultant_id=maya.id, wish=wish, actor_id=user_id)
    form.public_id = known.invented.public_id()
    _past_token(uow, known, user_id=user_id, name="Old CRM")
    _past_hook(uow, known, wish=endpoints.Wish(OWN_HOOK, OWN_KINDS), owner=(maya.id, user_id))


def _of_company(uow: UnitOfWork, *, known: Known, admin_id: int) -> None:
    _past_token(uow, known, user_id=admin_id, name="Warehouse, first try")
    _past_hook(uow, known, wish=endpoints.Wish(COMPANY_HOOK, endpoints.KINDS), owner=(None, admin_id))


def _past_token(uow: UnitOfWork, known: Known, *, user_id: int, name: str) -> None:
    """A token that nobody has seen and nobody can use."""
    token = tokens.add_token(uow, user_id=user_id, wish=tokens.Wish(name, tokens.SCOPES, 0)).token
    token.public_id = known.invented.public_id()
    tokens.revoke_token(uow, user_id=user_id, public_id=token.public_id)


def _past_hook(uow: UnitOfWork, known: Known, *, wish: endpoints.Wish, owner: tuple[int | None, int]) -> None:
    consultant_id, user_id = owner
    made = endpoints.add_endpoint(uow, consultant_id=consultant_id, wish=wish, actor_id=user_id)
    made.public_id = known.invented.public_id()
    uow.session.flush()
    endpoints.disable(uow, Mine(made.public_id, consultant_id, user_id))
