"""Server processes of a test run, written down so that a killed run leaves nothing behind for ever."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROOMY_BYTES = 2 * 1024**3
RECORDS = ROOT / ".cache" / "test-services"


def quick_place() -> str:
    """Where temporary files cost least: in memory, if there is room; a database is made ten times faster."""
    memory = "/dev/shm"
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ROOMY_BYTES
    return memory if roomy else tempfile.gettempdir()


def new_folder(name: str, user: str, place: str = "") -> Path:
    """Make a temporary folder that belongs to a user, where it is quickest unless a place is named."""
    folder = Path(tempfile.mkdtemp(prefix=f"canopy-{name}-", dir=place or quick_place()))
    shutil.chown(folder, user)
    return folder


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(command: list[object], folder: Path, user: str) -> None:
    """Run a program to its end; raises `subprocess.CalledProcessError` with its words."""
    subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        **_identity(user),
    )


def start(name: str, command: list[object], folder: Path, user: str) -> subprocess.Popen[bytes]:
    """Start a server in its folder as a user, with its words in `log`, and write it down."""
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **_identity(user),
        )
    RECORDS.mkdir(parents=True, exist_ok=True)
    record = {
        "pid": server.pid,
        "born": _born(server.pid),
        "folder": str(folder),
        "owner": _born(os.getpid()),
    }
    (RECORDS / f"{os.getpid()}-{name}.json").write_text(json.dumps(record))
    return server


def _identity(user: str) -> dict[str, Any]:
    if os.getuid():
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def end_leftovers() -> None:
    """End what runs left behind that were killed; other runs that still live keep theirs."""
    for record in RECORDS.glob("*.json"):
        owner = int(record.name.split("-")[0])
        try:
            alive = _born(owner) == json.loads(record.read_text())["owner"]
        except (json.JSONDecodeError, FileNotFoundError):
            continue
        if not alive:
            _end(record)


def end_own() -> None:
    """End what this process started."""
    for record in RECORDS.glob(f"{os.getpid()}-*.json"):
        _end(record)


def _end(record: Path) -> None:
    about = json.loads(record.read_text())
    if about["born"] and _born(about["pid"]) == about["born"]:
        os.kill(about["pid"], signal.SIGINT)
        _wait_for_end(about["pid"], about["born"])
    shutil.rmtree(about["folder"], ignore_errors=True)
    record.unlink(missing_ok=True)


def _wait_for_end(pid: int, born: str) -> None:
    deadline = time.monotonic() + 5
    while _born(pid) == born:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _born(pid: int) -> str:
    """When a process began, which tells it from a later one with the same number; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return _born_elsewhere(pid) if not Path("/proc/self").exists() else ""


def _born_elsewhere(pid: int) -> str:
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
    return done.stdout.strip()
