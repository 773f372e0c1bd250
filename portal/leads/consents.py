"""What people agree to, word for word: texts in versions, and each yes with the hash of what was read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict
from portal.models import Consent, ConsentText, Person
from portal.store import UnitOfWork
from portal.store.insert import insert_missing

SIGNUP, CONTACT = "signup", "contact"
PURPOSES: Final = (SIGNUP, CONTACT)
LONGEST_VERSION, SHORTEST_TEXT, LONGEST_TEXT = 32, 40, 4_000
SHIPPED: Final = {
    SIGNUP: (
        "The company and the vendor named on this page may keep my name, e-mail, phone number and address, "
        "and use them to prepare and carry out the service I asked for. The consultant named on this page "
        "sees them for the same purpose. They are not sold, and I may ask for them or have them erased at "
        "any time."
    ),
    CONTACT: (
        "The company and its consultant may call, text or write to me about their services. Nothing I buy "
        "depends on this, and I may take it back at any time with the link in every mail."
    ),
}


@dataclass(frozen=True)
class Said:
    """A yes to a text: its purpose, and the hash of the words that were on the screen.

    `version` names a text that may be an earlier one, as pages elsewhere show; without it it is the newest.
    """

    purpose: str
    sha256: str
    version: str = ""


def ensure_texts(uow: UnitOfWork) -> None:
    """Insert the shipped texts for the purposes that have none."""
    there = set(uow.session.scalars(select(ConsentText.purpose).distinct()))
    rows = [
        _row(uow, f"{purpose}-1", purpose=purpose, body=body)
        for purpose, body in SHIPPED.items()
        if purpose not in there
    ]
    insert_missing(uow.session, ConsentText, rows)


def current_text(session: Session, purpose: str) -> ConsentText | None:
    """The newest text of a purpose; None before the first one is there."""
    newest = select(ConsentText).where(ConsentText.purpose == purpose)
    order = (ConsentText.published_at.desc(), ConsentText.version.desc())
    return session.scalar(newest.order_by(*order).limit(1))


def publish_text(uow: UnitOfWork, *, version: str, purpose: str, body: str, actor_id: int) -> None:
    """A new version of what people agree to from now on; earlier ones stay as they were read.

    Raises `BadInput` for a version or a text that is too short or too long, `Conflict` for a version that is
    there and for words that hold already.
    """
    version, body = version.strip(), "\n".join(line.strip() for line in body.strip().splitlines())
    if not 1 <= len(version) <= LONGEST_VERSION:
        raise BadInput(f"Please name the version in 1 to {LONGEST_VERSION} letters.", field="version")
    if not SHORTEST_TEXT <= len(body) <= LONGEST_TEXT:
        raise BadInput(f"Please write the text in {SHORTEST_TEXT} to {LONGEST_TEXT:,} letters.", field="body")
    if uow.session.get(ConsentText, version) is not None:
        raise Conflict("There is a version of this name already.", field="version")
    holds = current_text(uow.session, purpose)
    if holds is not None and holds.body == body:
        raise Conflict("These are the words that hold now.", field="body")
    uow.session.add(ConsentText(**_row(uow, version, purpose=purpose, body=body)))
    uow.session.flush()
    uow.note("consent-text.publish", thing="consent_text", thing_id=None, actor_id=actor_id, version=version)


def give(uow: UnitOfWork, person: Person, said: Said, *, source: str) -> Consent:
    """Keep a yes; one that stands for the same words is kept as it is. Raises `Conflict` as `text_of`."""
    text = text_of(uow.session, said)
    standing = (Consent.person_id == person.id, Consent.withdrawn_at.is_(None))
    known = uow.session.scalar(select(Consent).where(*standing, Consent.text_version == text.version))
    if known is not None:
        return known
    given = Consent(
        person_id=person.id,
        purpose=said.purpose,
        text_version=text.version,
        text_sha256=text.sha256,
        source=source,
        given_at=uow.clock(),
    )
    uow.session.add(given)
    uow.session.flush()
    return given


def text_of(session: Session, said: Said) -> ConsentText:
    """The text somebody agreed to.

    Raises `Conflict` where other words hold meanwhile, or never stood under the version that is named: nobody
    agrees to what they did not read.
    """
    text = session.get(ConsentText, said.version) if said.version else current_text(session, said.purpose)
    if text is None or (text.purpose, text.sha256) != (said.purpose, said.sha256):
        raise Conflict("The text you agreed to has changed. Please read it again.", field=said.purpose)
    return text


def withdraw(uow: UnitOfWork, person: Person, *, purpose: str) -> int:
    """Take back every yes to a purpose; how many stood."""
    standing = (Consent.person_id == person.id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None))
    found = uow.session.scalars(select(Consent).where(*standing)).all()
    for consent in found:
        consent.withdrawn_at = uow.clock()
    uow.session.flush()
    return len(found)


def _row(uow: UnitOfWork, version: str, *, purpose: str, body: str) -> dict[str, object]:
    sha256 = hashlib.sha256(body.encode()).hexdigest()
    return {
        "version": version,
        "purpose": purpose,
        "body": body,
        "sha256": sha256,
        "published_at": uow.clock(),
    }
