"""People found again: their numbers and addresses in one form, the marks of those, and who is left alone.

Phone and address are sealed, so nothing can be searched but their marks. Customers, leads and mails all ask
here, so that the same person is found everywhere and a stop holds everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select
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
ADDRESS: Final = "address"
# By what people are found to be the same, the surest first.
SUREST: Final = (EMAIL, PHONE, ADDRESS)
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


def mark_of_one(phone: str, name: str) -> str:
    """The mark of one of those whom a phone number reaches. Raises `BadInput`."""
    return seal.mark(":".join((phone_number(phone), *sorted(_words(name)))))


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

    The same e-mail is enough. A phone rings in a whole household, so the names must not speak against it;
    else name and address must agree, and the address must name a house. Raises `BadInput`.
    """
    of_them = Person.id.in_(among)
    found: dict[int, Same] = {}
    reached = reached_by(email=contact.email, phone=contact.phone)
    if reached is not None:
        email = email_address(contact.email)
        for person in session.scalars(select(Person).where(of_them, reached).order_by(Person.id)):
            if email and person.email == email:
                found[person.id] = Same(person, EMAIL)
            elif is_same_name(person.name, contact.name):
                found[person.id] = Same(person, PHONE)
    if _names_house(contact.address):
        named = func.lower(Person.name) == " ".join(contact.name.split()).lower()
        for person in session.scalars(select(Person).where(of_them, named).order_by(Person.id)):
            if is_same_address(person.address, contact.address):
                found.setdefault(person.id, Same(person, ADDRESS))
    return sorted(found.values(), key=lambda same: SUREST.index(same.by))


def is_same_name(one: str, other: str) -> bool:
    """Whether two names can be one person's, in any order, with or without accents: `D. Reed`, `Reed, Dana`.

    Each word of the shorter must be one of the longer, or its initial. Who has no name speaks against nobody.
    """
    few, many = sorted((_words(one), _words(other)), key=len)
    left = list(many)
    for word in sorted(few, key=len, reverse=True):
        fitting = [each for each in left if each == word or _is_initial(each, word)]
        if not fitting:
            return False
        left.remove(max(fitting, key=len))
    return True


def unlikeness(person: Person, contact: Contact) -> int:
    """How far somebody who is reached the same way is from who is described: e-mail 0, name 1, else 2."""
    if contact.email and known_email(person) == email_address(contact.email):
        return 0
    return 1 if is_same_name(person.name, contact.name) else 2


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


def stopped_marks(session: Session, marks: Collection[str]) -> set[str]:
    """Those of the marks that nobody may contact."""
    standing = (ContactStop.mark.in_(marks), ContactStop.ended_at.is_(None))
    return set(session.scalars(select(ContactStop.mark).where(*standing))) if marks else set()


def is_contact_stopped(session: Session, contact: Contact) -> bool:
    """Whether nobody may contact the address or the number that is written down. Raises `BadInput`."""
    marks = {mark_of(EMAIL, contact.email), mark_of(PHONE, contact.phone)} - {""}
    return bool(stopped_marks(session, marks))


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
    """Letters and digits of any script, so that two streets in another one do not look the same."""
    return re.sub(r"[\W_]+", "", text.casefold())


def _is_initial(one: str, other: str) -> bool:
    return 1 in (len(one), len(other)) and one[0] == other[0]


def _words(name: str) -> list[str]:
    """The words of a name in lower case and without accents."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    return re.findall(r"[^\W_]+", plain.casefold())
