"""The smallest thing that is still missing: how much more, of what, at how many points, makes a learner proficient."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, Decimal
from itertools import chain, groupby, repeat
from typing import Final, NamedTuple, TypeAlias

from projections.evidence.documents import kind_words
from projections.evidence.evidence import KINDS, VALIDATED
from projections.mastery.decide import ChildStanding, Outcome, params_for
from projections.mastery.methods import METHODS, rounded
from projections.mastery.rules import INDEPENDENT_TASKS, CompiledRule

# Beyond so many further tries a next step names no number.
_MOST_STEPS: Final = 10

_HUNDREDTH: Final = Decimal("0.01")

Kinds: TypeAlias = tuple[str, ...]


class Step(NamedTuple):
    """New pieces of evidence that suffice, each a task of its own and each at `points` or above; 0 where any will do.

    `kinds` are those that each piece may have, piece by piece. The pieces together must show `contexts` and `scorers`
    that were not there before; `is_validated` asks for validated assessments. A parent's step names `children` that
    have to become proficient instead, by key.
    """

    points: Decimal | None
    kinds: tuple[Kinds, ...]
    contexts: int = 0
    scorers: int = 0
    is_validated: bool = False
    children: tuple[int, ...] = ()


def smallest_step(rule: CompiledRule, outcome: Outcome) -> Step | None:
    """Return the fewest new pieces, each at the fewest points, that make the learner proficient at this moment.

    None when nothing is missing, and when more than a handful of pieces would be.
    """
    if outcome.status == "proficient":
        return None
    if rule.is_roll_up:
        return _children_step(rule, outcome)
    contexts, scorers = _missing_places(rule, outcome)
    asked = _asked_kinds(rule, outcome)
    fewest = max(_missing(rule, outcome), contexts, scorers, len(asked), 1)
    for times in range(fewest, fewest + _MOST_STEPS):
        kinds = tuple(chain(asked, repeat(_heaviest(rule, rule.kind_names), times - len(asked))))
        points = _least_points(rule, outcome, kinds)
        if points is not None:
            return Step(points, kinds, contexts, scorers, bool(rule.flags_needed & VALIDATED))
    return None


def _missing(rule: CompiledRule, outcome: Outcome) -> int:
    tasks = len({one.evidence.task for one in outcome.inputs})
    return max(rule.min_evidence - len(outcome.inputs), rule.min_tasks - tasks)


def _missing_places(rule: CompiledRule, outcome: Outcome) -> tuple[int, int]:
    """Return how many contexts and scorers are missing."""
    if rule.needs is None:
        return 0, 0
    contexts = len({one.evidence.context for one in outcome.inputs} - {0})
    scorers = len({one.evidence.scorer for one in outcome.inputs} - {0})
    return max(rule.needs.contexts - contexts, 0), max(rule.needs.scorers - scorers, 0)


def _asked_kinds(rule: CompiledRule, outcome: Outcome) -> list[Kinds]:
    """Return the kinds that the rule's mix still asks for, one member for each piece."""
    asked: list[Kinds] = []
    for mix in rule.needs.mix if rule.needs is not None else ():
        have = sum(one.evidence.kind in mix.kinds for one in outcome.inputs)
        names = [KINDS[kind] for kind in sorted(mix.kinds)]
        asked += [_heaviest(rule, names)] * (mix.at_least - have)
    return asked


def _heaviest(rule: CompiledRule, names: Sequence[str]) -> Kinds:
    """Return the kinds among these that weigh most: what counts most takes the learner there soonest."""
    if rule.weights is None:
        return tuple(names)
    weights = {name: rule.weights.get(KINDS.index(name), 1) for name in names}
    return tuple(name for name in names if weights[name] == max(weights.values()))


def _least_points(rule: CompiledRule, outcome: Outcome, kinds: Sequence[Kinds]) -> Decimal | None:
    """Return the fewest points, in hundredths, that suffice when each new piece reaches them; None if none do."""
    suffices = _test_of(rule, outcome, [KINDS.index(one[0]) for one in kinds])
    if rule.method == "mode":
        return next(filter(suffices, _likely_modes(rule, outcome)), None)
    hundredths = range(int(rule.positive_only), int(rule.maximum * 100) + 1)
    place = bisect_right(hundredths, False, key=lambda points: suffices(Decimal(points).scaleb(-2)))
    return Decimal(hundredths[place]).scaleb(-2) if place < len(hundredths) else None


def _likely_modes(rule: CompiledRule, outcome: Outcome) -> list[Decimal]:
    """Return the fewest points of each sort that matter to a mode: as the cut, as a score that is there, or as none."""
    there = {rounded(one.points) for one in outcome.inputs if one.points is not None}
    beside = {points + _HUNDREDTH for points in there}
    return sorted(points for points in {Decimal(0), rule.cut} | there | beside if 0 <= points <= rule.maximum)


def _test_of(rule: CompiledRule, outcome: Outcome, kinds: Sequence[int]) -> Callable[[Decimal], bool]:
    """Return whether new pieces of these kinds suffice when each reaches some points."""
    known = [one for one in outcome.inputs if one.points is not None]
    scores = [one.points for one in known if one.points is not None]
    if rule.method == INDEPENDENT_TASKS:
        missing = rule.params.n - sum(score >= rule.shows_from for score in scores)
        return lambda points: points >= rule.shows_from and len(kinds) >= missing
    params = params_for(rule, [*(one.evidence.kind for one in known), *kinds])
    was_shown = rule.expiry is not None and any(score >= rule.shows_from for score in scores)

    def suffices(points: Decimal) -> bool:
        if was_shown and points < rule.shows_from and _is_expired(outcome):
            return False
        value = METHODS[rule.method]([*scores, *[points] * len(kinds)], params)
        return value is not None and value >= rule.shows_from

    return suffices


def _is_expired(outcome: Outcome) -> bool:
    return any(one.requirement == "fresh_evidence" for one in outcome.unmet)


def _children_step(rule: CompiledRule, outcome: Outcome) -> Step | None:
    """Return the fewest children that have to become proficient."""
    missing = [child for child in outcome.children if child.status != "proficient"]
    if rule.method != "points_children":
        return Step(None, (), children=tuple(child.competency for child in missing)) if missing else None
    have = sum(child.points for child in outcome.children if child.status == "proficient")
    needed = _worth_most(missing, (rule.roll_up.required_points if rule.roll_up else 0) - have)
    return Step(None, (), children=tuple(child.competency for child in needed)) if needed else None


def _worth_most(missing: Sequence[ChildStanding], points: int) -> list[ChildStanding]:
    """Return the required children and then as many others, those worth most first, as bring so many points."""
    chosen = [child for child in missing if child.required]
    others = sorted((child for child in missing if not child.required), key=lambda child: (-child.points, child[0]))
    for child in others:
        if sum(one.points for one in chosen) >= points:
            break
        chosen.append(child)
    return chosen if sum(one.points for one in chosen) >= points else []


def next_step(rule: CompiledRule, outcome: Outcome, name_of: Callable[[int], str] | None = None) -> str:
    """Return the smallest thing that is still missing, as one plain sentence; "" when nothing is.

    Doing exactly that, in new tasks, makes the learner proficient. `name_of` gives the name of a child by its key.
    """
    if outcome.status == "proficient":
        return ""
    step = smallest_step(rule, outcome)
    if step is not None:
        return _children_sentence(step, name_of) if rule.is_roll_up else _sentence(step)
    if rule.is_roll_up:
        return "No part of this competency can be shown yet."
    return f"Keep showing it: each {kind_words(rule.kind_names, many=False)} at {_hundredths(rule.cut)} or above helps."


def _children_sentence(step: Step, name_of: Callable[[int], str] | None) -> str:
    count = len(step.children)
    named = f": {', '.join(map(name_of, step.children))}" if name_of is not None else ""
    return f"Become proficient in {count} more of its parts{named}."


def _sentence(step: Step) -> str:
    times = len(step.kinds)
    work = " and ".join(_pieces(kinds, len(list(own))) for kinds, own in groupby(step.kinds))
    where = "".join(f", {words}" for words in _places(step))
    points = f"at {_hundredths(step.points)} or above" if step.points else ""
    if times == 1:
        comma = "," * bool(where)
        return f"Show it once more: one more {work}{where}{f'{comma} {points}' if points else ''}."
    return f"Show it {times} more times: {work}{where}, each a different task{f', each {points}' if points else ''}."


def _hundredths(points: Decimal | None) -> str:
    return str((points or Decimal(0)).quantize(_HUNDREDTH, ROUND_CEILING))


def _pieces(kinds: Kinds, count: int) -> str:
    return kind_words(kinds, many=False) if count == 1 else f"{count} more {kind_words(kinds, many=True)}"


def _places(step: Step) -> list[str]:
    """Return in which contexts, by whom and on what the new pieces must be scored."""
    words = []
    if step.contexts:
        words.append("in a context that is new" if step.contexts == 1 else f"in {step.contexts} contexts that are new")
    if step.scorers:
        words.append("scored by somebody new" if step.scorers == 1 else f"scored by {step.scorers} people who are new")
    if step.is_validated:
        words.append("in a validated assessment" if len(step.kinds) == 1 else "in validated assessments")
    return words
