"""Start the portal on this machine: database, demo, web and queue in one process."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

from jobs import one_process
from tools import ROOT, migrations

START_OF_PATH = "sqlite:///"


class CannotStart(Exception):
    """The message is the one line that the person reads."""


def main() -> int:
    """Prepare what is missing, then become gunicorn."""
    try:
        instance = fill_in_settings()
        _check_port(os.environ["PORT"])
        lock = one_process.hold(instance)
        _prepare_database(instance)
        lock.close()
    except (CannotStart, one_process.AlreadyRunning) as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    os.environ["CANOPY_WELCOME"] = _welcome(instance)
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--log-level", "warning", "wsgi:app"])


def fill_in_settings() -> Path:
    """Fill in what the environment leaves open; return the instance folder."""
    os.umask(0o077)
    os.environ.setdefault("CANOPY_ENV", "development")
    os.environ.setdefault("PORT", "8000")
    instance = Path(os.environ.setdefault("CANOPY_INSTANCE", str(ROOT / "instance")))
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.setdefault("DATABASE_URL", f"{START_OF_PATH}{instance / 'canopy.sqlite'}")
    os.environ.setdefault("SECRET_KEY", _secret(instance / "development-secret"))
    return instance


def _secret(file: Path) -> str:
    """Read the secret of this instance, made at the first start and readable by its owner only."""
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(48))
    return file.read_text().strip()


def _check_port(port: str) -> None:
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {port!r}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as reason:
            fault = f"Port {port} cannot be used ({reason.strerror})"
            raise CannotStart(f"{fault}: choose another, for example PORT=8080 make run.") from reason


def _prepare_database(instance: Path) -> None:
    """Bring the schema up to date; load the demo into a database that was not there."""
    url = os.environ["DATABASE_URL"]
    if not url.startswith(START_OF_PATH):
        _flask(url, "db", "upgrade")
        return
    file = Path(url.removeprefix(START_OF_PATH))
    if not file.exists():
        _first_start(file, instance)
    elif _version(file) != migrations.newest():
        print("Bringing the database up to date.", flush=True)
        _flask(url, "db", "upgrade")


def _first_start(file: Path, instance: Path) -> None:
    """Build beside the final name, so that a first start that was cut off leaves nothing half done."""
    print("First start: making the database and loading the demo, about half a minute.", flush=True)
    unfinished = file.with_name(file.name + ".unfinished")
    for name in ("", "-wal", "-shm", "-journal"):
        Path(f"{unfinished}{name}").unlink(missing_ok=True)
    url = f"{START_OF_PATH}{unfinished}"
    _flask(url, "db", "upgrade")
    _flask(url, "demo")
    with sqlite3.connect(unfinished) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    unfinished.rename(file)


def _version(file: Path) -> str:
    """Read the schema version of a database; raises `CannotStart` when it is locked."""
    database = sqlite3.connect(file, timeout=3)
    try:
        database.execute("BEGIN IMMEDIATE")
        row = database.execute("SELECT version_num FROM alembic_version").fetchone()
        database.rollback()
    except sqlite3.OperationalError as reason:
        if "locked" in str(reason):
            raise CannotStart(
                f"The database {file} is locked by another program: stop that one first."
            ) from reason
        return ""
    except sqlite3.DatabaseError as reason:
        raise CannotStart(f"{file} is not a database ({reason}): move it away to start afresh.") from reason
    finally:
        database.close()
    return row[0] if row else ""


def _flask(url: str, *command: str) -> None:
    """Run one of the portal's commands on a database; its words are shown only when it fails."""
    owner = os.environ.get("DATABASE_OWNER_URL", url)
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *command],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "DATABASE_OWNER_URL": owner},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise CannotStart(
            f"{done.stdout}The command `flask {' '.join(command)}` failed; the reason stands above."
        )


def _welcome(instance: Path) -> str:
    """Say where the portal is and who can sign in."""
    lines = [f"Canopy runs at http://localhost:{os.environ['PORT']} (Ctrl+C stops it)."]
    file = instance / "demo-signins.json"
    if file.exists():
        lines += [_signin(row) for row in json.loads(file.read_text())]
    return "\n".join(lines)


def _signin(row: dict[str, str]) -> str:
    return f"  {row['role']:<12} {row['email']:<32} {row['password']}"


if __name__ == "__main__":
    sys.exit(main())
