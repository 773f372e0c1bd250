"""From the first form to a consultant: registrations and what a completed one makes."""

from __future__ import annotations

from dataclasses import dataclass

from portal.kernel.errors import BadInput, Conflict, NotYours
from portal.kernel.facts import ConsultantRegistered
from portal.kernel.ids import new_code, new_id
from portal.members import queries
from portal.members.placement import Volumes, place_newcomer, unknown_volumes
from portal.models import AccountUser, Consultant, Pack, Person, Registration, RoleGrant
from portal.payments.recording import PaymentNotice, record_payment
from portal.store import UnitOfWork
from portal.store.locks import lock_where

NOT_HERE = "There is nothing here under this address."


@dataclass(frozen=True)
class Applicant:
    """Who wants to join. The password arrives hashed."""

    name: str
    email: str
    password_hash: str


@dataclass(frozen=True)
class Invitation:
    """Whose link was followed, and the side (`L`, `R`) it carried."""

    sponsor_id: int
    leg_wish: str | None = None


def start_registration(
    uow: UnitOfWork, *, applicant: Applicant, pack: str, invitation: Invitation | None = None
) -> Registration:
    """Keep what somebody told about themselves, before they agree and pay.

    Raises `BadInput` for a pack that does not exist.
    """
    _known_pack(uow, pack)
    now = uow.clock()
    person = Person(
        public_id=new_id(), name=applicant.name.strip(), email=_same(applicant.email), created_at=now
    )
    uow.session.add(person)
    uow.session.flush()
    registration = Registration(
        public_id=new_id(),
        person_id=person.id,
        password_hash=applicant.password_hash,
        pack=pack,
        sponsor_id=invitation.sponsor_id if invitation else None,
        leg_wish=invitation.leg_wish if invitation else None,
        state="started",
        started_at=now,
    )
    uow.session.add(registration)
    uow.session.flush()
    return registration


def change_registration(
    uow: UnitOfWork, *, public_id: str, applicant: Applicant, pack: str, invitation: Invitation | None
) -> Registration:
    """Take new answers for a registration that nobody can have paid yet; for any other a new one begins.

    What was agreed to before must be agreed to again. Raises as `start_registration`.
    """
    registration = lock_where(uow, Registration, Registration.public_id == public_id)
    if registration is None or registration.state != "started" or registration.checkout_session:
        return start_registration(uow, applicant=applicant, pack=pack, invitation=invitation)
    _known_pack(uow, pack)
    registration.person.name = applicant.name.strip()
    registration.person.email = _same(applicant.email)
    registration.password_hash = applicant.password_hash
    registration.pack = pack
    registration.sponsor_id = invitation.sponsor_id if invitation else None
    registration.leg_wish = invitation.leg_wish if invitation else None
    registration.agreement_version = registration.agreement_sha256 = registration.agreed_at = None
    uow.session.flush()
    return registration


def accept_agreement(uow: UnitOfWork, *, public_id: str, sha256: str) -> Registration:
    """Keep which words were accepted and when.

    Raises `Conflict` when the words shown are no longer the ones in force, or the registration is over;
    `NotYours` for an unknown one.
    """
    registration = _locked(uow, public_id)
    if registration.state != "started":
        raise Conflict("This registration is over. Please begin again.")
    agreement = queries.current_agreement(uow.session)
    if agreement.sha256 != sha256:
        raise Conflict("The agreement has changed. Please read it again.")
    if registration.agreement_sha256 != sha256 or registration.agreed_at is None:
        registration.agreement_version = agreement.version
        registration.agreement_sha256 = agreement.sha256
        registration.agreed_at = uow.clock()
        uow.session.flush()
    return registration


def note_checkout(uow: UnitOfWork, *, public_id: str, checkout_session: str) -> None:
    """Remember the payment page that was opened for a registration."""
    _locked(uow, public_id).checkout_session = checkout_session
    uow.session.flush()


def begin_again(uow: UnitOfWork, *, public_id: str) -> Registration:
    """A fresh registration with the same answers, for when the old payment page can no longer be used.

    The old one stays: should it be paid after all, it completes.
    """
    old = _locked(uow, public_id)
    applicant = Applicant(old.person.name, old.person.email, old.password_hash)
    invitation = Invitation(old.sponsor_id, old.leg_wish) if old.sponsor_id else None
    return start_registration(uow, applicant=applicant, pack=old.pack, invitation=invitation)


def expire_registration(uow: UnitOfWork, *, registration_public_id: str) -> None:
    """The payment page closed unpaid; what is complete or over stays as it is. Raises `NotYours`."""
    registration = _locked(uow, registration_public_id)
    if registration.state == "started":
        registration.state = "expired"
        uow.session.flush()


def settle_duplicate(uow: UnitOfWork, *, public_id: str, actor_id: int) -> None:
    """Note that a second registration is settled with the person; again changes nothing.

    Raises `NotYours` for an unknown one, `Conflict` for one that is no duplicate.
    """
    registration = _locked(uow, public_id)
    if registration.state == "settled":
        return
    if registration.state != "duplicate":
        raise Conflict("This registration is no duplicate.")
    registration.state = "settled"
    uow.note("registration.settled", thing="registration", thing_id=registration.id, actor_id=actor_id)


def complete_registration(
    uow: UnitOfWork,
    *,
    registration_public_id: str,
    payment: PaymentNotice | None = None,
    volumes: Volumes = unknown_volumes,
) -> Consultant | None:
    """Make a registration that is paid, or free, a consultant; safe to repeat, also with one more payment.

    The payment is recorded in any case. None: somebody with the same e-mail was there first; the
    registration is then `duplicate`, for an admin to settle. Raises `NotYours` for an unknown registration,
    `BadInput` where the agreement or a payment is missing.
    """
    registration = _locked(uow, registration_public_id)
    if payment is not None:
        record_payment(uow, registration=registration, notice=payment)
    if registration.consultant_id is not None:
        return uow.session.get_one(Consultant, registration.consultant_id)
    if registration.state in ("duplicate", "settled"):
        return None
    _ready(uow, registration)
    if queries.is_email_taken(uow.session, registration.person.email):
        return _settle(uow, registration, state="duplicate", consultant=None)
    consultant = _enter(uow, registration, volumes=volumes)
    return _settle(uow, registration, state="complete", consultant=consultant)


def add_user(uow: UnitOfWork, *, person: Person, password_hash: str, role: str) -> AccountUser:
    """Give a person a sign-in with one role. A taken e-mail is an `IntegrityError`."""
    now = uow.clock()
    user = AccountUser(person_id=person.id, email=person.email, password_hash=password_hash, created_at=now)
    uow.session.add(user)
    uow.session.flush()
    uow.session.add(RoleGrant(user_id=user.id, role=role))
    uow.session.flush()
    return user


def add_consultant(
    uow: UnitOfWork,
    *,
    person: Person,
    pack: str,
    invitation: Invitation | None = None,
    volumes: Volumes = unknown_volumes,
) -> Consultant:
    """Take a person into the network: sponsor, code, and a place unless the sponsor gives it by hand.

    Without an invitation they stand at the top of a tree of their own.
    """
    consultant = Consultant(
        public_id=new_id(),
        code=new_code(),
        person_id=person.id,
        sponsor_id=invitation.sponsor_id if invitation else None,
        pack=pack,
        status="active",
        preference="weaker",
        joined_at=uow.clock(),
    )
    uow.session.add(consultant)
    uow.session.flush()
    uow.publish(ConsultantRegistered(consultant_id=consultant.id))
    wish = invitation.leg_wish if invitation else None
    place_newcomer(uow, consultant=consultant, leg_wish=wish, volumes=volumes)
    return consultant


def _enter(uow: UnitOfWork, registration: Registration, *, volumes: Volumes) -> Consultant:
    person = registration.person
    add_user(uow, person=person, password_hash=registration.password_hash, role="consultant")
    invited = registration.sponsor_id is not None
    invitation = Invitation(registration.sponsor_id or 0, registration.leg_wish) if invited else None
    return add_consultant(uow, person=person, pack=registration.pack, invitation=invitation, volumes=volumes)


def _settle(
    uow: UnitOfWork, registration: Registration, *, state: str, consultant: Consultant | None
) -> Consultant | None:
    registration.state = state
    registration.consultant_id = consultant.id if consultant else None
    registration.completed_at = uow.clock()
    uow.session.flush()
    return consultant


def _ready(uow: UnitOfWork, registration: Registration) -> None:
    if registration.agreed_at is None:
        raise BadInput("The agreement was not accepted.")
    pack = uow.session.get_one(Pack, registration.pack)
    if pack.is_free or queries.payments_of(uow.session, registration.id):
        return
    raise BadInput("This plan has a fee, and no payment has arrived.")


def _known_pack(uow: UnitOfWork, code: str) -> None:
    if uow.session.get(Pack, code) is None:
        raise BadInput("Please choose one of the plans.", field="pack")


def _locked(uow: UnitOfWork, public_id: str) -> Registration:
    registration = lock_where(uow, Registration, Registration.public_id == public_id)
    if registration is None:
        raise NotYours(NOT_HERE)
    return registration


def _same(email: str) -> str:
    return email.strip().lower()
