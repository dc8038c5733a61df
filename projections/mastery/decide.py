"""The decision: evidence and one rule in, a status out, with everything that proves it.

Pure: no clock, no hidden default. Evidence is ordered by (timestamp, statement id), so any order of arrival ends in
the same outcome. A missing score is not a zero, too little evidence is not a failure, and what is compared with the
cut is the value as people see it, half-up to two places, unless the rule says otherwise.

Each piece of evidence is read under the rule by itself; then it is decided on what was read. Whoever decides on growing
evidence keeps what was read (`Read`), so that each piece is read once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from operator import itemgetter
from typing import Final, NamedTuple, cast

from lrs.xapi.values import iso
from projections.evidence.documents import kind_words
from projections.evidence.evidence import EXCUSED, KINDS, VALIDATED, Evidence
from projections.mastery.methods import BELOW, COUNTS, EXACT, METHODS, Params, rounded, weights
from projections.mastery.outcome import ChildStanding as ChildStanding
from projections.mastery.outcome import Excluded, Input, Points, not_yet, proficient
from projections.mastery.outcome import Outcome as Outcome
from projections.mastery.outcome import Status as Status
from projections.mastery.outcome import Unmet as Unmet
from projections.mastery.roll_up import by_children
from projections.mastery.rules import INDEPENDENT_TASKS, WORK_HABIT, CompiledRule
from projections.mastery.tries import current

_WORK_HABIT: Final = KINDS.index(WORK_HABIT)

_by_time: Final = itemgetter(*map(Evidence._fields.index, ("timestamp", "statement_id", "criterion")))
_divide: Final = EXACT.divide


class Piece(NamedTuple):
    """One piece of evidence as a rule reads it: its points, or the `reason` why it does not count ("" if it does).

    `used` is what an outcome tells of it; its weight is COUNTS or BELOW the cut, whatever the method.
    """

    evidence: Evidence
    points: Decimal | None
    reason: str
    task: int
    fingerprint: int
    used: Input


# The constructor of a named tuple is a Python function; here it would take a fifth of the time of a decision.
_input: Final = cast("Callable[[tuple[Evidence, Decimal | None, str]], Input]", partial(tuple.__new__, Input))
_piece: Final = cast(
    "Callable[[tuple[Evidence, Decimal | None, str, int, int, Input]], Piece]", partial(tuple.__new__, Piece)
)


def decide(
    rule: CompiledRule,
    evidence: Iterable[Evidence],
    as_of: int | None = None,
    children: Sequence[ChildStanding] = (),
) -> Outcome:
    """Return what the rule says of the evidence of one learner and one competency, in whatever order it comes.

    Windows and expiry are reckoned at `as_of`, in microseconds; None stands for the newest piece of evidence that
    counts. A rule that rolls up (`rule.is_roll_up`) looks at `children` alone, every other at the evidence alone.
    """
    return decide_in_order(rule, sorted(evidence, key=_by_time), as_of, children)


def decide_in_order(
    rule: CompiledRule,
    evidence: Sequence[Evidence],
    as_of: int | None = None,
    children: Sequence[ChildStanding] = (),
) -> Outcome:
    """Return the same as `decide` for evidence that is sorted by (timestamp, statement_id, criterion) already."""
    if rule.is_roll_up:
        return by_children(rule, children)
    read = Read(rule)
    read.add(evidence)
    return decide_read(read, as_of)


def pieces_of(rule: CompiledRule, evidence: Iterable[Evidence]) -> list[Piece]:
    """Return each piece of evidence as the rule reads it, in the same order; what it says depends on no other piece."""
    kinds, numerator, denominator, least = rule.kinds, rule.maximum_num, rule.maximum_den, rule.shows_from
    is_by_tasks, read, needed = rule.method == INDEPENDENT_TASKS, rule.flags_read, rule.flags_needed
    pieces: list[Piece] = []
    for one in evidence:
        _, _, _, kind, task, _, score_num, score_den, success, fingerprint, flags, _, _, _, _ = one
        points: Points = None
        reason = ""
        if (flags ^ needed) & read:
            reason = _reason_of(flags, needed)
        elif kind not in kinds:
            reason = "behaviour" if kind == _WORK_HABIT else "kind_not_counted"
        elif score_num is not None and score_den is not None:
            points = _points(score_num, score_den, numerator, denominator)
            if rule.positive_only and points <= 0:
                reason = "zero_score"
        elif success is None or rule.success_points is None or not (success or is_by_tasks):
            reason = "no_score"
        elif success:
            points = rule.success_points
        used = _input((one, points, BELOW if points is None or points < least else COUNTS))
        pieces.append(_piece((one, points, reason, task, fingerprint, used)))
    return pieces


@lru_cache(maxsize=65_536)
def _points(score_num: int, score_den: int, numerator: int, denominator: int) -> Decimal:
    return _divide(Decimal(score_num * numerator), Decimal(score_den * denominator))


def _reason_of(flags: int, needed: int) -> str:
    if flags & EXCUSED:
        return "excused"
    return "unvalidated" if needed & VALIDATED and not flags & VALIDATED else "outside_district"


class Read:
    """The evidence of one learner and one competency as a rule has read it, in order; it grows at its end alone.

    `duplicates` and `left_out` do not count, for the reason that stands with each; `counted` do, `inputs` and `shown`
    are what independent_tasks makes of them: what an outcome tells, and the points of those at the cut.
    """

    __slots__ = ("_seen", "_tasks", "counted", "duplicates", "inputs", "left_out", "rule", "shown", "size")

    def __init__(self, rule: CompiledRule) -> None:
        self.rule = rule
        self.size = 0
        self.duplicates: Excluded = []
        self.left_out: Excluded = []
        self.counted: list[Piece] = []
        self.inputs: list[Input] = []
        self.shown: list[Points] = []
        self._seen: set[int] = set()
        self._tasks: set[int] = set()

    def add(self, evidence: Iterable[Evidence]) -> None:
        """Read evidence that is sorted by (timestamp, statement_id, criterion), all of it behind what was read."""
        for piece in pieces_of(self.rule, evidence):
            one, points, reason, task, fingerprint, used = piece
            self.size += 1
            if fingerprint in self._seen:
                self.duplicates.append((one, "duplicate"))
                continue
            self._seen.add(fingerprint)
            if reason:
                self.left_out.append((one, reason))
                continue
            self._tasks.add(task)
            self.counted.append(piece)
            self.inputs.append(used)
            if used[2] == COUNTS:
                self.shown.append(points)

    @property
    def tasks(self) -> int:
        """How many different tasks count."""
        return len(self._tasks)


def decide_read(read: Read, as_of: int | None = None) -> Outcome:
    """Return what a rule says of the evidence that it has read; nothing of what was read changes."""
    rule, counted, tasks = read.rule, read.counted, read.tasks
    excluded = read.duplicates + read.left_out
    if rule.uses_time:
        return _in_time(rule, counted, excluded, as_of)
    if tasks < len(counted) or rule.tries.most:
        return _decided(rule, _current(rule, counted, excluded), tasks, excluded)
    if rule.method != INDEPENDENT_TASKS or rule.needs is not None or not _is_enough(rule, len(counted), tasks):
        return _decided(rule, counted, tasks, excluded)
    return _by_tasks(rule, tuple(read.inputs), read.shown, excluded)


def _current(rule: CompiledRule, counted: list[Piece], excluded: Excluded) -> list[Piece]:
    """Return the tries that count, by the rule's revisions and attempts; name the reason for the others."""
    kept, dropped = current(rule.tries, counted)
    excluded += [(piece.evidence, reason) for piece, reason in dropped]
    return kept


def _decided(rule: CompiledRule, counted: list[Piece], tasks: int, excluded: Excluded) -> Outcome:
    if not _is_enough(rule, len(counted), tasks) or _unmet_needs(rule, counted):
        return _insufficient(rule, counted, tasks, excluded)
    if rule.method != INDEPENDENT_TASKS:
        return _by_value(rule, counted, excluded)
    inputs = tuple([piece[5] for piece in counted])
    return _by_tasks(rule, inputs, [one[1] for one in inputs if one[2] == COUNTS], excluded)


def _is_enough(rule: CompiledRule, pieces: int, tasks: int) -> bool:
    return pieces >= rule.min_evidence and tasks >= rule.min_tasks


def _in_time(rule: CompiledRule, counted: list[Piece], excluded: Excluded, as_of: int | None) -> Outcome:
    """Return the outcome under a rule with a window or an expiry, and when it lapses."""
    moment = as_of if as_of is not None else max((piece.evidence[2] for piece in counted), default=0)
    fresh = counted
    if rule.window is not None:
        fresh = [piece for piece in counted if moment < piece.evidence[2] + rule.window]
        excluded += [
            (piece.evidence, "outside_window") for piece in counted if moment >= piece.evidence[2] + rule.window
        ]
    kept = _current(rule, fresh, excluded)
    outcome = _decided(rule, kept, len({piece.task for piece in kept}), excluded)
    if counted and outcome.status == "no_evidence":
        outcome = outcome._replace(status="insufficient_evidence")
    ends = [piece.evidence[2] + rule.window for piece in fresh] if rule.window is not None else []
    if rule.expiry is None or outcome.status != "proficient":
        return outcome._replace(lapses=min(ends, default=None))
    expires = _shown_last(rule, outcome) + rule.expiry
    return _expired(outcome, expires) if moment >= expires else outcome._replace(lapses=min([*ends, expires]))


def _shown_last(rule: CompiledRule, outcome: Outcome) -> int:
    """Return when mastery was shown last: the newest piece at the cut, or the newest at all where none is."""
    shown = [one.evidence[2] for one in outcome.inputs if one.points is not None and one.points >= rule.shows_from]
    return max(shown or [one.evidence[2] for one in outcome.inputs])


def _expired(outcome: Outcome, expired: int) -> Outcome:
    unmet = Unmet("fresh_evidence", "0", f"1 after {iso(expired)[:10]}")
    return outcome._replace(status="insufficient_evidence", level=None, raw=None, rounded=None, unmet=(unmet,))


def _inputs(used: Iterable[tuple[Evidence, Points, str]]) -> tuple[Input, ...]:
    return tuple(map(_input, used))


def _unmet_needs(rule: CompiledRule, counted: Sequence[Piece]) -> list[Unmet]:
    """Return which of the rarer needs are not met: contexts, scorers, pieces of some kinds; 0 is an unknown one."""
    if rule.needs is None:
        return []
    contexts = len({piece.evidence.context for piece in counted} - {0})
    scorers = len({piece.evidence.scorer for piece in counted} - {0})
    found = [("min_contexts", contexts, rule.needs.contexts), ("min_scorers", scorers, rule.needs.scorers)]
    unmet = [Unmet(name, str(have), str(need)) for name, have, need in found if have < need]
    for mix in rule.needs.mix:
        have = sum(piece.evidence.kind in mix.kinds for piece in counted)
        if have < mix.at_least:
            words = kind_words((KINDS[kind] for kind in mix.kinds), many=mix.at_least > 1)
            unmet.append(Unmet("min_of_kinds", str(have), f"{mix.at_least} {words}"))
    return unmet


def _insufficient(rule: CompiledRule, counted: list[Piece], tasks: int, excluded: Excluded) -> Outcome:
    unmet = []
    if len(counted) < rule.min_evidence:
        unmet.append(Unmet("min_evidence", str(len(counted)), str(rule.min_evidence)))
    if tasks < rule.min_tasks:
        unmet.append(Unmet("min_tasks", str(tasks), str(rule.min_tasks)))
    unmet += _unmet_needs(rule, counted)
    inputs = _inputs([(piece[0], piece[1], COUNTS) for piece in counted])
    status: Status = "insufficient_evidence" if counted else "no_evidence"
    return Outcome(status, None, None, None, inputs, tuple(excluded), tuple(unmet))


def _by_tasks(rule: CompiledRule, inputs: tuple[Input, ...], at_cut: Sequence[Points], excluded: Excluded) -> Outcome:
    if len(at_cut) >= rule.params.n:
        return proficient(rule, at_cut[-1], inputs, excluded)
    scores = (one[1] for one in reversed(inputs) if one[1] is not None)
    return not_yet(rule, next(scores, None), inputs, excluded, _unmet_tasks(len(at_cut), rule.params.n))


@lru_cache(maxsize=256)
def _unmet_tasks(have: int, need: int) -> Unmet:
    return Unmet("tasks_at_cut", str(have), str(need))


def _by_value(rule: CompiledRule, counted: list[Piece], excluded: Excluded) -> Outcome:
    scores = [piece.points for piece in counted if piece.points is not None]
    params = params_for(rule, [piece.evidence.kind for piece in counted])
    raw = METHODS[rule.method](scores, params)
    weighted = weights(rule.method, scores, params)
    inputs = _inputs([(piece[0], piece[1], weight) for piece, weight in zip(counted, weighted, strict=True)])
    if raw is None:
        at_cut = sum(score >= rule.shows_from for score in scores)
        return not_yet(rule, raw, inputs, excluded, Unmet("scores_at_cut", str(at_cut), str(rule.params.n)))
    if raw >= rule.shows_from:
        return proficient(rule, raw, inputs, excluded)
    return not_yet(rule, raw, inputs, excluded, _unmet_value(rule, raw))


def params_for(rule: CompiledRule, kinds: Sequence[int]) -> Params:
    """Return the parameters of a rule's method for scores from evidence of these kinds, in order."""
    if rule.weights is None:
        return rule.params
    return rule.params._replace(shares=tuple(rule.weights.get(kind, 1) for kind in kinds))


def _unmet_value(rule: CompiledRule, raw: Decimal) -> Unmet:
    shown = rounded(raw) if rule.shows_from < rule.cut else raw
    return Unmet("value_at_cut", str(shown), str(rounded(rule.cut)))
