"""The card of a background job: its step with a count, percent, time left, and how it waits."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

STEPS = {"read": ("Reading", "Reading %(count)s sales"), "match": ("Matching", "Matching %(count)s people")}


@pytest.fixture
def card(small_app):
    def draw(progress):
        with small_app.test_request_context():
            macros = small_app.jinja_env.get_template("macros/progress.html").module
            text = str(macros.job_progress(progress, STEPS, "Week 46 is being worked out"))
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).strip(), text

    return draw


def at(step, *, total=0, percent=0, left=None):
    return SimpleNamespace(
        step=step, steps=("read", "match"), total=total, percent=percent, seconds_left=left
    )


def test_the_step_is_named_with_what_it_goes_through(card):
    words, text = card(at("read", total=9418, percent=31))

    assert "Reading 9,418 sales 31%" in words and 'value="31"' in text
    assert "You can leave this page" in words and "left." not in words


def test_a_step_without_a_count_has_its_plain_name(card):
    assert "Matching 50%" in card(at("match", percent=50))[0]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "About 1 second left."), (59, "About 59 seconds left."), (61, "About 2 minutes left.")],
)
def test_the_time_that_is_left_is_said_once_it_is_known(card, seconds, said):
    assert said in card(at("match", percent=60, left=seconds))[0]


def test_a_step_that_is_done_is_told_to_who_cannot_see_it(card):
    assert "Reading done Matching" in card(at("match", percent=60))[0]


def test_a_job_of_which_nothing_is_known_waits_for_its_turn(card):
    words, text = card(None)

    assert "Waiting for its turn" in words and "%" not in words and "value=" not in text
