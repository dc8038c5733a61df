"""The decisions of one learner over time: a pure fold of evidence, rules, overrides and roll-ups, without a database.

Whoever has a learner's changes of evidence, from the live tables, from an archive, or from a candidate's what-if, gets
the same decisions here. How positions are cut into batches, and whether a learner is folded alone, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import TypeAlias

from projections.mastery.laws import LearnerLaws, OverrideChange
from projections.mastery.outcome import ChildStanding
from projections.mastery.timeline import (
    NO_DIGEST,
    OVERRIDE,
    RULE,
    Change,
    Decision,
    Judged,
    RuleChange,
    State,
    child_standing,
    decided,
    judge,
)

Changes: TypeAlias = Mapping[int, Sequence[Change]]
States: TypeAlias = dict[int, State]
Event: TypeAlias = "Change | RuleChange | OverrideChange"
Events: TypeAlias = "dict[int, dict[int, list[Event]]]"
Parents: TypeAlias = Mapping[int, Sequence[int]]


def decisions_of(
    changes: Changes, laws: LearnerLaws, after: int, through: int, states: States | None = None
) -> list[tuple[int, Decision]]:
    """Return a learner's decisions at after < position <= through, each with the key of its competency.

    `changes` are the learner's changes of evidence by competency, each in the order of (cause, seq), none behind
    `through`. They begin at the start of the log and `states` is left out, or holds digests alone: those of the last
    decisions up to `after`. Or they begin behind `after`; then `states` holds what was known there of every competency
    concerned and of its family (`Rules.family`). States are moved on in place; call with one learner's at a time.

    One decision follows for each position that changed a competency's evidence, rule or override, and one for each
    parent whose rule rolls that up, children first. The order is by competency, or by family, and then by position.
    """
    states = {} if states is None else states
    rows: list[tuple[int, Decision]] = []
    for members in _families(changes, laws, states):
        rows += _family_decisions(members, changes, laws, (after, through), states)
    return rows


def _families(changes: Changes, laws: LearnerLaws, states: States) -> Iterator[list[int]]:
    """Yield the competencies of which anything is known, those that roll-ups tie to one another together."""
    rules = laws.rules
    done: set[int] = set()
    known = {**changes, **states, **laws.overrides}
    for competency in known:
        if competency in done:
            continue
        family = rules.family(competency)
        if len(family) == 1:
            yield [competency]
            continue
        own = [one for one in family if one in known]
        members = sorted({*own, *(above for one in own for above in rules.ancestors(one))})
        done.update(members)
        yield members


def _family_decisions(
    members: Sequence[int], changes: Changes, laws: LearnerLaws, span: tuple[int, int], states: States
) -> list[tuple[int, Decision]]:
    """Return the decisions of a family over a span; what begins or ends at or before it is only taken in."""
    after, through = span
    begun = _begun_at(members, changes, laws, after, states)
    for competency in members:
        _set_laws(states.setdefault(competency, State()), competency, laws, begun)
    rows: list[tuple[int, Decision]] = []
    for position, own in sorted(_events(members, changes, laws, (begun, through)).items()):
        causes: dict[int, int] = {}
        for competency, events in own.items():
            cause = _applied(states[competency], events)
            if cause != RULE or _is_begun(competency, states):
                causes[competency] = cause
        if position > after:
            order = causes if len(members) == 1 else _with_parents(causes, _parents(members, states), states)
            rows += [(one, decided(states[one], judged_now(one, states), position, causes[one])) for one in order]
    return rows


def _begun_at(members: Sequence[int], changes: Changes, laws: LearnerLaws, after: int, states: States) -> int:
    """Return from where on events can bring about decisions: what rules those of whom nothing is known moves nobody."""
    if any(one in states for one in members):
        return after
    first = [changes[one][0].cause for one in members if changes.get(one)]
    first += [laws.overrides[one][0].position for one in members if laws.overrides.get(one)]
    return max(after, min(first) - 1) if first else after


def _events(members: Sequence[int], changes: Changes, laws: LearnerLaws, span: tuple[int, int]) -> Events:
    """Return what happens to the members by position and competency, the laws before the evidence."""
    after, through = span
    events: Events = {}
    for competency in members:
        told: Iterable[RuleChange | OverrideChange] = (*laws.rules.of(competency), *laws.overrides.get(competency, ()))
        for law in told:
            if after < law.position <= through:
                events.setdefault(law.position, {}).setdefault(competency, []).append(law)
        for change in changes.get(competency, ()):
            known = events.get(change[0])
            if known is None:
                events[change[0]] = {competency: [change]}
            else:
                known.setdefault(competency, []).append(change)
    return events


def _set_laws(state: State, competency: int, laws: LearnerLaws, position: int) -> None:
    """Let a state know what is in force at a position."""
    rule = laws.rules.at(competency, position)
    held = [one.override for one in laws.overrides.get(competency, ()) if one.position <= position]
    override = held[-1] if held else None
    if state.rule is not rule or state.override is not override:
        state.rule, state.override, state.judged = rule, override, None


def _applied(state: State, events: Iterable[Event]) -> int:
    """Let what happens to a competency at one position happen; return the number of the cause that it is.

    Evidence says more of the cause than the act that moved it.
    """
    cause, by_law = -1, RULE
    for event in events:
        if type(event) is Change:
            found = state.apply(event)
            cause = max(cause, found)
        elif type(event) is RuleChange:
            state.rule, state.judged = event, None
        elif type(event) is OverrideChange:
            state.override, state.judged = event.override, None
            by_law = OVERRIDE
    return by_law if cause < 0 else cause


def _is_begun(competency: int, states: States) -> bool:
    """Tell whether anything is known, or was ever decided, of a competency or of what it rolls up."""
    state = states.get(competency)
    if state is None:
        return False
    if state.evidence or state.override is not None or state.digest != NO_DIGEST:
        return True
    return any(_is_begun(child, states) for child in state.rule.children)


def _parents(members: Sequence[int], states: States) -> Parents:
    """Return, for each child, the members whose rule rolls it up now."""
    parents: dict[int, list[int]] = {}
    for competency in members:
        for child in states[competency].rule.children:
            parents.setdefault(child, []).append(competency)
    return parents


def _with_parents(causes: dict[int, int], parents: Parents, states: States) -> Iterable[int]:
    """Add what is rolled up from these competencies, with the causes of its children; return all, children first."""
    todo = list(causes)
    while todo:
        child = todo.pop()
        for parent in parents.get(child, ()):
            states[parent].judged = None
            if causes.get(parent, -1) < causes[child]:
                causes[parent] = causes[child]
                todo.append(parent)
    graph = {one: [child for child in states[one].rule.children if child in causes] for one in sorted(causes)}
    return TopologicalSorter(graph).static_order()


def judged_now(competency: int, states: Mapping[int, State], as_of: int | None = None) -> Judged:
    """Return what is to be told of a competency, and of all that it rolls up, by what is known now.

    `as_of` is a moment in microseconds, for a reader; None is how decisions are stored (see `judge`).
    """
    state = states[competency]
    if as_of is None and state.judged is not None:
        return state.judged
    children = state.rule.children
    judged = judge(state, [_standing(child, states, as_of) for child in children] if children else (), as_of)
    if as_of is None:
        state.judged = judged
    return judged


def _standing(competency: int, states: Mapping[int, State], as_of: int | None) -> ChildStanding:
    if not _is_shown(competency, states):
        return ChildStanding(competency, "no_evidence")
    return child_standing(competency, states[competency], judged_now(competency, states, as_of))


def _is_shown(competency: int, states: Mapping[int, State]) -> bool:
    """Tell whether any evidence or override holds, of a competency or of what it rolls up.

    A child of which nothing holds is told to its parent in one way, whether it was ever heard of or not.
    """
    state = states.get(competency)
    if state is None:
        return False
    return bool(state.evidence) or state.override is not None or any(_is_shown(c, states) for c in state.rule.children)
