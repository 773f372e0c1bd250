"""An address that somebody gave us leads to the public network or nowhere: no connection is opened."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

import pytest

from portal.config import BadSettings, read_settings
from portal.gateways import outgoing
from portal.kernel.callbacks import callback_fault
from tests.integrations.receiver import listening

NOT_ADDRESSES = [
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "https://",
    "https:///path",
    "//example.com",
    "https://user@example.com/",
    "https://user:secret@example.com/",
    "https://example.com:8443/",
    "https://example.com:22/",
    "https://example.com:99999/",
    "https://[::1/",
    "https://exa mple.com/",
    "https://example.com\\@127.0.0.1/",
    "https://ex\u0430mple.com/",
    "https://example.com/\nHost: x",
    "https://localhost/",
    "https://intranet/",
]
PRIVATE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.2.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fd00::1",
    "fe80::1",
    "ff02::1",
]
WRITTEN_OTHERWISE = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1"]


@pytest.fixture
def opened(monkeypatch):
    """Every address to which a connection was begun; none of them is."""
    seen = []

    def refuse(_self, address):
        seen.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return seen


def resolving(monkeypatch, *answers):
    """The next look-ups of a name find these addresses, the last ones ever after."""
    left = list(answers)

    def find(_host, port, *_more, **_named):
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", find)


@pytest.mark.parametrize("url", NOT_ADDRESSES)
def test_what_is_no_address_of_the_public_network_is_not_called(opened, url):
    assert callback_fault(url) != "" or url in ("https://localhost/",)
    assert outgoing.post(url, b"{}", {}).status == 0
    assert opened == []


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_not_called(opened, monkeypatch, address):
    resolving(monkeypatch, [address])

    assert outgoing.post("https://localtest.example.com/", b"{}", {}).status == 0
    assert opened == []


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_inside_is_not_called(opened, address):
    host = f"[{address}]" if ":" in address else address

    assert outgoing.post(f"https://{host}/", b"{}", {}).status == 0
    assert opened == []


@pytest.mark.parametrize("host", WRITTEN_OTHERWISE)
def test_an_address_inside_that_is_written_otherwise_is_not_called(opened, host):
    assert outgoing.post(f"https://{host}/", b"{}", {}).status == 0
    assert opened == []


def test_a_name_with_one_address_inside_is_not_called(opened, monkeypatch):
    resolving(monkeypatch, ["93.184.216.34", "10.0.0.1"])

    assert outgoing.post("https://example.com/", b"{}", {}).status == 0
    assert opened == []


def test_a_name_that_is_looked_up_again_leads_where_it_was_found_to(opened, monkeypatch):
    resolving(monkeypatch, ["93.184.216.34"], ["93.184.216.34"], ["127.0.0.1"])

    outgoing.post("https://example.com/", b"{}", {})

    assert {address[0] for address in opened} == {"93.184.216.34"}


def test_the_check_would_see_a_connection(opened, monkeypatch):
    monkeypatch.setattr("portal.gateways.public_hosts.is_public", lambda _address: True)
    resolving(monkeypatch, ["10.0.0.1"])

    outgoing.post("https://example.com/", b"{}", {})

    assert opened != []


def test_this_machine_is_called_in_development_alone(tmp_path):
    with listening() as receiver:
        assert outgoing.post(receiver.url, b"{}", {}).status == 0
        assert outgoing.post(receiver.url, b"{}", {}, loopback=True).status == 204
    assert len(receiver.calls) == 1
    environ = {
        "CANOPY_ENV": "production",
        "CANOPY_WEBHOOKS_TO_LOOPBACK": "on",
        "CANOPY_INSTANCE": str(tmp_path),
    }
    with pytest.raises(BadSettings, match="CANOPY_WEBHOOKS_TO_LOOPBACK"):
        read_settings(environ)


def test_a_redirect_is_an_answer_and_is_not_followed():
    with listening() as receiver:
        receiver.answer = lambda: "302 FOUND"
        said = outgoing.post(receiver.url, b"{}", {}, loopback=True)

    assert (said.status, said.is_taken, len(receiver.calls)) == (302, False, 1)


@pytest.mark.parametrize("connecting", [0, 0.7])
@pytest.mark.parametrize("drip", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_who_speaks_slowly_is_cut_off(monkeypatch, drip, connecting):
    monkeypatch.setattr(outgoing, "SECONDS", 0.6)
    connect = outgoing.HTTPConnection.connect
    monkeypatch.setattr(
        outgoing.HTTPConnection, "connect", lambda self: connect(self) or time.sleep(connecting)
    )
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def speak():
        other, _ = listener.accept()
        with suppress(OSError):
            other.sendall(drip)
            for _ in range(40):
                if not over.wait(0.1):
                    other.sendall(b"x" if drip else b"")
            other.close()

    threading.Thread(target=speak, daemon=True).start()
    started = time.monotonic()
    outgoing.post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {}, loopback=True)
    took = time.monotonic() - started
    over.set()
    listener.close()

    assert took < 2
