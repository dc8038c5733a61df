"""The decision: evidence and one rule in, a status out, with everything that proves it.

Pure: no clock, no hidden default. Evidence is ordered by (timestamp, statement id), so any order of arrival ends in
the same outcome. A missing score is not a zero, too little evidence is not a failure, and what is compared with the
cut is the value as people see it, half-up to two places.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from operator import attrgetter, itemgetter
from typing import Final, Literal, NamedTuple, TypeAlias, cast

from projections.evidence.documents import kind_words
from projections.evidence.evidence import Evidence
from projections.mastery.methods import BELOW, COUNTS, EXACT, METHODS, rounded, weights
from projections.mastery.rules import INDEPENDENT_TASKS, CompiledRule

Status: TypeAlias = Literal["no_evidence", "insufficient_evidence", "not_yet", "proficient"]
Points: TypeAlias = "Decimal | None"

# Beyond so many further tries a next step names no number.
_MOST_STEPS: Final = 10

_by_time: Final = itemgetter(Evidence._fields.index("timestamp"), Evidence._fields.index("statement_id"))
_by_revision: Final = attrgetter("revision", "timestamp", "statement_id")
_divide: Final = EXACT.divide


class Input(NamedTuple):
    """One piece of evidence that was used; no points is a task that was marked as not passed, without a score."""

    evidence: Evidence
    points: Decimal | None
    weight: str


# The constructor of a named tuple is a Python function; here it would take a fifth of the time of a decision.
_input: Final = cast("Callable[[tuple[Evidence, Decimal | None, str]], Input]", partial(tuple.__new__, Input))


class Unmet(NamedTuple):
    """One requirement that is not met; min_evidence, min_tasks, tasks_at_cut, scores_at_cut or value_at_cut."""

    requirement: str
    have: str
    need: str


class Outcome(NamedTuple):
    """What a rule says of some evidence: inputs oldest first, and each piece that was left out with the reason.

    `raw` and `rounded` are the method's value, or under independent_tasks the points of the task whose level is
    shown; None where nothing could be computed.
    """

    status: Status
    level: str | None
    raw: Decimal | None
    rounded: Decimal | None
    inputs: tuple[Input, ...]
    excluded: tuple[tuple[Evidence, str], ...]
    unmet: tuple[Unmet, ...]


Counted: TypeAlias = list[tuple[Evidence, Points]]
Excluded: TypeAlias = list[tuple[Evidence, str]]


def decide(rule: CompiledRule, evidence: Iterable[Evidence]) -> Outcome:
    """Return what the rule says of the evidence of one learner and one competency, in whatever order it comes."""
    return decide_in_order(rule, sorted(evidence, key=_by_time))


def decide_in_order(rule: CompiledRule, evidence: Sequence[Evidence]) -> Outcome:
    """Return the same as `decide` for evidence that is sorted by (timestamp, statement_id) already."""
    excluded: Excluded = []
    counted = _current(rule, _counted(rule, evidence, excluded), excluded)
    if len(counted) < rule.min_evidence or _tasks(rule, counted) < rule.min_tasks:
        return _insufficient(rule, counted, excluded)
    if rule.method == INDEPENDENT_TASKS:
        return _by_tasks(rule, counted, excluded)
    return _by_value(rule, counted, excluded)


def _counted(rule: CompiledRule, evidence: Sequence[Evidence], excluded: Excluded) -> Counted:
    """Return the evidence that counts, with its points; name the reason for what does not."""
    kinds, numerator, denominator = rule.kinds, rule.maximum_num, rule.maximum_den
    seen: set[int] = set()
    counted: Counted = []
    points: Points
    for one in evidence:
        _, _, _, kind, _, _, score_num, score_den, success, fingerprint, _ = one
        if fingerprint in seen:
            excluded.append((one, "duplicate"))
            continue
        seen.add(fingerprint)
        if kind not in kinds:
            excluded.append((one, "kind_not_counted"))
        elif score_num is not None and score_den is not None:
            points = _divide(score_num * numerator, score_den * denominator)
            if rule.positive_only and points <= 0:
                excluded.append((one, "zero_score"))
            else:
                counted.append((one, points))
        elif success is None or rule.success_points is None or not (success or rule.method == INDEPENDENT_TASKS):
            excluded.append((one, "no_score"))
        else:
            counted.append((one, rule.success_points if success else None))
    return counted


def _current(rule: CompiledRule, counted: Counted, excluded: Excluded) -> Counted:
    """Return one try per task as the rule's revisions say; under append, all of them."""
    if rule.revisions == "append" or len({one.task for one, _ in counted}) == len(counted):
        return counted
    reason = "superseded_by_revision" if rule.revisions == "replace" else "not_the_best_revision"
    current: dict[int, tuple[Evidence, Points]] = {}
    for one in counted:
        earlier = current.pop(one[0].task, None)
        if earlier is None or _stands(rule, one, earlier):
            current[one[0].task] = one
            dropped = earlier
        else:
            current[one[0].task] = earlier
            dropped = one
        if dropped is not None:
            excluded.append((dropped[0], reason))
    return sorted(current.values(), key=lambda pair: _by_time(pair[0]))


def _stands(rule: CompiledRule, one: tuple[Evidence, Points], other: tuple[Evidence, Points]) -> bool:
    """Tell whether the first of two tries at one task is the one that counts."""
    if rule.revisions == "best" and one[1] != other[1]:
        return other[1] is None or (one[1] is not None and one[1] > other[1])
    return bool(_by_revision(one[0]) > _by_revision(other[0]))


def _tasks(rule: CompiledRule, counted: Counted) -> int:
    return len({one.task for one, _ in counted}) if rule.revisions == "append" else len(counted)


def _inputs(used: Iterable[tuple[Evidence, Points, str]]) -> tuple[Input, ...]:
    return tuple(map(_input, used))


def _insufficient(rule: CompiledRule, counted: Counted, excluded: Excluded) -> Outcome:
    unmet = []
    if len(counted) < rule.min_evidence:
        unmet.append(Unmet("min_evidence", str(len(counted)), str(rule.min_evidence)))
    if _tasks(rule, counted) < rule.min_tasks:
        unmet.append(Unmet("min_tasks", str(_tasks(rule, counted)), str(rule.min_tasks)))
    inputs = _inputs([(one, points, COUNTS) for one, points in counted])
    status: Status = "insufficient_evidence" if counted else "no_evidence"
    return Outcome(status, None, None, None, inputs, tuple(excluded), tuple(unmet))


def _by_tasks(rule: CompiledRule, counted: Counted, excluded: Excluded) -> Outcome:
    least = rule.shows_from
    scores = [points for _, points in counted if points is not None]
    at_cut = [points for points in scores if points >= least]
    inputs = _inputs([(one, points, BELOW if points is None or points < least else COUNTS) for one, points in counted])
    if len(at_cut) >= rule.params.n:
        return _proficient(rule, at_cut[-1], inputs, excluded)
    unmet = Unmet("tasks_at_cut", str(len(at_cut)), str(rule.params.n))
    return _not_yet(rule, scores[-1] if scores else None, inputs, excluded, unmet)


def _by_value(rule: CompiledRule, counted: Counted, excluded: Excluded) -> Outcome:
    scores = [points for _, points in counted if points is not None]
    raw = METHODS[rule.method](scores, rule.params)
    weighted = weights(rule.method, scores, rule.params)
    inputs = _inputs([(one, points, weight) for (one, points), weight in zip(counted, weighted, strict=True)])
    if raw is None:
        at_cut = sum(score >= rule.cut for score in scores)
        return _not_yet(rule, raw, inputs, excluded, Unmet("scores_at_cut", str(at_cut), str(rule.params.n)))
    if raw >= rule.shows_from:
        return _proficient(rule, raw, inputs, excluded)
    return _not_yet(rule, raw, inputs, excluded, Unmet("value_at_cut", str(rounded(raw)), str(rounded(rule.cut))))


def _proficient(rule: CompiledRule, raw: Decimal, inputs: tuple[Input, ...], excluded: Excluded) -> Outcome:
    value = rounded(raw)
    level = rule.names[max(bisect_right(rule.minima, value) - 1, rule.proficient)]
    return Outcome("proficient", level, raw, value, inputs, tuple(excluded), ())


def _not_yet(rule: CompiledRule, raw: Points, inputs: tuple[Input, ...], excluded: Excluded, unmet: Unmet) -> Outcome:
    if raw is None:
        return Outcome("not_yet", None, None, None, inputs, tuple(excluded), (unmet,))
    value = rounded(raw)
    level = rule.names[min(max(bisect_right(rule.minima, value) - 1, 0), rule.proficient - 1)]
    return Outcome("not_yet", level, raw, value, inputs, tuple(excluded), (unmet,))


def next_step(rule: CompiledRule, outcome: Outcome) -> str:
    """Return the smallest thing that is still missing, as one plain sentence; "" when nothing is.

    Doing exactly that, in new tasks, makes the learner proficient.
    """
    if outcome.status == "proficient":
        return ""
    missing = _missing(rule, outcome)
    for times in range(missing, missing + _MOST_STEPS):
        least = _least_points(rule, outcome, times)
        if least is not None:
            return _step(rule, times, least)
    return f"Keep showing it: each {kind_words(rule.kind_names, many=False)} at {rounded(rule.cut)} or above helps."


def _missing(rule: CompiledRule, outcome: Outcome) -> int:
    tasks = len({one.evidence.task for one in outcome.inputs})
    return max(rule.min_evidence - len(outcome.inputs), rule.min_tasks - tasks, 1)


def _least_points(rule: CompiledRule, outcome: Outcome, times: int) -> Decimal | None:
    """Return the fewest points, in hundredths, that suffice when reached so many times more; None if none do."""
    scores = [one.points for one in outcome.inputs if one.points is not None]
    candidates = [Decimal(hundredths) / 100 for hundredths in range(1, int(rule.maximum * 100) + 1)]
    place = bisect_right(candidates, False, key=lambda points: _suffices(rule, [*scores, *[points] * times]))
    return candidates[place] if place < len(candidates) else None


def _suffices(rule: CompiledRule, scores: Sequence[Decimal]) -> bool:
    if rule.method == INDEPENDENT_TASKS:
        return sum(score >= rule.shows_from for score in scores) >= rule.params.n
    value = METHODS[rule.method](scores, rule.params)
    return value is not None and value >= rule.shows_from


def _step(rule: CompiledRule, times: int, points: Decimal) -> str:
    work = kind_words(rule.kind_names, many=times > 1)
    if times == 1:
        return f"Show it once more: one more {work} at {points:.2f} or above."
    return f"Show it {times} more times: {times} more {work}, each a different task, each at {points:.2f} or above."
