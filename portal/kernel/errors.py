"""Refusals: a rule of the business said no. The message is fit to be shown to the person who asked."""

from __future__ import annotations


class DomainError(Exception):
    """A rule said no; `field` names the form field or the part of the input it speaks of."""

    status = 422

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class BadInput(DomainError):
    """What was given cannot be read."""


class NotEnoughMoney(DomainError):
    """More was asked for than is available."""


class Unbalanced(DomainError):
    """A ledger entry without postings, or with one that moves nothing."""


class KeyReused(DomainError):
    """The same idempotency key came with other content."""

    status = 409


class Conflict(DomainError):
    """Somebody else was faster, or the thing is no longer in the state this needs."""

    status = 409


class NotYours(DomainError):
    """It does not exist, or not for you; both look the same from outside."""

    status = 404


class NotFromThere(DomainError):
    """What was asked for may be asked for, but not from the page it came from."""

    status = 403


class NotYetKnown(DomainError):
    """A message needs something that is not here yet; it may be tried again later."""


class NothingToDo(DomainError):
    """A message is true and changes nothing; the text says why."""
