"""People who work for a vendor: invited, and shut out again, by those who keep the company."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.access.sessions import end_all_sessions
from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.kernel.ids import new_id
from portal.members.service import add_user
from portal.messages.service import say_vendor_invitation
from portal.models import AccountUser, Person, RoleGrant, Vendor, VendorMember
from portal.models.person import NO_PASSWORD
from portal.store import UnitOfWork
from portal.store.locks import advisory, lock_where

ROLE = "vendor"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def vendor_of(session: Session, user_id: int) -> Vendor:
    """The vendor whose pages a user sees. Raises `NotYours` where their access has ended."""
    found = session.scalar(
        select(VendorMember).where(VendorMember.user_id == user_id, VendorMember.ended_at.is_(None))
    )
    if found is None:
        raise NotYours("You work for no vendor here.")
    return found.vendor


def members_of(session: Session, vendor_id: int) -> Sequence[tuple[VendorMember, AccountUser]]:
    """Who sees a vendor's pages now, oldest first."""
    rows = (
        select(VendorMember, AccountUser)
        .join(AccountUser, AccountUser.id == VendorMember.user_id)
        .where(VendorMember.vendor_id == vendor_id, VendorMember.ended_at.is_(None))
        .order_by(VendorMember.id)
    )
    return [(member, user) for member, user in session.execute(rows)]


def invite(uow: UnitOfWork, *, vendor_id: int, name: str, email: str, actor_id: int | None) -> VendorMember:
    """Let somebody see a vendor's pages, and send them the link with which they choose a password.

    Asked again for the same person, it sends a new link while no password was chosen. Raises `BadInput`, and
    `Conflict` for an e-mail that signs in here as somebody else.
    """
    address = email.strip().lower()
    if not _EMAIL.fullmatch(address) or len(address) > 254:
        raise BadInput("This is not an e-mail address.", field="email")
    if not name.strip() or len(name) > 200:
        raise BadInput("Please write first and last name.", field="name")
    advisory(uow, f"invite-{address}")
    user = _user(uow, vendor_id, name.strip(), address)
    member = lock_where(
        uow, VendorMember, VendorMember.vendor_id == vendor_id, VendorMember.user_id == user.id
    )
    if member is None:
        member = VendorMember(
            vendor_id=vendor_id, user_id=user.id, invited_by=actor_id, created_at=uow.clock()
        )
        uow.session.add(member)
    member.ended_at = None
    uow.session.flush()
    vendor = uow.session.get_one(Vendor, vendor_id)
    say_vendor_invitation(uow, person_id=user.person_id, vendor=vendor.name, member_id=member.id)
    uow.note("vendor member invited", thing="vendor", thing_id=vendor_id, actor_id=actor_id, user_id=user.id)
    return member


def add_member(uow: UnitOfWork, *, vendor_id: int, person: Person, password_hash: str) -> AccountUser:
    """Let a person sign in to a vendor's pages with a password they have; raises as `add_user`."""
    user = add_user(uow, person=person, password_hash=password_hash, role=ROLE)
    uow.session.add(VendorMember(vendor_id=vendor_id, user_id=user.id, created_at=uow.clock()))
    uow.session.flush()
    return user


def end_access(uow: UnitOfWork, *, vendor_id: int, user_id: int, actor_id: int | None) -> None:
    """Shut somebody out of a vendor's pages, at once and everywhere. Raises `NotYours`."""
    belongs = VendorMember.vendor_id == vendor_id, VendorMember.user_id == user_id
    member = lock_where(uow, VendorMember, *belongs, VendorMember.ended_at.is_(None))
    if member is None:
        raise NotYours("Nobody of this vendor has this sign-in.")
    member.ended_at = uow.clock()
    user = uow.session.get_one(AccountUser, user_id)
    # A link that was not used yet opens nothing for somebody who was shut out.
    user.disabled_at = user.disabled_at or uow.clock()
    uow.session.execute(delete(RoleGrant).where(RoleGrant.user_id == user_id, RoleGrant.role == ROLE))
    end_all_sessions(uow, user_id=user_id)
    uow.note("vendor member ended", thing="vendor", thing_id=vendor_id, actor_id=actor_id, user_id=user_id)


def _user(uow: UnitOfWork, vendor_id: int, name: str, email: str) -> AccountUser:
    """A sign-in that sees this vendor's pages and nothing else; made, or opened again."""
    user = uow.session.scalar(select(AccountUser).where(AccountUser.email == email))
    if user is None:
        person = Person(public_id=new_id(), name=name, email=email, created_at=uow.clock())
        uow.session.add(person)
        uow.session.flush()
        return add_user(uow, person=person, password_hash=NO_PASSWORD, role=ROLE)
    before = uow.session.scalars(select(VendorMember).where(VendorMember.user_id == user.id)).all()
    of_others = [each for each in before if each.vendor_id != vendor_id and each.ended_at is None]
    if not before or of_others or user.roles - {ROLE}:
        raise Conflict("Somebody signs in here with this e-mail already.", field="email")
    here = [each for each in before if each.vendor_id == vendor_id and each.ended_at is None]
    if here and user.password_hash != NO_PASSWORD:
        raise Conflict("This person has access already.", field="email")
    if not here:
        # Whoever comes back chooses a password anew.
        user.disabled_at, user.password_hash = None, NO_PASSWORD
        uow.session.add(RoleGrant(user_id=user.id, role=ROLE))
    uow.session.flush()
    return user
