"""What a decision says: its parts as values, and how a value becomes a level on a rule's scale."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Final, Literal, NamedTuple, TypeAlias, cast

from projections.evidence.evidence import Evidence
from projections.mastery.methods import rounded
from projections.mastery.rules import CompiledRule

Status: TypeAlias = Literal["no_evidence", "insufficient_evidence", "not_yet", "proficient"]
Points: TypeAlias = "Decimal | None"
Excluded: TypeAlias = list[tuple[Evidence, str]]


class Input(NamedTuple):
    """One piece of evidence that was used; no points is a task that was marked as not passed, without a score."""

    evidence: Evidence
    points: Decimal | None
    weight: str


class ChildStanding(NamedTuple):
    """Where a learner stands in one child of a competency, at the moment of the parent's decision.

    `place` is that of the level on the child's own scale, `value` the rounded value there, of at most `maximum`.
    `timestamp` is that of the child's newest evidence, `lapses` as in its outcome. `points` and `required` are the
    terms of the parent's rule: whoever reads the standings leaves them out, and `decide` fills them in.
    """

    competency: int
    status: Status
    place: int | None = None
    value: Decimal | None = None
    maximum: Decimal | None = None
    timestamp: int = 0
    lapses: int | None = None
    points: int = 0
    required: bool = False


class Unmet(NamedTuple):
    """One requirement that is not met, what there is and what is needed; the names are those of UNMET_WORDS."""

    requirement: str
    have: str
    need: str


class Outcome(NamedTuple):
    """What a rule says of some evidence: inputs oldest first, and each piece that was left out with the reason.

    `raw` and `rounded` are the method's value, or under independent_tasks the points of the task whose level is
    shown; None where nothing could be computed. `lapses` is the earliest moment, in microseconds, at which time alone
    would change any of this; None: never. `children` are those that a parent's decision was made of.
    """

    status: Status
    level: str | None
    raw: Decimal | None
    rounded: Decimal | None
    inputs: tuple[Input, ...]
    excluded: tuple[tuple[Evidence, str], ...]
    unmet: tuple[Unmet, ...]
    lapses: int | None = None
    children: tuple[ChildStanding, ...] = ()


# The constructor of a named tuple is a Python function; here it would take a tenth of the time of a decision.
_outcome: Final = cast("Callable[[tuple[object, ...]], Outcome]", partial(tuple.__new__, Outcome))


def proficient(rule: CompiledRule, raw: Points, inputs: tuple[Input, ...], excluded: Excluded) -> Outcome:
    if raw is None:
        return _outcome(("proficient", rule.names[rule.proficient], None, None, inputs, tuple(excluded), (), None, ()))
    value = rounded(raw)
    level = rule.names[max(bisect_right(rule.minima, value) - 1, rule.proficient)]
    return _outcome(("proficient", level, raw, value, inputs, tuple(excluded), (), None, ()))


def not_yet(rule: CompiledRule, raw: Points, inputs: tuple[Input, ...], excluded: Excluded, unmet: Unmet) -> Outcome:
    if raw is None:
        return _outcome(("not_yet", None, None, None, inputs, tuple(excluded), (unmet,), None, ()))
    value = rounded(raw)
    level = rule.names[min(max(bisect_right(rule.minima, value) - 1, 0), rule.proficient - 1)]
    return _outcome(("not_yet", level, raw, value, inputs, tuple(excluded), (unmet,), None, ()))
