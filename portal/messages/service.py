"""Putting messages in the queue: one for each cause, however often the cause is told."""

from __future__ import annotations

from portal.kernel.ids import new_id
from portal.models import (
    Adjustment,
    Consultant,
    Destination,
    Message,
    Pack,
    Payment,
    Subscription,
    Withdrawal,
)
from portal.store.insert import insert_missing
from portal.store.unit_of_work import UnitOfWork


def queue_message(
    uow: UnitOfWork, *, key: str, template: str, person_id: int, params: dict[str, object]
) -> None:
    """Queue one e-mail; a key that is there stays as it is.

    `params` hold ids, amounts in cents and names of cycles; a person's name and address are read when the
    mail is sent.
    """
    row = {
        "public_id": new_id(),
        "key": key,
        "template": template,
        "person_id": person_id,
        "params": params,
        "state": "queued",
        "attempts": 0,
        "next_at": uow.clock(),
        "created_at": uow.clock(),
    }
    insert_missing(uow.session, Message, [row])
    # The relay is woken although no fact was published: it tells the queue that there is mail.
    uow.published = True


def say_welcome(uow: UnitOfWork, *, consultant_id: int) -> None:
    """Welcome a new consultant."""
    consultant = uow.session.get_one(Consultant, consultant_id)
    queue_message(
        uow,
        key=f"welcome:{consultant_id}",
        template="welcome",
        person_id=consultant.person_id,
        params={"code": consultant.code},
    )


def say_payment_received(uow: UnitOfWork, *, payment_id: int) -> None:
    """Confirm a payment."""
    payment = uow.session.get_one(Payment, payment_id)
    queue_message(
        uow,
        key=f"payment:{payment_id}",
        template="payment_received",
        person_id=payment.person_id,
        params={"amount_cents": payment.amount_cents, "currency": payment.currency},
    )


def say_pack_changed(uow: UnitOfWork, *, consultant_id: int, number: int) -> None:
    """Tell somebody which pack they hold now; `number` counts the changes."""
    consultant = uow.session.get_one(Consultant, consultant_id)
    pack = uow.session.get_one(Pack, consultant.pack)
    queue_message(
        uow,
        key=f"pack:{consultant_id}:{number}",
        template="pack_changed",
        person_id=consultant.person_id,
        params={"pack": pack.name, "free": pack.is_free},
    )


def say_renewal_failed(uow: UnitOfWork, *, subscription: Subscription, invoice_ref: str) -> None:
    """Tell that a monthly fee could not be taken: one mail for each invoice, however often it is tried."""
    registration = subscription.registration
    pack = uow.session.get_one(Pack, registration.pack)
    queue_message(
        uow,
        key=f"renewal-failed:{invoice_ref}",
        template="renewal_failed",
        person_id=registration.person_id,
        params={"pack": pack.name, "amount_cents": pack.monthly_cents},
    )


def say_withdrawal_paid(uow: UnitOfWork, *, withdrawal_id: int) -> None:
    """Tell that a withdrawal is on its way to the bank account."""
    _say_of_withdrawal(uow, uow.session.get_one(Withdrawal, withdrawal_id), template="withdrawal_paid")


def say_withdrawal_returned(uow: UnitOfWork, *, withdrawal_id: int) -> None:
    """Tell that a withdrawal came back, and why as far as that is known."""
    withdrawal = uow.session.get_one(Withdrawal, withdrawal_id)
    _say_of_withdrawal(uow, withdrawal, template="withdrawal_returned", reason=withdrawal.reason or "")


def say_payee_changed(uow: UnitOfWork, *, destination_id: int, change: int = 0) -> None:
    """Warn that bank details were saved: whoever did not do that themselves has three days to say so.

    `change` tells several changes of the same account at a provider apart.
    """
    destination = uow.session.get_one(Destination, destination_id)
    queue_message(
        uow,
        key=f"payee-changed:{destination_id}" + (f":{change}" if change else ""),
        template="payee_changed",
        person_id=uow.session.get_one(Consultant, destination.consultant_id).person_id,
        params={"called": destination.called},
    )


def say_adjustment_booked(uow: UnitOfWork, *, adjustment_id: int) -> None:
    """Tell what was corrected in a wallet by hand, and why."""
    adjustment = uow.session.get_one(Adjustment, adjustment_id)
    queue_message(
        uow,
        key=f"adjustment:{adjustment_id}",
        template="adjustment_booked",
        person_id=uow.session.get_one(Consultant, adjustment.consultant_id).person_id,
        params={
            "entry": adjustment.entry_id,
            "kind": adjustment.kind,
            "amount_cents": adjustment.amount_cents,
            "reason": adjustment.reason,
        },
    )


def say_vendor_invitation(uow: UnitOfWork, *, person_id: int, vendor: str, member_id: int) -> None:
    """Invite somebody to a vendor's pages; the link is made when the mail is sent and is kept nowhere."""
    queue_message(
        uow,
        key=f"vendor-invitation:{member_id}:{int(uow.clock().timestamp())}",
        template="vendor_invitation",
        person_id=person_id,
        params={"vendor": vendor},
    )


def _say_of_withdrawal(uow: UnitOfWork, withdrawal: Withdrawal, *, template: str, **more: object) -> None:
    """One mail of each kind about a withdrawal."""
    queue_message(
        uow,
        key=f"{template.replace('_', '-')}:{withdrawal.id}",
        template=template,
        person_id=uow.session.get_one(Consultant, withdrawal.consultant_id).person_id,
        params={
            "withdrawal": withdrawal.public_id,
            "amount_cents": withdrawal.amount_cents,
            "currency": withdrawal.currency,
            **more,
        },
    )
