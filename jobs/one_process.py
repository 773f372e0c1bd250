"""The embedded default is one process: a lock file in the instance folder keeps a second one out."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TextIO


class AlreadyRunning(Exception):
    """Another process holds the instance folder; the message says which."""


def hold(instance: Path) -> TextIO:
    """Take the lock; it is held while the returned file is open, here and in forked processes.

    The system gives it back when the last of them ends, however that happens. Raises `AlreadyRunning`.
    """
    instance.mkdir(parents=True, exist_ok=True)
    file = (instance / "process.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as locked:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise AlreadyRunning(
            f"The database in {instance} is in use by another Canopy (process {holder}): stop that one first."
        ) from locked
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
