"""Ana's licences: one that expires in nine days, one that waits to be verified."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import select

from portal.compliance.documents import read_document
from portal.compliance.licences import Wish, submit, verify
from portal.models import TermsVersion
from portal.store import UnitOfWork
from tests.people import Cast


def add_licences(uow: UnitOfWork, cast: Cast) -> None:
    """Every service needs one in California and Nevada."""
    for terms in uow.session.scalars(select(TermsVersion)):
        terms.licence_kind, terms.licence_states = "solar", ["CA", "NV"]
    uow.session.flush()
    wish = Wish("solar", "CA", "HIS 123456", date(2026, 1, 1), uow.clock().date() + timedelta(days=9))
    file, own = read_document("licence.pdf", b"%PDF-1.7"), {"consultant_id": cast.ana, "actor_id": cast.ada}
    seen = submit(uow, wish, file, **own).public_id
    verify(uow, public_id=seen, actor_id=cast.ada, reason="In the register.")
    submit(uow, replace(wish, region="NV"), file, **own)
