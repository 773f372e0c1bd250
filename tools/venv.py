"""Make `.venv` and install pinned requirements into it, once.

Run by whatever Python is there, so it says plainly when that Python is too old.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the one file that an old Python reads
    sys.exit(
        "Canopy needs Python 3.11 or newer; this is Python " + ".".join(map(str, sys.version_info[:3])) + "."
    )

import hashlib
import importlib.util
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def main() -> int:
    """Install the requirements file named on the command line, unless its stamp is fresh."""
    requirements = ROOT / sys.argv[1]
    stamp = VENV / f".installed-{requirements.stem}"
    wanted = _fingerprint(requirements)
    if stamp.is_file() and stamp.read_text() == wanted and PYTHON.exists():
        return 0
    print(f"Installing {requirements.name} into .venv; this takes up to a minute.", flush=True)
    fault = _make_venv() or install("-r", str(requirements))
    if fault:
        print(fault, file=sys.stderr)
        return 1
    stamp.write_text(wanted)
    return 0


def _fingerprint(requirements: Path) -> str:
    """Hash the file and the files it includes by `-r`, with the Python and the place of the house."""
    text = requirements.read_text()
    for line in text.splitlines():
        if line.startswith("-r "):
            text += (ROOT / line[3:].strip()).read_text()
    text += f"{sys.version_info[:2]} {VENV}"
    return hashlib.sha256(text.encode()).hexdigest()


def _make_venv() -> str:
    """Return what went wrong, or an empty text."""
    if _works():
        return ""
    uv = shutil.which("uv")
    if uv:
        command = [uv, "venv", "-q", "--clear", "--python", sys.executable, str(VENV)]
    elif importlib.util.find_spec("ensurepip") is None:
        return "This Python cannot make a virtual environment: install the package python3-venv, or uv."
    else:
        command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    failed = subprocess.call(command)
    return "The virtual environment .venv could not be made." if failed else ""


def _works() -> bool:
    """Whether .venv is there, runs from this very place and is new enough."""
    probe = f"import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix != {str(VENV)!r})"
    return PYTHON.exists() and subprocess.call([PYTHON, "-c", probe], stderr=subprocess.DEVNULL) == 0


def install(*what: str) -> str:
    """Install what is named as to pip into .venv; return what went wrong, or an empty text."""
    uv = shutil.which("uv")
    installer = [uv, "pip"] if uv else [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]
    target = ["--python", str(PYTHON)] if uv else []
    done = subprocess.run(
        [*installer, "install", "-q", *target, *what],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return f"{done.stdout}{what[-1]} could not be installed." if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
