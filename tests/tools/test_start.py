"""Starting the portal on a machine: what cannot work is said in one line, and a second start is quick."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from jobs import one_process
from tests import servers
from tests.house.sources import ROOT

# Three seconds on a machine of its own; other tests share the cores here and make each second dearer.
QUICK_SECONDS = 6
"""The machine of the tests may be busy with something else for a while."""


@pytest.fixture
def surroundings(tmp_path) -> dict[str, str]:
    """An environment with an instance folder and a port of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"CANOPY_INSTANCE": str(tmp_path / "instance"), "PORT": str(servers.free_port())}


@pytest.fixture
def started_before(surroundings, sqlite_template) -> dict[str, str]:
    """The same, with the database of an earlier start."""
    instance = Path(surroundings["CANOPY_INSTANCE"])
    instance.mkdir()
    shutil.copy(sqlite_template, instance / "canopy.sqlite")
    signin = {"role": "consultant", "email": "ana@example.com", "password": "sunny"}
    (instance / "demo-signins.json").write_text(json.dumps([signin]))
    return surroundings


def refusal(surroundings: dict[str, str], *command: str) -> str:
    """Run a command that must fail; return its one line."""
    done = subprocess.run(
        [sys.executable, *(command or ("-m", "tools.run"))],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode != 0
    return done.stderr.strip()


def test_a_taken_port_is_said_in_one_line(surroundings):
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(surroundings["PORT"])))
        other.listen()

        line = refusal(surroundings)

    taken = f"Port {surroundings['PORT']} cannot be used (Address already in use)"
    assert line == f"{taken}: choose another, for example PORT=8080 make run."


def test_a_port_that_is_no_number_is_said_in_one_line(surroundings):
    line = refusal(surroundings | {"PORT": "eighty"})

    assert line == "PORT must be a number from 1 to 65535, not 'eighty'."


def test_a_second_process_on_one_database_is_refused_in_one_line(surroundings):
    instance = Path(surroundings["CANOPY_INSTANCE"])

    with one_process.hold(instance):
        line = refusal(surroundings)

    holder = f"another Canopy (process {os.getpid()})"
    assert line == f"The database in {instance} is in use by {holder}: stop that one first."


def test_a_database_that_another_program_locks_is_said_in_one_line(started_before):
    file = Path(started_before["CANOPY_INSTANCE"]) / "canopy.sqlite"
    other = sqlite3.connect(file)
    other.execute("BEGIN IMMEDIATE")

    line = refusal(started_before)
    other.close()

    assert line == f"The database {file} is locked by another program: stop that one first."


def test_two_web_processes_without_redis_are_refused_with_the_reason(surroundings):
    settings = surroundings | {"CANOPY_ENV": "development", "SECRET_KEY": "s" * 32}

    line = refusal(settings, "-m", "gunicorn", "--log-level", "warning", "-w", "2", "wsgi:app")

    assert line == "2 web processes need REDIS_URL: without it the queue lives in one process."


def test_production_without_keys_names_each_and_shows_no_traceback(surroundings):
    lines = refusal(surroundings, "-m", "gunicorn", "--log-level", "warning", "wsgi:app").splitlines()

    assert "STRIPE_SECRET_KEY must be set in production." in lines
    assert not any("Traceback" in line for line in lines)


def test_an_old_python_is_told_so_in_one_line(surroundings):
    probe = "import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_path('tools/venv.py')"

    line = refusal(surroundings, "-c", probe)

    assert line == "Canopy needs Python 3.11 or newer; this is Python 3.9.2."


def test_a_later_start_is_quick_and_says_who_can_sign_in(started_before):
    seconds, said = later_start(started_before)

    address, signin = said.splitlines()
    assert seconds < QUICK_SECONDS
    assert address == f"Canopy runs at http://localhost:{started_before['PORT']} (Ctrl+C stops it)."
    assert signin.split() == ["consultant", "ana@example.com", "sunny"]


def later_start(surroundings: dict[str, str]) -> tuple[float, str]:
    """Start, wait for the first page, stop; the seconds of computing it took, and what was said.

    Computing, not waiting: other tests run on the same machine.
    """
    began, computed = time.monotonic(), os.times()
    command = [sys.executable, "-m", "tools.run"]
    server = subprocess.Popen(command, cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, text=True)
    try:
        status = first_answer(f"http://127.0.0.1:{surroundings['PORT']}/", until=began + 60)
    finally:
        server.send_signal(signal.SIGTERM)
        said, _ = server.communicate(timeout=60)
    assert status == 200
    after = os.times()
    used = after.children_user + after.children_system - computed.children_user - computed.children_system
    return used, said


def first_answer(url: str, *, until: float) -> int:
    while True:
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return answer.status
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def test_the_secret_of_a_development_start_is_kept_and_only_its_owner_reads_it(started_before):
    instance = Path(started_before["CANOPY_INSTANCE"])
    probe = "from tools import run; run.fill_in_settings(); import os; print(os.environ['SECRET_KEY'])"
    command = [sys.executable, "-c", probe]

    first, second = (subprocess.check_output(command, cwd=ROOT, env=started_before) for _ in range(2))

    assert first == second
    assert (instance / "development-secret").stat().st_mode & 0o777 == 0o600
