"""The real Brevo SDK against the sandbox: each mail once, and each failure told apart."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sib_api_v3_sdk

from portal.gateways.brevo import BrevoMailer, MailRejected, MailRetryLater, MailUnknown, brevo_key
from tests.gateways.conftest import until
from tests.gateways.outside import a_mail

SHORT = {"timeout_seconds": (1, 0.8)}


def test_a_mail_arrives_in_the_mailbox_as_it_was_written(outside):
    sent = outside.brevo().send(a_mail())

    (mail,) = outside.books("mail")
    assert mail["message_id"] == sent.message_id != ""
    assert (mail["from_name"], mail["from_email"]) == ("Canopy", "hello@example.com")
    assert (mail["to_email"], mail["subject"], mail["text"], mail["tags"]) == (
        "ana@example.com",
        "Welcome",
        "Hello",
        ["welcome"],
    )


def test_the_same_key_sends_once_and_is_taken_as_sent(outside):
    outside.brevo().send(a_mail())

    assert outside.brevo().send(a_mail()).message_id == ""
    assert len(outside.books("mail")) == 1


def test_after_half_an_hour_the_provider_has_forgotten_the_key(outside):
    outside.brevo().send(a_mail())
    outside.shift[0] = timedelta(minutes=31)

    outside.brevo().send(a_mail())

    assert len(outside.books("mail")) == 2


def test_our_keys_become_the_uuids_that_brevo_asks_for():
    assert brevo_key("welcome-1") == brevo_key("welcome-1") != brevo_key("welcome-2")


@pytest.mark.parametrize(
    ("fault", "mails"),
    [("drop_before", 0), ("drop_after", 1), ("500_before", 0), ("500_after", 1), ({"hang": 1.5}, 1)],
)
def test_a_lost_answer_is_unknown_and_the_same_key_settles_it(outside, fault, mails):
    outside.order("brevo.send", fault)

    with pytest.raises(MailUnknown):
        outside.brevo(**SHORT).send(a_mail())

    until(lambda: len(outside.books("mail")) == mails)
    outside.brevo().send(a_mail())
    assert len(outside.books("mail")) == 1


def test_a_busy_provider_says_when_to_come_back(outside):
    outside.order("brevo.send", "429")

    with pytest.raises(MailRetryLater) as later:
        outside.brevo().send(a_mail())

    assert later.value.after_seconds == 2
    assert outside.books("mail") == []


def test_a_mail_without_an_address_is_rejected_for_good(outside):
    with pytest.raises(MailRejected, match="invalid_parameter") as rejected:
        outside.brevo().send(a_mail(to_email="nobody"))

    assert rejected.value.final


def test_a_refused_account_is_not_the_fault_of_the_mail(outside):
    mailer = BrevoMailer("", sender="hello@example.com", host=f"{outside.address}/brevo/v3")

    with pytest.raises(MailRejected, match="unauthorized") as rejected:
        mailer.send(a_mail())

    assert not rejected.value.final


def test_a_provider_that_is_not_there_sent_nothing():
    mailer = BrevoMailer("key", sender="hello@example.com", host="http://127.0.0.1:9/v3")

    with pytest.raises(MailRetryLater):
        mailer.send(a_mail())


def test_the_real_address_is_brevos_own():
    assert BrevoMailer("key", sender="hello@example.com")._emails.api_client.configuration.host == (
        "https://api.brevo.com/v3"
    )


def test_what_was_sent_can_be_looked_up(outside):
    sent = outside.brevo().send(a_mail())
    outside.brevo().send(a_mail(to_email="ben@example.com", idempotency_key="welcome-2"))
    emails: sib_api_v3_sdk.TransactionalEmailsApi = outside.brevo()._emails

    by_person = emails.get_transac_emails_list(email="ben@example.com", _request_timeout=(1, 2))
    by_message = emails.get_transac_emails_list(message_id=sent.message_id, _request_timeout=(1, 2))

    assert [mail.email for mail in by_person.transactional_emails] == ["ben@example.com"]
    assert [mail.email for mail in by_message.transactional_emails] == ["ana@example.com"]
