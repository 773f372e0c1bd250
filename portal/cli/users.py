"""`flask user …`: people who sign in."""

from __future__ import annotations

import json
import re
import secrets

import click
from flask.cli import AppGroup
from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from portal.access.passwords import check_password, hash_password
from portal.access.permissions import ROLES
from portal.access.sessions import change_password, disable_user
from portal.extensions import db
from portal.kernel.errors import BadInput
from portal.kernel.ids import new_id
from portal.members import queries, service
from portal.members.packs import ensure_defaults
from portal.members.service import Invitation
from portal.models import AccountUser, Person, Vendor
from portal.payouts.payees.shipped import ensure_methods
from portal.sales.cooling_off import ensure_rules
from portal.store import UnitOfWork, perform
from portal.vendors import members

users = AppGroup("user", help="People who sign in.")

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@users.command("add")
@click.argument("email")
@click.option("--name", required=True, help="First and last name.")
@click.option("--role", required=True, type=click.Choice(sorted(ROLES)))
@click.option("--password", default="", help="Made up and printed once when left out.")
@click.option("--sponsor", default="", help="Code of the sponsor, for a consultant below somebody.")
@click.option("--vendor", default="", help="Id or name of the vendor, for somebody who works for one.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def add(email: str, *, as_json: bool, password: str, **about: str) -> None:
    """Let somebody sign in; a consultant without --sponsor stands at the top of a tree."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email.strip()):
        raise click.ClickException(f"{email} is not an e-mail address.")
    chosen = password or made_up_password()
    try:
        _check_role(about)
        check_password(chosen, about=(about["name"], email))
        password_hash = hash_password(chosen)
        code = perform(lambda uow: _add(uow, email=email, password_hash=password_hash, **about))
    except BadInput as refusal:
        raise click.ClickException(refusal.message) from refusal
    except IntegrityError as error:
        raise click.ClickException(f"{email} signs in here already.") from error
    _print(email, about["role"], code, "" if password else chosen, as_json=as_json)


@users.command("password")
@click.argument("email")
@click.option("--password", default="", help="Made up and printed once when left out.")
def password(email: str, password: str) -> None:
    """Give somebody a new password; every browser they are signed in with is signed out."""
    chosen = password or made_up_password()
    user_id = _known(email)
    try:
        check_password(chosen, about=(email,))
    except BadInput as refusal:
        raise click.ClickException(refusal.message) from refusal
    password_hash = hash_password(chosen)
    perform(lambda uow: change_password(uow, user_id=user_id, password_hash=password_hash))
    click.echo(f"{email} has a new password." + ("" if password else f" Shown this once: {chosen}"))


@users.command("disable")
@click.argument("email")
def disable(email: str) -> None:
    """Let somebody sign in no more, from this moment on."""
    user_id = _known(email)
    perform(lambda uow: disable_user(uow, user_id=user_id))
    click.echo(f"{email} cannot sign in any more.")


def _known(email: str) -> int:
    found = db.session.scalar(select(AccountUser.id).where(AccountUser.email == email.strip().lower()))
    db.session.rollback()
    if found is None:
        raise click.ClickException(f"Nobody signs in as {email}.")
    return found


def _add(uow: UnitOfWork, *, email: str, password_hash: str, **about: str) -> str:
    """Gives the referral code of a consultant, else nothing."""
    person = Person(
        public_id=new_id(), name=about["name"].strip(), email=email.strip().lower(), created_at=uow.clock()
    )
    uow.session.add(person)
    uow.session.flush()
    if about["role"] == "vendor":
        members.add_member(
            uow, vendor_id=_vendor(about["vendor"]), person=person, password_hash=password_hash
        )
        return ""
    service.add_user(uow, person=person, password_hash=password_hash, role=about["role"])
    if about["role"] != "consultant":
        return ""
    ensure_defaults(uow)
    ensure_rules(uow)
    ensure_methods(uow)
    invitation = _invitation(about["sponsor"])
    return service.add_consultant(uow, person=person, pack="plus", invitation=invitation).code


def _vendor(named: str) -> int:
    """The vendor with this id or name."""
    called = or_(Vendor.public_id == named, Vendor.name == named)
    found = db.session.scalar(select(Vendor.id).where(called))
    if found is None:
        raise BadInput(f"There is no vendor {named}.")
    return found


def _check_role(about: dict[str, str]) -> None:
    """Each role with what belongs to it, and nothing else."""
    role = about["role"]
    if role == "vendor" and not about["vendor"]:
        raise BadInput("Please say with --vendor for which vendor they work (its id or name).")
    for option, needs in (("vendor", "vendor"), ("sponsor", "consultant")):
        if about[option] and role != needs:
            raise BadInput(f"--{option} goes with --role {needs}, not with {role}.")


def _invitation(code: str) -> Invitation | None:
    if not code:
        return None
    sponsor = queries.sponsor_by_code(db.session(), code)
    if sponsor is None:
        raise BadInput(f"Nobody active has the code {code}.")
    return Invitation(sponsor_id=sponsor.id)


def _print(email: str, role: str, code: str, password: str, *, as_json: bool) -> None:
    shown = {"email": email, "role": role, "code": code, "password": password}
    if as_json:
        click.echo(json.dumps({name: value for name, value in shown.items() if value}))
        return
    click.echo(f"{email} may sign in as {role}.")
    if password:
        click.echo(f"Password, shown this once: {password}")
    if code:
        click.echo(f"Link: /r/{code}")


def made_up_password() -> str:
    """Twenty letters in five groups: 96 random bits that can be read aloud."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(5))
