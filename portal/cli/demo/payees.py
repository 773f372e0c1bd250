"""How the demo's consultants are paid: bank accounts and tax forms, which some of them still lack."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest
from random import Random
from typing import Any

from sqlalchemy import insert, select

from portal.cli.demo.at_stripe import PlayedStripe
from portal.cli.demo.names import Invented
from portal.cli.demo.network import MAYA, Member
from portal.kernel.ids import new_id
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
SOME = 12
OUR_BANK = {
    "bank_routing": "021000021",
    "bank_name": "First Bank of Canopy",
    "company_name": "Canopy",
    "company_id": "1234567890",
    "description": "PAYOUT",
}


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


def add_ways(
    uow: UnitOfWork, members: Sequence[Member], ids: Sequence[int], *, stripe: PlayedStripe | None
) -> None:
    """Further ways for some who have an account: the bank file (NACHA), and Stripe where it is played.

    All of them rested long ago, so that they can be tried at once.
    """
    ach = method_by_code(uow.session, "ach")
    ach.enabled, ach.settings = True, json.dumps(OUR_BANK)
    banks = uow.session.scalars(select(Destination).order_by(Destination.consultant_id)).all()
    some = [place for place in banks if place.consultant_id == ids[MAYA] or place.consultant_id % SOME == 0]
    joined = {consultant_id: member.joined_at for member, consultant_id in zip(members, ids, strict=True)}
    accounts = stripe.open_accounts(len(some), at=min(joined.values())) if stripe is not None else []
    method_id = method_by_code(uow.session, "stripe").id
    for place, account in zip_longest(some, accounts):
        since = joined[place.consultant_id]
        uow.session.add(_another(place, ach.id, since, label=place.label, details=place.details))
        if account:
            named = {"label": f"Stripe ••{account[-4:]}", "provider_account": account}
            uow.session.add(_another(place, method_id, since, **named))
    uow.session.flush()


def _another(place: Destination, method_id: int, since: datetime, **more: str | None) -> Destination:
    return Destination(
        public_id=new_id(),
        consultant_id=place.consultant_id,
        method_id=method_id,
        country="US",
        ready=True,
        created_at=since,
        usable_at=since + PAUSE,
        **more,
    )


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
