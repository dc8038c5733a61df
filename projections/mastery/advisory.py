"""Figures that are shown beside a decision and never decide it: knowledge tracing, a rating, other systems' states.

All read the same ordered answers: a piece of evidence at or above the cut is right, any other is wrong. Decimal's exp
is correctly rounded, so every machine shows the same digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from projections.mastery.methods import EXACT, rounded_to
from projections.mastery.transitions import (
    ALEKS_LEARNED,
    KHAN_POINTS,
    Aleks,
    KhanState,
    aleks_after_answer,
    aleks_after_check,
    khan_after_exercise,
    khan_after_mixed,
)

LEARNED_FROM: Final = Decimal("0.95")
"""From this probability on a skill counts as learned (the default of pyBKT's Roster)."""

_PLACES: Final = 4


@dataclass(frozen=True, slots=True)
class Tracing:
    """The probabilities of Bayesian knowledge tracing; `guess` and `slip` together must stay below 1."""

    known: Decimal = Decimal("0.3")
    learn: Decimal = Decimal("0.1")
    guess: Decimal = Decimal("0.2")
    slip: Decimal = Decimal("0.1")
    forget: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Rating:
    """The parameters of an Elo rating: its step after n answers is a / (1 + b * n)."""

    a: Decimal = Decimal(1)
    b: Decimal = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Checks:
    """The kinds of evidence that stand for questions among other skills, or for knowledge checks; others practise."""

    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advisory:
    """The figures that a rule asks for; None is not shown."""

    bkt: Tracing | None = None
    elo: Rating | None = None
    khan: Checks | None = None
    aleks: Checks | None = None


NO_ADVISORY: Final = Advisory()


def traced(answers: Iterable[bool], tracing: Tracing) -> Iterator[Decimal]:
    """Yield the probability that the skill is known, after each answer."""
    known = tracing.known
    for is_right in answers:
        with localcontext(EXACT):
            known = _after(known, is_right, tracing)
        yield known


def _after(known: Decimal, is_right: bool, by: Tracing) -> Decimal:
    told, chance = (1 - by.slip, by.guess) if is_right else (by.slip, 1 - by.guess)
    seen = known * told / (known * told + (1 - known) * chance)
    return seen * (1 - by.forget) + (1 - seen) * by.learn


def rated(answers: Iterable[bool], rating: Rating, difficulty: Decimal = Decimal(0)) -> Iterator[Decimal]:
    """Yield the learner's rating after each answer to a task of this difficulty; a rating begins at 0.

    The difficulty stays as it is: one learner's answers must not move another's figure.
    """
    theta = Decimal(0)
    for count, is_right in enumerate(answers):
        with localcontext(EXACT):
            expected = 1 / (1 + (difficulty - theta).exp())
            theta += rating.a / (1 + rating.b * count) * (int(is_right) - expected)
        yield theta


class Answer(NamedTuple):
    """One piece of evidence as a model of progress sees it; `share` is that of the points that could be reached."""

    is_right: bool
    share: Decimal
    kind: str


def khan(answers: Iterable[Answer], checks: Checks) -> KhanState:
    """Return the state that the answers lead to by Khan Academy's table."""
    state: KhanState = "not_started"
    for one in answers:
        if one.kind in checks.checks:
            state = khan_after_mixed(state, one.is_right)
        else:
            state = khan_after_exercise(state, one.share)
    return state


def aleks(answers: Iterable[Answer], checks: Checks) -> Aleks:
    """Return the state that the answers lead to by the table of ALEKS."""
    state = Aleks()
    for one in answers:
        after = aleks_after_check if one.kind in checks.checks else aleks_after_answer
        state = after(state, one.is_right)
    return state


def figures(advisory: Advisory, answers: Iterable[Answer]) -> list[dict[str, str]]:
    """Return the figures that a rule asks for: the name, the value and what it means; none without an answer."""
    given = list(answers)
    if not given:
        return []
    told = [
        advisory.bkt and _bkt(advisory.bkt, given),
        advisory.elo and _elo(advisory.elo, given),
        advisory.khan and _khan(advisory.khan, given),
        advisory.aleks and _aleks(advisory.aleks, given),
    ]
    return [{"name": one[0], "value": one[1], "text": one[2]} for one in told if one]


def _bkt(tracing: Tracing, answers: list[Answer]) -> tuple[str, str, str]:
    *_, known = traced((one.is_right for one in answers), tracing)
    words = "learned" if known >= LEARNED_FROM else "still being learned"
    text = f"Bayesian knowledge tracing: known with probability {rounded_to(known, 2)}, {words} by that model."
    return "bkt", str(rounded_to(known, _PLACES)), text


def _elo(rating: Rating, answers: list[Answer]) -> tuple[str, str, str]:
    *_, theta = rated((one.is_right for one in answers), rating)
    text = f"Elo rating: {rounded_to(theta, 2)}, where 0 is even odds on a task of this competency."
    return "elo", str(rounded_to(theta, _PLACES)), text


def _khan(checks: Checks, answers: list[Answer]) -> tuple[str, str, str]:
    state = khan(answers, checks)
    words = state.replace("_", " ")
    return "khan", str(KHAN_POINTS[state]), f"By Khan Academy's table: {words}, {KHAN_POINTS[state]} of 100 points."


def _aleks(checks: Checks, answers: list[Answer]) -> tuple[str, str, str]:
    state = aleks(answers, checks)
    words = "mastered" if state.is_mastered else "learned" if state.is_learned else "being learned"
    return "aleks", str(state.points), f"By the table of ALEKS: {words}, {state.points} of {ALEKS_LEARNED} points."
