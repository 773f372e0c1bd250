"""People found again: their numbers and addresses in one form, the marks of those, and who is left alone.

Phone and address are sealed, so nothing can be searched but their marks. Customers, leads and mails all ask
here, so that the same person is found everywhere and a stop holds everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from portal.extensions import seal
from portal.kernel.errors import BadInput
from portal.kernel.ids import new_id
from portal.models import ContactStop, Person
from portal.store.insert import insert_or_skip
from portal.store.locks import lock_where
from portal.store.unit_of_work import UnitOfWork

EMAIL, PHONE = "email", "phone"
CHANNELS: Final = (EMAIL, PHONE)
LONGEST_EMAIL, LONGEST_REASON = 254, 200
END_DIGITS: Final = 4
# What links in mails are good for.
STOP, CONFIRM = "stop", "confirm"

_PUNCTUATION: Final = re.compile(r"[\s().\-/\u2010-\u2015\u00a0]+")
_AMERICAN: Final = re.compile(r"(?:\+?1)?([2-9][0-9]{2}[2-9][0-9]{6})")
_INTERNATIONAL: Final = re.compile(r"\+([2-9][0-9]{7,14})")
_EMAIL: Final = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\"]+")
_ZIP_AT_END: Final = re.compile(r"[0-9]{5}(-[0-9]{4})?$")
_TOKEN: Final = re.compile(r"([a-z2-7]{20})([0-9a-f]{32})")


@dataclass(frozen=True)
class Contact:
    """Who somebody is and how they are reached, as it was written down; empty for what nobody said."""

    name: str
    email: str = ""
    phone: str = ""
    address: str = ""
    region: str = ""


@dataclass(frozen=True)
class Same:
    """A person who is likely the one asked for; `by` says what agrees: `email`, `phone` or `address`."""

    person: Person
    by: str


def phone_number(written: str) -> str:
    """A phone number in the form `+13035550142`; a number without a country is read as an American one.

    Empty for nothing written. Raises `BadInput` for what no phone has (NANP numbers, else ITU E.164).
    """
    plain = _PUNCTUATION.sub("", written.strip())
    if not plain:
        return ""
    american = _AMERICAN.fullmatch(plain)
    if american is not None:
        return f"+1{american[1]}"
    if _INTERNATIONAL.fullmatch(plain) is None:
        raise BadInput("Please write a phone number with its area code, such as (303) 555-0142.", field=PHONE)
    return plain


def email_address(written: str) -> str:
    """An e-mail address as it is kept; empty for nothing written. Raises `BadInput`."""
    found = written.strip().lower()
    if found and (len(found) > LONGEST_EMAIL or _EMAIL.fullmatch(found) is None):
        raise BadInput("This does not look like an e-mail address.", field=EMAIL)
    return found


def shown_phone(number: str) -> str:
    """A kept number as people here read it, `(303) 555-0142`; one of another country as it is."""
    found = _AMERICAN.fullmatch(number)
    return f"({found[1][:3]}) {found[1][3:6]}-{found[1][6:]}" if found else number


def mark_of(channel: str, written: str) -> str:
    """The mark by which a number or an address is found again. Raises `BadInput` for what is neither."""
    kept = phone_number(written) if channel == PHONE else email_address(written)
    return seal.mark(kept) if kept else ""


def end_mark_of(digits: str) -> str:
    """The mark of the last four digits of a phone number."""
    return seal.mark(digits[-END_DIGITS:])


def marks_of(person: Person) -> dict[str, str]:
    """The marks of a person by channel; none for what is not known of them."""
    marks = {EMAIL: mark_of(EMAIL, person.email) if _is_email(person.email) else "", PHONE: person.phone_mark}
    return {channel: mark for channel, mark in marks.items() if mark}


def keep_contact(person: Person, contact: Contact) -> None:
    """Write down what is said of a person; what is empty in `contact` stays as it is. Raises `BadInput`."""
    person.name = " ".join(contact.name.split()) or person.name
    person.email = email_address(contact.email) or person.email
    if number := phone_number(contact.phone):
        person.phone = number
        person.phone_mark, person.phone_end_mark = mark_of(PHONE, number), end_mark_of(number)
    person.address = " ".join(contact.address.split()) or person.address
    person.region = contact.region or person.region


def add_person(uow: UnitOfWork, contact: Contact) -> Person:
    """A new person. Raises `BadInput`."""
    person = Person(public_id=new_id(), name="", email="", created_at=uow.clock())
    keep_contact(person, contact)
    uow.session.add(person)
    uow.session.flush()
    return person


def reached_by(*, email: str = "", phone: str = "") -> ColumnElement[bool] | None:
    """The condition that finds people by e-mail or phone; None where neither is given. Raises `BadInput`."""
    wanted: list[ColumnElement[bool]] = []
    if kept := email_address(email):
        wanted.append(Person.email == kept)
    if mark := mark_of(PHONE, phone):
        wanted.append(Person.phone_mark == mark)
    return or_(*wanted) if wanted else None


def same_people(session: Session, contact: Contact, *, among: Select[Any]) -> Sequence[Same]:
    """Who of the people whose ids `among` selects is likely the one described, surest first.

    The same e-mail or phone is enough; else name and address must agree, and the address must name a house.
    Raises `BadInput`.
    """
    of_them = Person.id.in_(among)
    found: dict[int, Same] = {}
    reached = reached_by(email=contact.email, phone=contact.phone)
    if reached is not None:
        email = email_address(contact.email)
        for person in session.scalars(select(Person).where(of_them, reached).order_by(Person.id)):
            found[person.id] = Same(person, EMAIL if email and person.email == email else PHONE)
    if _names_house(contact.address):
        named = func.lower(Person.name) == " ".join(contact.name.split()).lower()
        for person in session.scalars(select(Person).where(of_them, named).order_by(Person.id)):
            if is_same_address(person.address, contact.address):
                found.setdefault(person.id, Same(person, "address"))
    return list(found.values())


def is_same_address(one: str | None, other: str | None) -> bool:
    """Whether two addresses are one household; a state, a town and a ZIP code alone are nobody's address."""
    return _names_house(one) and _letters(one or "") == _letters(other or "")


def stopped(session: Session, people: Iterable[Person]) -> dict[int, frozenset[str]]:
    """By person, the channels on which nobody may contact them; who may be contacted is left out."""
    marks = {person.id: marks_of(person) for person in people}
    asked = {mark for of_one in marks.values() for mark in of_one.values()}
    if not asked:
        return {}
    standing = select(ContactStop.channel, ContactStop.mark).where(
        ContactStop.mark.in_(asked), ContactStop.ended_at.is_(None)
    )
    stops = {(channel, mark) for channel, mark in session.execute(standing)}
    channels = {
        person_id: frozenset(channel for channel, mark in of_one.items() if (channel, mark) in stops)
        for person_id, of_one in marks.items()
    }
    return {person_id: of_one for person_id, of_one in channels.items() if of_one}


def is_stopped(session: Session, person: Person) -> frozenset[str]:
    """The channels on which nobody may contact a person."""
    return stopped(session, [person]).get(person.id, frozenset())


def is_contact_stopped(session: Session, contact: Contact) -> bool:
    """Whether nobody may contact the address or the number that is written down. Raises `BadInput`."""
    marks = {EMAIL: mark_of(EMAIL, contact.email), PHONE: mark_of(PHONE, contact.phone)}
    asked = [
        and_(ContactStop.channel == channel, ContactStop.mark == mark)
        for channel, mark in marks.items()
        if mark
    ]
    standing = select(ContactStop.id).where(or_(false(), *asked), ContactStop.ended_at.is_(None))
    return session.scalar(standing.limit(1)) is not None


def stop(uow: UnitOfWork, *, channel: str, mark: str, reason: str, asked_by: int | None) -> bool:
    """Let nobody contact an address or a number any more; False where that was asked for before."""
    return insert_or_skip(
        uow.session,
        ContactStop,
        unique=(),
        channel=channel,
        mark=mark,
        reason=" ".join(reason.split())[:LONGEST_REASON],
        asked_by=asked_by,
        asked_at=uow.clock(),
    )


def stop_person(uow: UnitOfWork, person: Person, *, reason: str, asked_by: int | None) -> int:
    """Stop every channel of a person; how many were not stopped before."""
    marks = marks_of(person).items()
    return sum(stop(uow, channel=one, mark=mark, reason=reason, asked_by=asked_by) for one, mark in marks)


def lift(uow: UnitOfWork, *, channel: str, mark: str) -> bool:
    """End a stop, because the person asked for that; False where none stands."""
    current = (ContactStop.channel == channel, ContactStop.mark == mark, ContactStop.ended_at.is_(None))
    found = lock_where(uow, ContactStop, *current)
    if found is not None:
        found.ended_at = uow.clock()
        uow.session.flush()
    return found is not None


def token_for(person: Person, purpose: str) -> str:
    """What a link in a mail carries so that the person alone can do `purpose`, without signing in."""
    return person.public_id + _proof(purpose, person.public_id)


def person_of_token(session: Session, token: str, purpose: str) -> Person | None:
    """The person whose link this is; None for anything else."""
    found = _TOKEN.fullmatch(token)
    if found is None or not compare_digest(_proof(purpose, found[1]), found[2]):
        return None
    return session.scalar(select(Person).where(Person.public_id == found[1]))


def known_email(person: Person) -> str:
    """A person's e-mail as it is searched; empty where what is kept is none."""
    return email_address(person.email) if _is_email(person.email) else ""


def _proof(purpose: str, public_id: str) -> str:
    return seal.mark(f"{purpose}:{public_id}")[:32]


def _is_email(written: str) -> bool:
    return _EMAIL.fullmatch(written.strip()) is not None


def _names_house(address: str | None) -> bool:
    """Whether a number stands in an address beside the ZIP code at its end."""
    return any(letter.isdigit() for letter in _ZIP_AT_END.sub("", (address or "").strip()))


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower())
