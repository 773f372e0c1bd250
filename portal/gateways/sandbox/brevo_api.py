"""The part of Brevo's HTTP interface that we use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from portal.gateways.sandbox.faults import next_fault
from portal.gateways.sandbox.play import Play
from portal.gateways.sandbox.store import Answer, Books, Document, new_id

blueprint = Blueprint("brevo", __name__)

RESET_SECONDS = 2
_KEY_SECONDS = 30 * 60
_BROKEN = Answer(500, {"code": "internal_error", "message": "Something went wrong."})
_BUSY = Answer(429, {"code": "too_many_requests", "message": "Too many requests."})


@blueprint.before_request
def check_key() -> Response | None:
    if request.headers.get("api-key"):
        return None
    return _sent(_error(401, "unauthorized", "Key not found"))


@blueprint.post("/smtp/email")
def send() -> Response:
    return _performed("brevo.send", lambda books: _send(books, _play().now()))


@blueprint.get("/smtp/emails")
def list_mails() -> Response:
    return _performed("brevo.list", lambda books: _list(books))


@blueprint.route("/<path:path>", methods=["GET", "POST"])
def unknown_route(path: str) -> Response:
    return _sent(_error(404, "document_not_found", "Route not found"))


def _performed(operation: str, effect: Callable[[Books], Answer]) -> Response:
    """One call with its fault; unlike at Stripe a failure is not kept under the key, an accepted mail is."""
    play = _play()
    fault = next_fault(play.store, operation)
    fault.strike_before()
    if fault.kind == "429":
        return _sent(_BUSY)
    if fault.kind == "500_before":
        return _sent(_BROKEN)
    with play.store.writing() as books:
        answer = effect(books)
    fault.strike_after()
    return _sent(_BROKEN if fault.kind == "500_after" else answer)


def _send(books: Books, now: int) -> Answer:
    mail = request.get_json(silent=True)
    fault = _fault(mail)
    if fault:
        return _error(400, *fault)
    assert isinstance(mail, dict)
    key = str((mail.get("headers") or {}).get("idempotencyKey", ""))
    stored = books.answer(f"brevo {key}") if key else None
    if stored is not None and now - stored[2] < _KEY_SECONDS:
        return _error(400, "duplicate_parameter", "idempotencyKey was used within the last 30 minutes")
    answer = Answer(201, {"messageId": f"<{new_id('mail')}@sandbox.example.com>"})
    books.save("mail", _kept(mail, message_id=answer.body["messageId"], at=now))
    if key:
        books.keep_answer(f"brevo {key}", "", answer, at=now)
    return answer


def _fault(mail: Any) -> tuple[str, str] | None:
    """What Brevo would not take, and whatever the SDK's model does not know."""
    from sib_api_v3_sdk import SendSmtpEmail

    if not isinstance(mail, dict):
        return "bad_request", "Input must be a valid JSON object"
    unknown = set(mail) - set(SendSmtpEmail.attribute_map.values())
    if unknown:
        return "invalid_parameter", f"{sorted(unknown)[0]} is not known"
    people = [mail.get("sender"), *(mail.get("to") or [None])]
    if not all(isinstance(person, dict) and "@" in str(person.get("email", "")) for person in people):
        return "invalid_parameter", "email is not valid in sender or to"
    for name in ("subject", "htmlContent"):
        if not mail.get(name):
            return "missing_parameter", f"{name} is missing"
    return None


def _kept(mail: Document, *, message_id: str, at: int) -> Document:
    to = mail["to"][0]
    return {
        "id": new_id("mail"),
        "message_id": message_id,
        "at": at,
        "from_email": mail["sender"]["email"],
        "from_name": mail["sender"].get("name", ""),
        "to_email": to["email"],
        "to_name": to.get("name", ""),
        "subject": mail["subject"],
        "html": mail["htmlContent"],
        "text": mail.get("textContent", ""),
        "tags": mail.get("tags") or [],
    }


def _list(books: Books) -> Answer:
    email, message_id = request.args.get("email"), request.args.get("messageId")
    if not email and not message_id:
        return _error(400, "missing_parameter", "email, templateId or messageId is needed")
    found = [
        mail
        for mail in books.newest("mail", limit=10_000)
        if (not email or mail["to_email"] == email) and (not message_id or mail["message_id"] == message_id)
    ]
    return Answer(200, {"count": len(found), "transactionalEmails": [_listed(mail) for mail in found]})


def _listed(mail: Document) -> Document:
    return {
        "email": mail["to_email"],
        "subject": mail["subject"],
        "messageId": mail["message_id"],
        "uuid": mail["id"],
        "date": datetime.fromtimestamp(mail["at"], UTC).isoformat(),
        "from": mail["from_email"],
        "tags": mail["tags"],
    }


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"code": code, "message": message})


def _sent(answer: Answer) -> Response:
    response = jsonify(answer.body)
    response.status_code = answer.status
    if answer.status == 429:
        response.headers["x-sib-ratelimit-reset"] = str(RESET_SECONDS)
    return response


def _play() -> Play:
    play: Play = current_app.extensions["sandbox"]
    return play
