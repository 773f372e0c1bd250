"""The sandbox for people: the test payment page, the mailbox, and what guards them."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.gateways.outside import a_checkout, a_mail


def policy(outside, path: str) -> str:
    return outside.app.test_client().get(path).headers["Content-Security-Policy"]


def test_the_payment_page_says_what_it_is_and_what_is_paid(outside):
    page = outside.stripe().open_checkout(a_checkout(monthly_cents=2_900))

    html = outside.get(f"/checkout/{page.session_id}")

    assert page.url == f"{outside.address}/checkout/{page.session_id}"
    for part in ("<h1>Test payment</h1>", "$299.00", "$29.00", "Pay $328.00", "Plus+, monthly"):
        assert part in html
    assert 'href="http://localhost:8000/join/pay"' in html


def test_a_declined_page_ties_the_message_to_the_field(outside):
    page = outside.stripe().open_checkout(a_checkout())

    _, html = outside.post(f"/checkout/{page.session_id}/pay", {"card": "1"})

    assert 'aria-describedby="card-help card-error" aria-invalid="true"' in html
    assert "not one of the test cards" in html


def test_a_paid_subscription_offers_its_renewal(outside):
    page = outside.stripe().open_checkout(a_checkout(monthly_cents=2_900))
    outside.post(f"/checkout/{page.session_id}/pay", {"card": "4242424242424242"})

    html = outside.get(f"/checkout/{page.session_id}")

    assert "Renew the subscription now" in html
    assert "Card number" not in html
    assert "paid" in outside.get("/")


def test_forms_may_end_at_the_shop_and_nowhere_else(outside):
    page = outside.stripe().open_checkout(a_checkout())

    assert "form-action 'self' http://localhost:8000;" in policy(outside, f"/checkout/{page.session_id}")
    assert "form-action 'self';" in policy(outside, "/mailbox")


def test_the_mailbox_shows_the_newest_first_and_the_mail_in_a_frame_that_runs_nothing(outside):
    outside.brevo().send(a_mail())
    outside.brevo().send(a_mail(subject="Paid <b>out</b>", idempotency_key="paid-1"))
    mail_id = outside.books("mail")[0]["id"]

    inbox = outside.get("/mailbox")
    page = outside.get(f"/mailbox/{mail_id}")

    assert inbox.index("Paid &lt;b&gt;out") < inbox.index("Welcome")
    assert f'src="/sandbox/mailbox/{mail_id}/html"' in page
    assert "<script>" not in page
    frame = policy(outside, f"/mailbox/{mail_id}/html")
    assert "default-src 'none'" in frame
    assert "sandbox allow-popups" in frame
    assert "allow-scripts" not in frame


@pytest.mark.parametrize(
    "path", ["/checkout/cs_test_none", "/mailbox/none", "/mailbox/none/html", "/elsewhere"]
)
def test_what_is_not_there_is_not_found(outside, path):
    answer = outside.app.test_client().get(path)

    assert answer.status_code == 404
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_other_sites_cannot_press_its_buttons(outside):
    page = outside.stripe().open_checkout(a_checkout())

    status, _ = outside.post(
        f"/checkout/{page.session_id}/pay", {"card": "4242424242424242"}, **{"Sec-Fetch-Site": "cross-site"}
    )

    assert status == 403
    assert outside.books("event") == []


@pytest.mark.parametrize(
    "order",
    [
        None,
        [],
        {"operation": "stripe.everything", "faults": []},
        {"operation": "brevo.send", "faults": "429"},
        {"operation": "brevo.send", "faults": ["explode"]},
        {"operation": "brevo.send", "faults": [{"hang": "long"}]},
        {"operation": "webhook", "faults": ["429"]},
    ],
)
def test_an_order_of_faults_that_makes_no_sense_is_refused(outside, order):
    assert outside.post("/faults", as_json=order)[0] == 422


def test_sixteen_at_once_with_one_key_open_one_page(outside):
    with ThreadPoolExecutor(16) as crowd:
        pages = list(
            crowd.map(lambda _: outside.stripe(timeout_seconds=10).open_checkout(a_checkout()), range(16))
        )

    assert len(set(pages)) == len(outside.books("session")) == 1


def test_its_books_are_its_own_file_in_wal_mode(outside, tmp_path):
    with sqlite3.connect(tmp_path / "sandbox.sqlite") as books:
        assert books.execute("PRAGMA journal_mode").fetchone() == ("wal",)
