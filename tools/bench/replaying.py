"""`python -m tools.bench.replaying`: what is done with a closed cycle of a large company, each in a process.

Computed again, exported, verified offline, computed from its case file, tried with another plan, put beside
another system's lines: seconds on the wall, the peak of memory, and the sizes of files.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from jobs import commissions as jobs
from jobs import comparisons as comparison_jobs
from jobs import trials as trial_jobs
from portal.arrival.comparing.service import Upload, request_comparison
from portal.commissions import cycles
from portal.commissions.bundle import read_bundle
from portal.commissions.bundle_check import verify
from portal.commissions.plans import trials
from portal.commissions.replay import replay
from portal.engine import KINDS
from portal.extensions import db
from portal.kernel.errors import Conflict
from portal.models import CommissionLine, Comparison, Consultant, Cycle, PlanDraft, PlanVersion, Run, Trial
from portal.store import UnitOfWork, perform
from tools.bench import filling
from tools.bench.close import ZONE, application, made

WORKS: Final = ("replay", "export", "verify", "run", "trial", "compare")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=500_000)
    parser.add_argument("--sales", type=int, default=1_000_000)
    parser.add_argument("--shape", default="random")
    parser.add_argument("--works", default=",".join(WORKS))
    chosen = parser.parse_args()
    found: dict[str, Any] = {**vars(chosen), "load": round(os.getloadavg()[0], 1)}
    with made(chosen.members, chosen.sales, chosen.shape) as url, tempfile.TemporaryDirectory() as folder:
        bundle, home = Path(folder) / "bundle.zip", Path(folder)
        found["close"] = _apart(partial(_closed, url, home))
        deeds: dict[str, Callable[[], dict[str, Any]]] = {
            "replay": partial(_replayed, url, home),
            "export": partial(_exported, url, home, bundle),
            "verify": partial(_verified, bundle),
            "run": partial(_computed, bundle, home),
            "trial": partial(_tried, url, home),
            "compare": partial(_compared, url, home),
        }
        for work in chosen.works.split(","):
            found[work] = _apart(deeds[work])
            sys.stderr.write(f"{work}: {found[work]}\n")
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0


def _closed(url: str, home: Path) -> dict[str, Any]:
    with application(url, home).app_context():
        cycle_id = db.session.scalars(select(Cycle.id).where(Cycle.state == "open")).one()
        perform(lambda uow: cycles.end_if_due(uow, zone=ZONE, early=True))
        jobs.preview(cycle_id)
        run_id, admins = db.session.get_one(Cycle, cycle_id).preview_run_id or 0, filling.admins()
        for admin in admins:
            perform(partial(cycles.approve, cycle_id=cycle_id, run_id=run_id, actor_id=admin))
        perform(partial(cycles.request_close, cycle_id=cycle_id, actor_id=admins[0]))
        jobs.close(cycle_id)
        return {}


def _run() -> Run:
    found = select(Run).join(Cycle, Cycle.close_run_id == Run.id).where(Cycle.closed_at.is_not(None))
    return db.session.scalars(found).one()


def _replayed(url: str, home: Path) -> dict[str, Any]:
    with application(url, home).app_context():
        found = replay(db.session(), _run())
        return {"same": found.is_same, "lines": found.lines, "rows of carry": found.carries}


def _exported(url: str, home: Path, bundle: Path) -> dict[str, Any]:
    with application(url, home).app_context(), bundle.open("wb") as file:
        found = read_bundle(db.session(), _run())
        db.session.rollback()
        file.writelines(found.pieces())
    return {"MiB": bundle.stat().st_size >> 20}


def _verified(bundle: Path) -> dict[str, Any]:
    with bundle.open("rb") as file:
        return {"lines": verify(file).lines}


def _computed(bundle: Path, home: Path) -> dict[str, Any]:
    """As anybody would: `comp run case.json | cmp - expected.json`."""
    subprocess.run(["unzip", "-q", str(bundle), "-d", str(home / "by hand")], check=True)
    began = time.perf_counter()
    ours = ["-m", "flask", "--app", "wsgi", "comp", "run", str(home / "by hand" / "case.json")]
    command = [sys.executable, *ours]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=_settings()) as running:
        same = subprocess.run(
            ["cmp", "-", str(home / "by hand" / "expected.json")], stdin=running.stdout, check=False
        )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    seconds = round(time.perf_counter() - began, 1)
    return {"same": same.returncode == 0, "of the command, s": seconds, "of the command, MiB": peak}


def _settings() -> dict[str, str]:
    return {
        **os.environ,
        "CANOPY_ENV": "development",
        "SECRET_KEY": "only for a measurement, nothing is kept",
    }


def _tried(url: str, home: Path) -> dict[str, Any]:
    """A draft that pays nobody's sponsor, tried on the cycle."""
    with application(url, home).app_context():
        trial_id = perform(_ask_for_trial)
        began = time.perf_counter()
        trial_jobs.drain()
        seconds = round(time.perf_counter() - began, 1)
        found = db.session.get_one(Trial, trial_id)
        told = {"state": found.state, "problem": found.problem, "the job, s": seconds}
        draft_id, name, actor_id = found.plan_draft_id, _name(), found.requested_by
        again = dict[str, Any](draft_id=draft_id, first=name, last=name, actor_id=actor_id)
        second = perform(lambda uow: trials.request_trial(uow, **again).id)
        db.session.rollback()
        wished: list[float] = []
        canceller = threading.Thread(target=_cancel, args=(url, home, second, wished))
        canceller.start()
        trial_jobs.drain()
        ended = time.perf_counter()
        canceller.join()
        db.session.rollback()
        state, took = db.session.get_one(Trial, second).state, round(ended - wished[0], 1)
        return told | {"another one": state, "after the wish to cancel, s": took}


def _cancel(url: str, home: Path, trial_id: int, wished: list[float]) -> None:
    """Somebody presses the button while the job works."""
    with application(url, home).app_context(), contextlib.suppress(Conflict):
        wished.append(time.perf_counter())
        perform(lambda uow: trials.cancel(uow, trial_id=trial_id, actor_id=filling.admins()[0]))


def _name() -> str:
    return db.session.scalars(select(Cycle.name).where(Cycle.closed_at.is_not(None))).one()


def _ask_for_trial(uow: UnitOfWork) -> int:
    (actor_id, *_), version = filling.admins(), uow.session.scalars(select(PlanVersion)).one()
    draft = PlanDraft(
        public_id="draft",
        name="Draft",
        document=dict(version.document) | {"direct": {"rate": {}}},
        based_on_id=version.id,
        state="draft",
        made_by=actor_id,
        made_at=uow.clock(),
        changed_at=uow.clock(),
    )
    uow.session.add(draft)
    uow.session.flush()
    name = _name()
    return trials.request_trial(uow, draft_id=draft.id, first=name, last=name, actor_id=actor_id).id


def _compared(url: str, home: Path) -> dict[str, Any]:
    """Our own sums as another system would write them; every tenth of them is another."""
    with application(url, home).app_context():
        upload, run = Upload("old.csv", _old_lines(), {kind: kind for kind in KINDS}), _run()
        cycle_id = run.cycle_id
        times = [time.perf_counter()]
        perform(lambda uow: request_comparison(uow, upload, cycle_id=cycle_id, actor_id=None).id)
        times.append(time.perf_counter())
        comparison_jobs.drain()
        times.append(time.perf_counter())
        found = db.session.scalars(select(Comparison)).one().totals
        return {
            "the file, MiB": len(upload.content) >> 20,
            "the request, s": round(times[1] - times[0], 2),
            "the job, s": round(times[2] - times[1], 1),
        } | {name: found[name] for name in ("lines", "differences")}


def _old_lines() -> bytes:
    line = CommissionLine
    sums = (
        select(Consultant.code, line.kind, db.func.sum(line.amount_cents))
        .join(Consultant, Consultant.id == line.consultant_id)
        .where(line.run_id == _run().id)
        .group_by(Consultant.code, line.kind)
    )
    rows = db.session.execute(sums).all()
    written = (
        f"{code},{kind},{(int(cents) + (7_31 if at % 10 == 0 else 0)) / 100:.2f}"
        for at, (code, kind, cents) in enumerate(rows)
    )
    return "\n".join(["code,kind,amount", *written]).encode()


def _apart(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do it in a process of its own, so that peaks do not mix."""
    out, inward = os.pipe()
    child = os.fork()
    if not child:
        began = time.perf_counter(), time.process_time()
        told = work()
        told["seconds"] = round(time.perf_counter() - began[0], 1)
        told["our processor"] = round(time.process_time() - began[1], 1)
        told["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        with os.fdopen(inward, "w") as answer:
            answer.write(json.dumps(told))
        os._exit(0)
    os.close(inward)
    with os.fdopen(out) as answer:
        found: dict[str, Any] = json.loads(answer.read() or "{}")
    os.waitpid(child, 0)
    return found


if __name__ == "__main__":
    sys.exit(main())
