"""Which passwords are refused, and how they are kept."""

from __future__ import annotations

from portal.access import passwords
from portal.kernel.errors import BadInput

ABOUT = ("Maya Torres", "maya.torres@example.com", "Canopy")


GOOD = [
    "correct horse battery",
    "xkq8-vbn2-trw9",
    "Grün ist die Hoffnung",
    "ünïcödé 🌞 at night",
    "trains leave at noon",
    "purple monkey dishwasher",
    "n" + "0fKz" * 2 + "wQpLr7",
    "a" * 3 + "window over trees",
    "x" * 40 + " river 8 moss",
]
BAD = [
    "short",
    "elevenchars",
    "a" * 201,
    "aaaaaaaaaaaa",
    "abababababab",
    "123456789012",
    "abcdefghijkl",
    "qwertyuiopas",
    "passwordpassword",
    "Password12345",
    "P4ssw0rd123456",
    "mayatorres123",
    "MayaTorres2345",
    "torresmaya1234",
    "canopycanopy1",
    "Canopy123456789",
    "maya.torres@example.com",
    "letmeinletmein",
    "qwertzuiop1234",
    "1qaz2wsx3edc",
    "iloveyou123456",
    "welcome12345678",
    "admin123456789",
    "            ",
    "abcabcabcabc1",
]


def test_words_that_do_not_belong_together_are_fine(sqlite_app):
    with sqlite_app.test_request_context():
        assert [password for password in GOOD if _is_refused(password)] == []


def test_what_can_be_guessed_is_refused(sqlite_app):
    with sqlite_app.test_request_context():
        assert [password for password in BAD if not _is_refused(password)] == []


def test_passwords_are_kept_as_argon2id_with_the_agreed_cost():
    kept = passwords.hash_password("correct horse battery")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(kept, "correct horse battery")
    assert not passwords.matches(kept, "correct horse batterx")
    assert not passwords.matches(None, "a password that belongs to nobody")


def test_the_whole_password_counts():
    kept = passwords.hash_password("x" * 199 + "y")
    assert not passwords.matches(kept, "x" * 199 + "z")


def _is_refused(password: str) -> bool:
    try:
        passwords.check_password(password, about=ABOUT)
    except BadInput:
        return True
    return False
