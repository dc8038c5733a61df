"""The answers of credit policies for one learner over time: a pure fold of standings, tasks and changes of policy.

An answer is written when it differs from the policy's answer before: in outcome, in a leaf, or in the version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from lrs.xapi.values import key64
from projections.credit.eligibility import Eligibility, Facts, Standing, TaskFact, eligibility
from projections.credit.policies import AllOf, AnyOf, EvidenceOf, Policy, Requirement
from projections.evidence.evidence import KINDS
from projections.registry import Acts

OUTCOMES: Final = ("not_yet", "eligible")
NO_DIGEST: Final = bytes(32)


class Stood(NamedTuple):
    """A mastery decision as credit sees it: from a position on, a learner stands so in a competency."""

    position: int
    competency: int
    standing: Standing


class Did(NamedTuple):
    """Work as credit sees it: from a position on it holds (+1), or no longer does (-1)."""

    position: int
    change: int
    statement: int
    competency: int
    kind: int
    task: int
    order: tuple[int, int, str]
    score_num: int | None
    score_den: int | None


class Answer(NamedTuple):
    """One answer without its build and learner, in the order of the table's columns."""

    policy: int
    position: int
    outcome: int
    published: int
    leaves: bytes
    digest: bytes


class Policies(NamedTuple):
    """The policies that hold from a position on, and what they look at."""

    position: int
    held: tuple[tuple[int, int, Policy], ...]
    framework_competencies: Mapping[str, tuple[str, ...]]
    names: Mapping[int, str]
    kinds: frozenset[int]


@dataclass(slots=True)
class State:
    """What is known of one learner: standings, the work that holds, and each policy's last answer."""

    standings: dict[int, Standing] = field(default_factory=dict)
    work: dict[tuple[int, int], Did] = field(default_factory=dict)
    last: dict[int, tuple[int, bytes, bytes]] = field(default_factory=dict)

    def apply(self, event: Stood | Did) -> bool:
        """Take an event in; return whether it can matter to any policy."""
        if isinstance(event, Stood):
            before = self.standings.get(event.competency)
            self.standings[event.competency] = event.standing
            return before != event.standing
        if event.change > 0:
            self.work[event.statement, event.competency] = event
        else:
            self.work.pop((event.statement, event.competency), None)
        return True


def policies_of(position: int, acts: Acts) -> Policies:
    """Return the policies that hold and what they look at."""
    held = tuple((key64("policy", act.document.id), act.position, act.document) for act in acts.policies)
    members: dict[str, list[str]] = {}
    for iri, known in acts.competencies.items():
        members.setdefault(known.framework.document.uri, []).append(iri)
    kinds = {KINDS.index(kind) for _, _, policy in held for kind in _kinds(policy.require)}
    names = {key64("competency", iri): iri for iri in acts.competencies}
    frameworks = {uri: tuple(iris) for uri, iris in members.items()}
    return Policies(position, held, frameworks, names, frozenset(kinds))


def _kinds(requirement: Requirement) -> Iterator[str]:
    if isinstance(requirement, AllOf | AnyOf):
        for part in requirement.parts:
            yield from _kinds(part)
    elif isinstance(requirement, EvidenceOf):
        yield from requirement.kinds


def answers(
    state: State, events: Sequence[Stood | Did], steps: Sequence[Policies], after: int, through: int
) -> Iterator[Answer]:
    """Yield the answers at after < position <= through; `events` are the learner's, in the order of their positions.

    `state` is what held at `after` when `events` begin behind it, or empty when they begin at the start of the log.
    """
    moments = sorted({event.position for event in events} | {step.position for step in steps if step.position > after})
    pending = list(events)
    place = 0
    for moment in moments:
        if moment > through:
            return
        matters = any(step.position == moment for step in steps)
        current = _at(steps, moment)
        while place < len(pending) and pending[place].position == moment:
            event = pending[place]
            place += 1
            is_seen = isinstance(event, Stood) or event.kind in current.kinds
            matters = (state.apply(event) and is_seen) or matters
        is_known = bool(state.standings or state.work)
        if matters and is_known and moment > after:
            yield from _answered(state, current, moment)


def _at(steps: Sequence[Policies], position: int) -> Policies:
    held = [step for step in steps if step.position <= position]
    return held[-1] if held else Policies(0, (), {}, {}, frozenset())


def _answered(state: State, policies: Policies, position: int) -> Iterator[Answer]:
    facts = facts_of(state, policies)
    for policy, published, held in policies.held:
        found = eligibility(held, facts)
        outcome, leaves = OUTCOMES.index(found.outcome), leaves_text(found)
        previous = state.last.get(policy)
        if previous is not None and previous[:2] == (published, leaves):
            continue
        told = (previous[2].hex() if previous else "", position, published, outcome)
        digest = sha256(msgspec.json.encode(told) + leaves).digest()
        state.last[policy] = (published, leaves, digest)
        yield Answer(policy, position, outcome, published, leaves, digest)


def leaves_text(found: Eligibility) -> bytes:
    """Return the leaves as JSON, as they are kept and hashed."""
    return msgspec.json.encode([leaf._asdict() for leaf in found.leaves])


def facts_of(state: State, policies: Policies) -> Facts:
    """Return what the policies may look at: standings by IRI, and the latest revision of each task."""
    standings = {policies.names[key]: one for key, one in state.standings.items() if key in policies.names}
    return Facts(standings, policies.framework_competencies, _tasks(state.work.values()))


def _tasks(work: Iterable[Did]) -> list[TaskFact]:
    latest: dict[int, Did] = {}
    for one in work:
        known = latest.get(one.task)
        if known is None or one.order > known.order:
            latest[one.task] = one
    return [
        TaskFact(latest[task].kind, task, latest[task].score_num, latest[task].score_den) for task in sorted(latest)
    ]
