"""What differs between what holds and what a candidate would say: one learner's keys, purely, with what decides it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from projections.evidence.evidence import Evidence
from projections.mastery.laws import LearnerLaws
from projections.mastery.learner import judged_now
from projections.mastery.timeline import Judged, State, in_time

CHANGES: Final = ("gained", "lost", "changed_level", "unchanged")
"""gained and lost are about being proficient; `changed_level` is every other difference of status or level."""

Held: TypeAlias = Mapping[int, Sequence[Evidence]]
States: TypeAlias = dict[int, State]


class Side(NamedTuple):
    """One side of the comparison, as it is told: status, level, rounded value, and the rule's name."""

    status: str
    level: str | None
    value: str | None
    rule: str


class Decisive(NamedTuple):
    """The piece of evidence that a difference hangs on; `without` is the status on that side if it were not there."""

    statement_id: str
    position: int
    without: str


class Difference(NamedTuple):
    """One learner's competency, before and after; `decisive` is None where no single piece decides it."""

    learner: int
    competency: int
    change: str
    before: Side
    after: Side
    decisive: Decisive | None


def states_of(held: Held, laws: LearnerLaws, through: int) -> States:
    """Return what is known of a learner at a position: evidence, rules and overrides, and all that is rolled up."""
    own = {*held, *laws.overrides}
    own |= {above for one in list(own) for above in laws.rules.ancestors(one)}
    return {one: _state(one, held.get(one, ()), laws, through) for one in sorted(own)}


def _state(competency: int, evidence: Sequence[Evidence], laws: LearnerLaws, through: int) -> State:
    overridden = [one.override for one in laws.overrides.get(competency, ()) if one.position <= through]
    rule = laws.rules.at(competency, through)
    return State(sorted(evidence, key=in_time), rule=rule, override=overridden[-1] if overridden else None)


def differences(learner: int, before: States, after: States, compared: Iterable[int]) -> list[Difference]:
    """Return the difference of each of these competencies, those without one too."""
    return [_difference(learner, one, before, after) for one in compared]


def _difference(learner: int, competency: int, before: States, after: States) -> Difference:
    old, new = _told(competency, before), _told(competency, after)
    change = _change(old, new)
    decisive = None if change == "unchanged" else _decisive(competency, change, before, after)
    return Difference(learner, competency, change, old, new, decisive)


def _told(competency: int, states: States) -> Side:
    if competency not in states:
        return Side("no_evidence", None, None, "")
    judged = judged_now(competency, states)
    value = judged.outcome.rounded
    return Side(judged.status, judged.level, None if value is None else str(value), judged.version.name)


def _change(old: Side, new: Side) -> str:
    if (old.status == "proficient") != (new.status == "proficient"):
        return "gained" if new.status == "proficient" else "lost"
    return "unchanged" if (old.status, old.level) == (new.status, new.level) else "changed_level"


def _decisive(competency: int, change: str, before: States, after: States) -> Decisive | None:
    """Return the newest evidence without which the side that says more would not say it.

    What was gained hangs on evidence under the candidate, what was lost on evidence under what holds. Where several
    pieces would each do, the newest that only one of the sides counts is told.
    """
    sides = (before, after) if change == "lost" else (after, before)
    for states in sides:
        found = _hinge(competency, states)
        if found is not None:
            return found
    return _counted_once(competency, before, after)


def _hinge(competency: int, states: States) -> Decisive | None:
    state = states.get(competency)
    if state is None:
        return None
    whole = judged_now(competency, states)
    for one in reversed([one.evidence for one in whole.outcome.inputs]):
        less = judged_now(competency, {**states, competency: _without(state, one)})
        if (less.status, less.level) != (whole.status, whole.level):
            return Decisive(one.statement_id, one.position, less.status)
    return None


def _without(state: State, one: Evidence) -> State:
    kept = [other for other in state.evidence if other is not one]
    return State(kept, rule=state.rule, override=state.override)


def _counted_once(competency: int, before: States, after: States) -> Decisive | None:
    old, new = (_inputs(competency, states) for states in (before, after))
    for place in sorted(old.keys() ^ new.keys(), reverse=True):
        evidence, status = old.get(place) or new[place]
        return Decisive(evidence.statement_id, evidence.position, status)
    return None


def _inputs(competency: int, states: States) -> dict[Any, tuple[Evidence, str]]:
    if competency not in states:
        return {}
    judged: Judged = judged_now(competency, states)
    return {in_time(one.evidence): (one.evidence, judged.status) for one in judged.outcome.inputs}
