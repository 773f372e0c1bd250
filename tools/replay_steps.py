"""The steps of a replay that run inside the portal: a network, closing, paying, and counting it all again.

Each is a process of its own, `python -m tools.replay_steps FOLDER STEP …`, with its own clock, and prints one
line of JSON. Where there is a command for operators, the step runs that command.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import insert

from portal import create_app
from portal.kernel.clock import utc_now
from portal.kernel.ids import new_code, new_id
from portal.models import Consultant, Person, Placement
from portal.store import UnitOfWork, perform
from tests.people import let_be_paid
from tools.replay_checks import check

STAFF = {"ada@example.com": "admin", "fin@example.com": "finance"}
ADA, FIN = STAFF
OTHERS = "Other installers"
WHY = "A replay of real installs: it stands like this in the file."
PACKS = ("pack", "pack", "pack", "plus", "plus")


def main() -> int:
    folder, step, *arguments = sys.argv[1:]
    app = create_app()
    plan = json.loads((Path(folder) / "plan.json").read_text())
    steps = {"prepare": prepare, "close": close, "pay": pay, "check": check}
    with app.app_context():
        answer = steps[step](app, plan, Path(folder), *arguments)  # type: ignore[operator]
    print(json.dumps(answer))
    return 0


def prepare(app: Flask, plan: dict[str, Any], folder: Path) -> dict[str, Any]:
    """An open week, two who approve, a vendor for each large installer, one for the rest, a network."""
    _command(app, "cycle", "open")
    for email, role in STAFF.items():
        _command(app, "user", "add", email, "--name", role.title(), "--role", role)
    names = {name: name for name in plan["vendors"]} | {"": OTHERS}
    keys = {
        name: json.loads(_command(app, "vendor", "add", called, "--core")) for name, called in names.items()
    }
    (folder / "keys.json").write_text(json.dumps(keys))
    codes = perform(lambda uow: write_network(uow, count=plan["consultants"], seed=plan["seed"]))
    (folder / "codes.txt").write_text("\n".join(codes))
    return {"vendors": len(keys), "consultants": len(codes)}


def close(app: Flask, _plan: dict[str, Any], _folder: Path, name: str) -> dict[str, Any]:
    """Preview a week, approve it twice, close it; the first says why each figure may pass."""
    _command(app, "cycle", "preview", name)
    asked = [
        row["check"] for row in json.loads(_command(app, "cycle", "checks", name)) if row["state"] == "asks"
    ]
    reasons = [word for check in asked for word in ("--reason", f"{check}={WHY}")]
    _command(app, "cycle", "approve", name, "--as", ADA, *reasons)
    _command(app, "cycle", "approve", name, "--as", FIN)
    answer: dict[str, Any] = json.loads(_command(app, "cycle", "close", name, "--as", FIN))
    return answer


def pay(app: Flask, _plan: dict[str, Any], folder: Path, *names: str) -> dict[str, Any]:
    """Pay the weeks out, the earliest first: one person makes, another approves; the bank did."""
    paid = {}
    for name in names:
        made = json.loads(_command(app, "cycle", "pay", name, "--as", FIN))
        if made["state"] != "paid":
            _command(app, "cycle", "pay", name, "--as", ADA, "--out", str(folder / f"{name}.csv"))
            made = json.loads(_command(app, "cycle", "pay", name, "--as", FIN, "--confirm"))
        paid[name] = made["state"]
    return paid


def write_network(uow: UnitOfWork, *, count: int, seed: int) -> list[str]:
    """A lopsided network of `count` consultants, placed; gives their codes."""
    joined_at = utc_now() - timedelta(days=30)
    people = [
        {
            "public_id": new_id(),
            "name": f"Consultant {number}",
            "email": f"consultant-{number}@example.com",
            "created_at": joined_at,
        }
        for number in range(count)
    ]
    person_ids = list(
        uow.session.scalars(insert(Person).returning(Person.id, sort_by_parameter_order=True), people)
    )
    places = list(draw_places(count, seed=seed))
    ids: list[int] = []
    for number, (sponsor, _, _) in enumerate(places):
        consultant = Consultant(
            public_id=new_id(),
            code=new_code(),
            person_id=person_ids[number],
            sponsor_id=None if sponsor is None else ids[sponsor],
            pack=PACKS[number % len(PACKS)],
            status="active",
            preference="weaker",
            joined_at=joined_at,
        )
        uow.session.add(consultant)
        uow.session.flush()
        ids.append(consultant.id)
    rows = [
        {
            "consultant_id": ids[number],
            "parent_id": None if parent is None else ids[parent],
            "leg": leg,
            "valid_from": joined_at,
        }
        for number, (_, parent, leg) in enumerate(places)
    ]
    uow.session.execute(insert(Placement), rows)
    for consultant_id in ids:
        let_be_paid(uow, consultant_id)
    return list(_codes(uow, ids))


def _codes(uow: UnitOfWork, ids: list[int]) -> Iterator[str]:
    return (uow.session.get_one(Consultant, consultant_id).code for consultant_id in ids)


def draw_places(count: int, *, seed: int) -> Iterator[tuple[int | None, int | None, str | None]]:
    """Sponsor, parent and leg of each, by number: early ones sponsor more, the left leg is the power leg."""
    chance = random.Random(seed)
    below: dict[tuple[int, str], int] = {}
    yield None, None, None
    for number in range(1, count):
        sponsor = int(number * chance.random() ** 2)
        parent, leg = sponsor, _side(chance)
        while (parent, leg) in below:
            parent, leg = below[parent, leg], _side(chance)
        below[parent, leg] = number
        yield sponsor, parent, leg


def _side(chance: random.Random) -> str:
    return "L" if chance.random() < 0.65 else "R"


def _command(app: Flask, *words: str) -> str:
    """Run one of the operator's commands; its last line. Raises `RuntimeError` with its words."""
    done = app.test_cli_runner().invoke(args=[*words, "--json"])
    if done.exit_code:
        raise RuntimeError(f"{' '.join(words)}: {done.output} {done.exception!r}")
    return done.output.splitlines()[-1]


if __name__ == "__main__":
    sys.exit(main())
