"""How the outside world fails, in the few ways the rest of the house tells apart."""

from __future__ import annotations


class Refused(Exception):
    """A message from outside that is not believed: no, wrong or stale signature, or not what was agreed.

    `reason` is fit to be sent back: it names the fault, never a secret or a part of the body.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderUnavailable(Exception):
    """A provider did not do what we asked, or we do not know whether it did.

    `message` is for the log. `key_is_spent`: the provider has stored this failure under our idempotency
    key, so that only a new key can succeed; otherwise the same key must be used again.
    """

    def __init__(self, message: str, *, key_is_spent: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.key_is_spent = key_is_spent
