"""A scenario sent as a vendor's program would, and asked after until everything is done."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import click

from portal.cli.vendor_delivery import reason
from portal.cli.vendor_feed import BadFeed
from portal.gateways.vendor_sender import Key, Sender
from portal.kernel.clock import utc_now
from portal.kernel.vendor_scenarios import Offered, Sent, events_of

PAUSE_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Trial:
    """Which scenario, how often, and for how many seconds to wait for what becomes of it."""

    scenario: str
    offered: Offered
    count: int
    seed: int
    patience: float


def try_out(url: str, key: Key, trial: Trial) -> dict[str, Any]:
    """Send the events of a scenario, tell each answer, and ask until none waits; what came of them.

    Raises `BadFeed` where nobody answers.
    """
    events = events_of(trial.scenario, trial.offered, count=trial.count, seed=trial.seed, now=utc_now())
    sender = Sender(url, key)
    answers = Counter(_send(sender, sent) for sent in events)
    states = _await(sender, names=list(dict.fromkeys(sent.id for sent in events)), seconds=trial.patience)
    for name, told in states.items():
        click.echo(f"{name}: {told['state']}, {_said(told)}")
    return {
        "sent": len(events),
        "answers": dict(answers),
        "states": dict(Counter(_state(told) for told in states.values())),
    }


def _send(sender: Sender, sent: Sent) -> str:
    body = json.dumps(sent.event, separators=(",", ":")).encode()
    answer = sender.post("events", message_id=sent.id, body=body)
    if answer is None:
        raise BadFeed("Nobody answers at this address.")
    words = reason(answer.data) if answer.status >= 400 else str(answer.json()["result"])
    click.echo(f"{sent.event['type']} {sent.id}: {answer.status} {words}")
    return f"{answer.status}"


def _await(sender: Sender, *, names: list[str], seconds: float) -> dict[str, dict[str, Any]]:
    """What is known of each event, once none is waiting or the time is over; nothing of unknown ones."""
    deadline = time.monotonic() + seconds
    found: dict[str, dict[str, Any]] = {}
    while True:
        for name in names:
            if found.get(name, {"state": "waiting"})["state"] == "waiting":
                found[name] = _ask(sender, name)
        if time.monotonic() > deadline or all(_state(told) != "waiting" for told in found.values()):
            return found
        time.sleep(PAUSE_SECONDS)


def _ask(sender: Sender, name: str) -> dict[str, Any]:
    answer = sender.get(f"events/{name}", message_id=f"ask-{name}"[:100])
    if answer is None or answer.status != 200:
        return {"state": "unknown", "outcome": None, "problem": None}
    told: dict[str, Any] = answer.json()
    return told


def _state(told: dict[str, Any]) -> str:
    return str(told["state"])


def _said(told: dict[str, Any]) -> str:
    problem = told["problem"] or {}
    return str(told["outcome"] or problem.get("message") or "nothing to tell yet")
