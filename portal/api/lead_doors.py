"""A program brings a lead: once for its key, once for a person."""

from __future__ import annotations

from flask import Response, jsonify

from portal.access.guard import public
from portal.api import operations
from portal.api.lead_bodies import sent_key, sent_lead, service_of
from portal.api.room import api
from portal.api.tokened import Caller, tokened
from portal.integrations import tokens
from portal.integrations.lists import told_leads
from portal.integrations.requests import keep_key, lead_of_key
from portal.leads.enquiries import Enquiry
from portal.leads.service import take_lead
from portal.store import UnitOfWork, perform
from portal.store.people import Contact
from portal.ui.operations import documented


@api.post("/api/v1/leads")
@documented(operations.ADD_LEAD)
@public
@tokened(tokens.ADD_LEADS)
def add_lead(caller: Caller) -> Response:
    """A consultant's lead is theirs; one of the company is routed. 201 new, 200 known."""
    key, sent = sent_key(), sent_lead()
    enquiry = Enquiry(
        contact=Contact(
            sent["name"], sent.get("email", ""), sent.get("phone", ""), region=sent.get("state", "")
        ),
        source="api",
        service_id=service_of(sent),
        consultant_id=caller.consultant_id,
        note=sent.get("note", ""),
        source_name=caller.token_name,
    )

    def work(uow: UnitOfWork) -> tuple[dict[str, object], bool]:
        known = lead_of_key(uow, user_id=caller.user_id, key=key, body=sent)
        if known is not None:
            return told_leads(uow.session, [known])[0], False
        taken = take_lead(uow, enquiry=enquiry, actor_id=caller.user_id)
        keep_key(uow, user_id=caller.user_id, key=key, body=sent, lead_id=taken.lead.id)
        return told_leads(uow.session, [taken.lead])[0], taken.is_new

    document, is_new = perform(work)
    answer = jsonify(document)
    answer.status_code = 201 if is_new else 200
    return answer
