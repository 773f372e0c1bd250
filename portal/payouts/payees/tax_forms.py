"""Signed W-9 forms: one is valid at a time; the number is sealed, and whoever reads it is written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.kernel.errors import BadInput, Conflict, DomainError
from portal.kernel.ids import new_id
from portal.models import Consultant, Person, TaxForm
from portal.payouts.own import own_consultants
from portal.payouts.payees import numbers
from portal.store.locks import lock_row, lock_where
from portal.store.unit_of_work import UnitOfWork

CLASSIFICATIONS = (
    "individual",
    "c_corporation",
    "s_corporation",
    "partnership",
    "trust",
    "llc",
)
LONGEST_NAME = 200
LONGEST_REASON = 500


@dataclass(frozen=True)
class W9:
    """What is written into the form; `kind` of the number is `ssn` or `ein`."""

    legal_name: str
    classification: str
    kind: str
    tax_number: str
    backup_withholding: bool
    certified: bool
    signed_name: str


@dataclass(frozen=True)
class Filed:
    """A form and whose it is."""

    form: TaxForm
    name: str
    code: str


def sign(uow: UnitOfWork, written: W9, *, consultant_id: int, actor_id: int) -> TaxForm:
    """File a signed form; it takes the place of the one before.

    Raises `BadInput` naming the field that is not right. What an admin marked for withholding stays marked,
    also where the form that carries the mark was refused.
    """
    number = _checked(written)
    # The row of the consultant lets two forms of one person wait for each other.
    lock_row(uow, Consultant, consultant_id)
    before = _lock_valid(uow, consultant_id)
    last = newest_form(uow.session, consultant_id)
    marked = last if last and last.backup_withholding and last.reviewed_by is not None else None
    if before is not None:
        before.state = "replaced"
        uow.session.flush()
    form = TaxForm(
        public_id=new_id(),
        consultant_id=consultant_id,
        legal_name=written.legal_name.strip(),
        classification=written.classification,
        tax_number=number,
        last_four=number[-4:],
        backup_withholding=written.backup_withholding or marked is not None,
        state="valid",
        signed_at=uow.clock(),
        reviewed_by=marked.reviewed_by if marked else None,
        reviewed_at=marked.reviewed_at if marked else None,
    )
    uow.session.add(form)
    uow.session.flush()
    uow.note("tax_form.sign", thing="tax_form", thing_id=form.id, actor_id=actor_id)
    return form


def refuse(uow: UnitOfWork, *, form_id: int, actor_id: int, reason: str) -> TaxForm:
    """A form is not right: its owner signs another before the next payment.

    Raises `BadInput` without a reason, `Conflict` for a form that is not valid any more.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise BadInput("Please give a reason of up to 500 letters; the consultant reads it.", field="reason")
    form = _reviewed(uow, form_id, actor_id)
    form.state, form.reason = "refused", reason
    uow.note("tax_form.refuse", thing="tax_form", thing_id=form.id, actor_id=actor_id)
    uow.session.flush()
    return form


def mark_withholding(uow: UnitOfWork, *, form_id: int, actor_id: int, withhold: bool) -> TaxForm:
    """The tax office asked for backup withholding, or told that it is over.

    Raises `Conflict` for a form that is not valid any more.
    """
    form = _reviewed(uow, form_id, actor_id)
    form.backup_withholding = withhold
    detail = {"withhold": withhold}
    uow.note("tax_form.withholding", thing="tax_form", thing_id=form.id, actor_id=actor_id, **detail)
    uow.session.flush()
    return form


def read_number(uow: UnitOfWork, *, form_id: int, actor_id: int) -> tuple[str, str]:
    """Legal name and whole tax number; that they were read, and by whom, is written down."""
    form = lock_row(uow, TaxForm, form_id)
    uow.note("tax_form.read", thing="tax_form", thing_id=form.id, actor_id=actor_id)
    return form.legal_name, form.tax_number


def valid_form(session: Session, consultant_id: int) -> TaxForm | None:
    """The form that counts."""
    return session.scalar(
        select(TaxForm).where(TaxForm.consultant_id == consultant_id, TaxForm.state == "valid")
    )


def newest_form(session: Session, consultant_id: int) -> TaxForm | None:
    """The last form that was signed, valid or not."""
    own = select(TaxForm).where(TaxForm.consultant_id == consultant_id)
    return session.scalar(own.order_by(TaxForm.id.desc()).limit(1))


def forms(session: Session, *, state: str, limit: int = 100) -> Sequence[Filed]:
    """The newest forms in a state, with their owners."""
    rows = session.execute(
        select(TaxForm, Person.name, Consultant.code)
        .join(Consultant, Consultant.id == TaxForm.consultant_id)
        .join(Person, Person.id == Consultant.person_id)
        .where(TaxForm.state == state)
        .order_by(TaxForm.id.desc())
        .limit(limit)
    )
    return [Filed(form, name, code) for form, name, code in rows]


def form_id_of(session: Session, public_id: str) -> int | None:
    """The row id behind a public id."""
    return session.scalar(select(TaxForm.id).where(TaxForm.public_id == public_id))


def _checked(written: W9) -> str:
    """The tax number as it is kept; raises `BadInput` at the first field that is not right."""
    name = written.legal_name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise BadInput("Please write your name as it stands on your tax return.", field="legal_name")
    if written.classification not in CLASSIFICATIONS:
        raise BadInput("Please choose what you are for tax.", field="classification")
    if written.kind == "ssn" and written.classification != "individual" and written.classification != "llc":
        raise BadInput("A company or a trust has an employer number (EIN).", field="kind")
    number = numbers.tax_number(written.kind, written.tax_number)
    if not written.certified:
        raise BadInput("Please certify that this is true.", field="certified")
    if " ".join(written.signed_name.split()).lower() != " ".join(name.split()).lower():
        raise BadInput("Please sign with the name above.", field="signed_name")
    return number


def _lock_valid(uow: UnitOfWork, consultant_id: int) -> TaxForm | None:
    return lock_where(uow, TaxForm, TaxForm.consultant_id == consultant_id, TaxForm.state == "valid")


def _reviewed(uow: UnitOfWork, form_id: int, actor_id: int) -> TaxForm:
    form = lock_row(uow, TaxForm, form_id)
    if form.state != "valid":
        raise Conflict("This form does not count any more; there is a newer one.")
    if uow.session.scalar(own_consultants(actor_id).where(Consultant.id == form.consultant_id)):
        raise DomainError("Somebody else has to review your own tax form.")
    form.reviewed_by, form.reviewed_at = actor_id, uow.clock()
    return form
