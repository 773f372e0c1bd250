"""How the demo's consultants are paid: bank accounts and tax forms, which some of them still lack."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from sqlalchemy import insert

from portal.cli.demo.names import Invented
from portal.cli.demo.network import MAYA, Member
from portal.models import Destination, TaxForm
from portal.payouts.payees.destinations import PAUSE
from portal.payouts.payees.methods import method_by_code
from portal.payouts.payees.numbers import masked
from portal.payouts.payees.shipped import BANK_FILE
from portal.store import UnitOfWork

# Real routing numbers of large banks; the account numbers are invented.
ROUTING = ("021000021", "011401533", "091000019", "122105155")
WITHOUT_ACCOUNT, WITHOUT_FORM, WITHHELD = 12, 15, 40
"""One in so many."""


def insert_payees(
    uow: UnitOfWork,
    members: Sequence[Member],
    ids: Sequence[int],
    *,
    rng: Random,
    invented: Invented,
) -> None:
    """Accounts and forms for most; the first consultant that is shown has both."""
    method_id = method_by_code(uow.session, BANK_FILE).id
    accounts, forms = [], []
    for at, (member, consultant_id) in enumerate(zip(members, ids, strict=True)):
        lucky = at == MAYA
        if lucky or rng.randrange(WITHOUT_ACCOUNT):
            accounts.append(_account(member, consultant_id, method_id, rng, invented))
        if lucky or rng.randrange(WITHOUT_FORM):
            withheld = not lucky and rng.randrange(WITHHELD) == 0
            forms.append(_form(member, consultant_id, rng, invented, withheld=withheld))
    uow.session.execute(insert(Destination), accounts)
    uow.session.execute(insert(TaxForm), forms)


def _account(
    member: Member, consultant_id: int, method_id: int, rng: Random, invented: Invented
) -> dict[str, Any]:
    number = f"{rng.randrange(10**9, 10**10)}"
    details = {
        "holder": member.name,
        "routing": rng.choice(ROUTING),
        "account": number,
        "type": "checking" if rng.randrange(4) else "savings",
    }
    return {
        "public_id": invented.public_id(),
        "consultant_id": consultant_id,
        "method_id": method_id,
        "label": masked(number),
        "details": json.dumps(details),
        "country": "US",
        "ready": True,
        "created_at": member.joined_at,
        "usable_at": member.joined_at + PAUSE,
    }


def _form(
    member: Member, consultant_id: int, rng: Random, invented: Invented, *, withheld: bool
) -> dict[str, Any]:
    number = f"{rng.randrange(101, 665)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}"
    return {
        "public_id": invented.public_id(),
        "consultant_id": consultant_id,
        "legal_name": member.name,
        "classification": "individual",
        "tax_number": number,
        "last_four": number[-4:],
        "backup_withholding": withheld,
        "state": "valid",
        "signed_at": member.joined_at,
    }
