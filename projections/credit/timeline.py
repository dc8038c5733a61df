"""The answers of credit policies for one learner over time: a pure fold of standings, tasks and changes of policy.

An answer is written when it differs from the policy's answer before: in outcome, in a leaf, or in the version; and
once when the policy is taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

import msgspec

from lrs.xapi.values import key64
from projections.credit.eligibility import Eligibility, Facts, Standing, TaskFact, eligibility
from projections.credit.policies import AllOf, AnyOf, EvidenceOf, Policy, Requirement
from projections.evidence.evidence import KINDS
from projections.mastery.overrides import Overriding
from projections.registry import Acts

WITHDRAWN: Final = "withdrawn"
OUTCOMES: Final = ("not_yet", "eligible", WITHDRAWN)
"""In the order of their stored numbers; a new one is added at the end."""

NO_LEAVES: Final = b"[]"
NO_KINDS: Final[frozenset[int]] = frozenset()


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
    criterion: int


class Overrode(NamedTuple):
    """From a position on, this override is set for a policy (None: none is)."""

    position: int
    policy: int
    override: Overriding | None


Event: TypeAlias = Stood | Did | Overrode


class Last(NamedTuple):
    """What was last told of a policy; `override` is the position of the act that held, 0 where none did."""

    published: int
    leaves: bytes
    override: int
    digest: bytes


class Answer(NamedTuple):
    """One answer without its build and learner, in the order of the table's columns."""

    policy: int
    position: int
    outcome: int
    published: int
    leaves: bytes
    override: int
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
    """What is known of one learner: standings, the work that holds, overrides, and each policy's last answer.

    `tasks` is what the work of some kinds comes to, while no other work has come or gone.
    """

    standings: dict[int, Standing] = field(default_factory=dict)
    work: dict[tuple[int, int, int], Did] = field(default_factory=dict)
    overrides: dict[int, Overriding | None] = field(default_factory=dict)
    last: dict[int, Last] = field(default_factory=dict)
    tasks: tuple[frozenset[int], Sequence[TaskFact]] | None = None

    def apply(self, event: Event, kinds: frozenset[int] = NO_KINDS) -> bool:
        """Take an event in; return whether it can matter to policies that look at work of these kinds."""
        if isinstance(event, Stood):
            before = self.standings.get(event.competency)
            self.standings[event.competency] = event.standing
            return before != event.standing
        if isinstance(event, Overrode):
            self.overrides[event.policy] = event.override
            return True
        self.tasks = None
        if event.change > 0:
            self.work[event.statement, event.competency, event.criterion] = event
        else:
            self.work.pop((event.statement, event.competency, event.criterion), None)
        return event.kind in kinds


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
    state: State, events: Sequence[Event], steps: Sequence[Policies], after: int, through: int
) -> Iterator[Answer]:
    """Yield the answers at after < position <= through; `events` are the learner's, in the order of their positions.

    `state` is what held at `after` when `events` begin behind it, or empty when they begin at the start of the log.
    """
    pending = [step for step in steps if step.position > after]
    current = _at(steps, after)
    for moment, group in groupby(events, key=attrgetter("position")):
        while pending and pending[0].position < moment:
            current = pending.pop(0)
            yield from _answered(state, current, current.position)
        matters = bool(pending) and pending[0].position == moment
        if matters:
            current = pending.pop(0)
        for event in group:
            matters = state.apply(event, current.kinds) or matters
        if matters and moment > after:
            yield from _answered(state, current, moment)
    for step in pending:
        if step.position <= through:
            yield from _answered(state, step, step.position)


def _at(steps: Sequence[Policies], position: int) -> Policies:
    held = [step for step in steps if step.position <= position]
    return held[-1] if held else Policies(0, (), {}, {}, NO_KINDS)


def _answered(state: State, policies: Policies, position: int) -> Iterator[Answer]:
    """Yield what differs from the answers before; nothing for somebody of whom nothing is known."""
    if not (state.standings or state.work or state.last or any(state.overrides.values())):
        return
    facts = facts_of(state, policies)
    for policy, published, held in policies.held:
        found = eligibility(held, facts)
        override = _holding(state, policy, policies.kinds)
        outcome = found.outcome if override is None else override.status
        told = Last(published, leaves_text(found), override.position if override else 0, b"")
        yield from _told(state, policy, position, OUTCOMES.index(outcome), told)
    for policy in sorted(state.last.keys() - {one[0] for one in policies.held}):
        withdrawn = Last(state.last[policy].published, NO_LEAVES, 0, b"")
        yield from _told(state, policy, position, OUTCOMES.index(WITHDRAWN), withdrawn)


def _holding(state: State, policy: int, kinds: frozenset[int]) -> Overriding | None:
    """Return the override that holds for a policy at the newest moment that is told of; none when its time is over."""
    found = state.overrides.get(policy)
    if found is None or found.override.expires is None:
        return found
    moments = [one.order[1] for one in state.work.values() if one.kind in kinds]
    return found if max([found.timestamp, *moments]) < found.override.expires else None


def _told(state: State, policy: int, position: int, outcome: int, told: Last) -> Iterator[Answer]:
    previous = state.last.get(policy)
    if previous is not None and previous[:3] == told[:3]:
        return
    chained = (previous.digest.hex() if previous else "", position, told.published, outcome, told.override)
    digest = sha256(msgspec.json.encode(chained) + told.leaves).digest()
    state.last[policy] = told._replace(digest=digest)
    yield Answer(policy, position, outcome, told.published, told.leaves, told.override, digest)


def leaves_text(found: Eligibility) -> bytes:
    """Return the leaves as JSON, as they are kept and hashed."""
    return msgspec.json.encode([leaf._asdict() for leaf in found.leaves])


def facts_of(state: State, policies: Policies) -> Facts:
    """Return what the policies may look at: standings by IRI, and the latest revision of each task of their kinds."""
    standings = {policies.names[key]: one for key, one in state.standings.items() if key in policies.names}
    if state.tasks is None or state.tasks[0] != policies.kinds:
        state.tasks = policies.kinds, _tasks(one for one in state.work.values() if one.kind in policies.kinds)
    return Facts(standings, policies.framework_competencies, state.tasks[1])


def _tasks(work: Iterable[Did]) -> list[TaskFact]:
    latest: dict[int, Did] = {}
    for one in work:
        known = latest.get(one.task)
        if known is None or one.order > known.order:
            latest[one.task] = one
    return [
        TaskFact(latest[task].kind, task, latest[task].score_num, latest[task].score_den) for task in sorted(latest)
    ]
