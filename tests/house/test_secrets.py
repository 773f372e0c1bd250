"""Nothing in the repository tells a secret, or the machine on which it was written."""

from __future__ import annotations

import re

import pytest

from tests.house import sources

SHAPES = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a live Stripe key": re.compile(r"\b[sr]k_live_[A-Za-z0-9]{8,}"),
    "a Brevo key": re.compile(r"\bxkeysib-[0-9a-f]{16,}"),
    "an access key": re.compile(r"\b(AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,})"),
    "a path of one machine": re.compile(r"(?<![\w.])/(root|home/[a-z]\w*|work|Users/\w+)/[\w.]+"),
    "a secret written down": re.compile(
        r"""(?i)\b(secret_key|api_key|password|passwd)\b\s*[:=]\s*["'][A-Za-z0-9+/_-]{24,}["']"""
    ),
}
LARGEST_BYTES = 2_000_000


def faults(text: str) -> list[str]:
    return [name for name, shape in SHAPES.items() if shape.search(text)]


def test_no_file_tells_a_secret_or_a_machine():
    found = []
    for file in sources.tracked():
        if file.name == "test_secrets.py" or file.suffix in (".woff2", ".png", ".ico"):
            continue
        found += [f"{sources.relative(file)}: {fault}" for fault in faults(file.read_text(errors="replace"))]

    assert found == []


def test_no_file_is_a_database_or_far_too_large():
    databases = [file for file in sources.tracked() if file.suffix in (".sqlite", ".db", ".sqlite3")]
    large = [file for file in sources.tracked() if file.stat().st_size > LARGEST_BYTES]

    assert databases + large == []


@pytest.mark.parametrize(
    "sample",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "key = sk_live_4eC39HqLyjWDarjtT1",
        "open('/root/canopy/data')",
        "cd /home/ana/canopy",
        "SECRET_KEY = 'abcdefghijklmnopqrstuvwxyz0123'",
    ],
)
def test_the_check_sees_secrets_and_machines(sample):
    assert faults(sample) != []


def test_the_check_lets_plain_words_pass():
    assert faults("see /home for the page, sk_test_1234567890 and https://example.com/work/of/art") == []
