"""Brevo through its own SDK: one e-mail at a time, each with a key that lets it be sent once."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from email.utils import parseaddr
from functools import cached_property
from typing import Any

HOST = "https://api.brevo.com/v3"
# Brevo forgets a key after 30 minutes; five are left for clocks and queues.
SAFE_TO_REPEAT_SECONDS = 25 * 60

_KEYS = uuid.UUID("6f0a1b62-5c0e-4c55-9f0e-3a8f5e0f8b11")
_WAIT_SECONDS = 60
_LONGEST_WAIT_SECONDS = 3600


@dataclass(frozen=True)
class Mail:
    """One e-mail to one person; a mail that is tried again carries the same `idempotency_key` (any text)."""

    to_email: str
    to_name: str
    subject: str
    html: str
    text: str
    idempotency_key: str
    tags: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Sent:
    """Brevo has the mail. `message_id` is empty when an earlier try with this key had arrived already."""

    message_id: str


class NotSent(Exception):
    """Why `send` did not end with `Sent`; one of the three below."""


class MailRejected(NotSent):
    """Brevo will not send it. `final`: this mail never; otherwise our account is the fault (key, credit)."""

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class MailRetryLater(NotSent):
    """Nothing was sent; try again with the same key after so many seconds."""

    def __init__(self, after_seconds: int) -> None:
        super().__init__(f"try again after {after_seconds} s")
        self.after_seconds = after_seconds


class MailUnknown(NotSent):
    """It may have been sent. Repeating with the same key is safe for `SAFE_TO_REPEAT_SECONDS` only."""


class BrevoMailer:
    """Sends mail with one key and one sender (`Name <address>`). `host` is Brevo itself or the sandbox."""

    def __init__(
        self, key: str, *, sender: str, host: str = HOST, timeout_seconds: tuple[float, float] = (3, 10)
    ) -> None:
        self._key = key
        self._host = host
        self._sender_name, self._sender_email = parseaddr(sender)
        self._timeout_seconds = timeout_seconds

    def send(self, mail: Mail) -> Sent:
        """Send one mail; one call over the wire, no retries of its own.

        Raises `MailRejected`, `MailRetryLater` (nothing was sent) or `MailUnknown` (it may have been).
        """
        from sib_api_v3_sdk.rest import ApiException
        from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

        try:
            answer = self._emails.send_transac_email(self._body(mail), _request_timeout=self._timeout_seconds)
        except ApiException as error:
            return _refusal(error.status or 0, dict(error.headers or {}), error.body or "")
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise MailRetryLater(_WAIT_SECONDS) from error
        except (HTTPError, ValueError) as error:
            raise MailUnknown(f"the answer of Brevo was lost ({type(error).__name__})") from error
        return Sent(message_id=answer.message_id or "")

    @cached_property
    def _emails(self) -> Any:
        import sib_api_v3_sdk

        configuration = sib_api_v3_sdk.Configuration()
        configuration.host = self._host
        configuration.api_key = {"api-key": self._key}
        client = sib_api_v3_sdk.ApiClient(configuration)
        client.rest_client.pool_manager.connection_pool_kw["retries"] = False
        return sib_api_v3_sdk.TransactionalEmailsApi(client)

    def _body(self, mail: Mail) -> Any:
        import sib_api_v3_sdk

        return sib_api_v3_sdk.SendSmtpEmail(
            sender={"email": self._sender_email, "name": self._sender_name or self._sender_email},
            to=[{"email": mail.to_email, "name": mail.to_name or mail.to_email}],
            subject=mail.subject,
            html_content=mail.html,
            text_content=mail.text,
            tags=list(mail.tags) or None,
            headers={"idempotencyKey": brevo_key(mail.idempotency_key)},
        )


def brevo_key(idempotency_key: str) -> str:
    """The UUID that Brevo asks for; always the same one for the same key of ours."""
    return str(uuid.uuid5(_KEYS, idempotency_key))


def _refusal(status: int, headers: dict[str, str], body: str) -> Sent:
    code = _error_code(body)
    if status == 400 and code == "duplicate_parameter":
        return Sent(message_id="")
    if status == 429:
        raise MailRetryLater(_wait(headers))
    if status in (401, 402, 403):
        raise MailRejected(f"Brevo refuses our account: {code}, HTTP {status}", final=False)
    if 400 <= status < 500:
        raise MailRejected(f"Brevo refuses this mail: {code}, HTTP {status}", final=True)
    raise MailUnknown(f"Brevo failed: {code}, HTTP {status}")


def _error_code(body: str) -> str:
    try:
        code = json.loads(body).get("code")
    except (ValueError, AttributeError):
        code = None
    return str(code)[:60] if code else "no code"


def _wait(headers: dict[str, str]) -> int:
    given = {name.lower(): value for name, value in headers.items()}.get("x-sib-ratelimit-reset", "")
    seconds = int(given) if given.isascii() and given.isdigit() else _WAIT_SECONDS
    return max(1, min(seconds, _LONGEST_WAIT_SECONDS))
