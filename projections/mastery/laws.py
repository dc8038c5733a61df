"""What is in force over time: which rule holds for a competency, which children it rolls up, who is overridden how.

Pure: made of the registrar's acts in the order in which they began and ended, wherever those were read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, NamedTuple

from lrs.xapi.actors import ifi
from lrs.xapi.values import key64
from projections.evidence.history import ActsOverTime
from projections.evidence.identity import Identities
from projections.mastery.overrides import Overriding
from projections.mastery.timeline import NO_RULE, RuleChange, Version, rule_change, version_of
from projections.registry import Act, Acts, Ruled

RULE_KINDS: Final = ("framework", "rule", "scale")
OVERRIDE_KINDS: Final = ("override", "clearing", "identity")
"""A link of accounts moves overrides too: what is set for one account is set for its learner."""

Children = Mapping[str, tuple[int, ...]]


class Rules:
    """The rule that holds for each competency, over time; found once for each competency."""

    def __init__(self, history: ActsOverTime, also: Iterable[str] = ()) -> None:
        """`also` are the IRIs of competencies that were adopted once, where the history does not reach back so far."""
        self._history = history
        self._names = {key64("competency", iri): iri for iri in (*history.competencies(), *also)}
        self._versions: dict[tuple[int, int, int], Version] = {}
        self._found: dict[int, list[RuleChange]] = {}
        self._children: dict[int, Children] = {}
        self._families: dict[int, tuple[int, ...]] | None = None
        self._ancestors: dict[int, tuple[int, ...]] = {}

    def of(self, competency: int) -> list[RuleChange]:
        """Return the changes of rule for a competency, oldest first."""
        if competency not in self._found:
            self._found[competency] = list(self._changes(self._names.get(competency, "")))
        return self._found[competency]

    def at(self, competency: int, position: int) -> RuleChange:
        """Return the rule that holds for a competency at a position."""
        held = [one for one in self.of(competency) if one.position <= position]
        return held[-1] if held else NO_RULE

    def family(self, competency: int) -> tuple[int, ...]:
        """Return the competencies that roll-ups, at any time, tie to this one, with itself; most have no other."""
        if self._families is None:
            self._families = dict(_families(self._edges()))
        return self._families.get(competency, (competency,))

    def ancestors(self, competency: int) -> tuple[int, ...]:
        """Return the competencies whose rule, at any time, rolled this one up, directly or through others."""
        if competency not in self._ancestors:
            tied = self.family(competency)
            self._ancestors[competency] = tuple(_reached(competency, self._parents(tied))) if len(tied) > 1 else ()
        return self._ancestors[competency]

    def _parents(self, members: Sequence[int]) -> Mapping[int, set[int]]:
        parents = defaultdict(set)
        for parent, child in _edges_of((one, self.of(one)) for one in members):
            parents[child].add(parent)
        return parents

    def _edges(self) -> Iterator[tuple[int, int]]:
        return _edges_of((key, self.of(key)) for key in sorted(self._names))

    def _changes(self, iri: str) -> Iterator[RuleChange]:
        last = NO_RULE
        for position, acts in self._history.steps:
            versions = tuple(self._version(one) for one in acts.rules_over_time(iri))
            found = rule_change(position, versions, self._children_at(acts).get(iri, ()))
            if found[1:] != last[1:]:
                yield found
            last = found

    def _version(self, one: Ruled) -> Version:
        place = one.since, *one.positions
        if place not in self._versions:
            self._versions[place] = version_of(one)
        return self._versions[place]

    def _children_at(self, acts: Acts) -> Children:
        """Return the children of each competency, in its own framework; the same frameworks are looked at once."""
        known = acts.competencies
        if id(known) not in self._children:
            self._children[id(known)] = _children_in(acts)
        return self._children[id(known)]


def _children_in(acts: Acts) -> Children:
    found: dict[str, list[int]] = defaultdict(list)
    for iri, known in acts.competencies.items():
        parent = acts.competencies.get(known.competency.parent or "")
        if parent is not None and parent.framework.position == known.framework.position:
            found[parent.competency.uri].append(key64("competency", iri))
    return {iri: tuple(sorted(keys)) for iri, keys in found.items()}


def _edges_of(changes: Iterable[tuple[int, Sequence[RuleChange]]]) -> Iterator[tuple[int, int]]:
    """Yield (parent, child) of every roll-up that these changes of rule ever made."""
    for parent, own in changes:
        yield from sorted({(parent, child) for change in own for child in change.children})


def _families(edges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield each competency that an edge touches, with all that edges tie it to."""
    tied = defaultdict(set)
    for parent, child in edges:
        tied[parent].add(child)
        tied[child].add(parent)
    for one in tied:
        yield one, tuple(sorted({one} | _reached(one, tied)))


def _reached(start: int, steps: Mapping[int, set[int]]) -> set[int]:
    found: set[int] = set()
    todo = [start]
    while todo:
        new = steps.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found - {start}


class OverrideChange(NamedTuple):
    """From a position on, this override is set for a learner and a subject (None: none is)."""

    position: int
    override: Overriding | None


@dataclass(slots=True)
class Overrides:
    """The overrides of a log over time, by learner and subject, up to the position `through`.

    They are those of credit policies (`of_credit`), or those of competencies. Of several acts on one override, and of
    several overrides of one subject, the last by (timestamp, statement id) counts, never by arrival.
    """

    through: int = 0
    of_credit: bool = False
    changes: dict[int, dict[int, list[OverrideChange]]] = field(default_factory=dict)
    _acts: dict[str, dict[int, Act]] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)
    _links: dict[int, Act] = field(default_factory=dict)
    _owners: dict[int, int] = field(default_factory=dict)
    _set: dict[tuple[int, int], dict[str, Act]] = field(default_factory=dict)
    _told: list[tuple[int, int, int]] = field(default_factory=list)

    def of(self, learner: int) -> Mapping[int, Sequence[OverrideChange]]:
        """Return a learner's changes by subject, oldest first."""
        return self.changes.get(learner, {})

    def changed_between(self, after: int, through: int) -> Iterator[tuple[int, int]]:
        """Yield the (learner, subject) of what changed at after < position <= through, in order."""
        first = bisect_right(self._told, after, key=itemgetter(0))
        last = bisect_right(self._told, through, key=itemgetter(0))
        yield from sorted({(learner, subject) for _, learner, subject in self._told[first:last]})

    def begin(self, cause: int, act: Act) -> None:
        """Let an act begin at a position; acts begin and end in the order of their causes."""
        if act.kind == "identity":
            self._links[act.position] = act
            self._relink(cause)
            return
        name = act.document.override if act.kind == "clearing" else act.document.id
        self._names[act.position] = name
        self._replace(cause, name, {**self._acts.get(name, {}), act.position: act})

    def end(self, cause: int, position: int) -> None:
        """Let the act that began at a position end at another."""
        if self._links.pop(position, None) is not None:
            self._relink(cause)
        elif position in self._names:
            name = self._names.pop(position)
            self._replace(cause, name, {at: act for at, act in self._acts[name].items() if at != position})

    def _relink(self, cause: int) -> None:
        """Let the links hold that there are now: what is set for an account becomes its learner's."""
        if not self._acts:
            return
        standing = {name: act for name in sorted(self._acts) if (act := self._standing(name)) is not None}
        places = {name: self._place(act) for name, act in standing.items()}
        self._owners = Identities(self._links.values()).owners
        for name, act in standing.items():
            if self._place(act) != places[name]:
                self._drop(cause, name, places[name])
                self._add(cause, name, act)

    def _replace(self, cause: int, name: str, acts: dict[int, Act]) -> None:
        """Let other acts on one override hold."""
        if not self._acts and self._links:
            self._owners = Identities(self._links.values()).owners
        before = self._standing(name)
        self._acts[name] = acts
        after = self._standing(name)
        if before is not None and before is not after:
            self._drop(cause, name, self._place(before))
        if after is not None and before is not after:
            self._add(cause, name, after)

    def _standing(self, name: str) -> Act | None:
        """Return the act by which an override is set now; None where it is cleared or voided."""
        own = self._acts.get(name)
        last = max(own.values(), key=lambda act: act.order) if own else None
        if last is None or last.kind != "override":
            return None
        return last if (last.document.policy is not None) == self.of_credit else None

    def _place(self, act: Act) -> tuple[int, int]:
        account = key64("agent", str(ifi(act.document.learner)))
        return self._owners.get(account, account), act.document.subject

    def _add(self, cause: int, name: str, act: Act) -> None:
        place = self._place(act)
        self._set.setdefault(place, {})[name] = act
        self._tell(cause, place)

    def _drop(self, cause: int, name: str, place: tuple[int, int]) -> None:
        self._set[place].pop(name)
        self._tell(cause, place)

    def _tell(self, cause: int, place: tuple[int, int]) -> None:
        """Note who is overridden how from a position on; what several acts of one position come to is noted once."""
        held = self._set[place].values()
        act = max(held, key=lambda one: one.order) if held else None
        told = None if act is None else Overriding(act.position, act.timestamp, act.statement_id, act.document)
        own = self.changes.setdefault(place[0], {}).setdefault(place[1], [])
        if own and own[-1].position == cause:
            own.pop()
        if (own[-1].override if own else None) != told:
            own.append(OverrideChange(cause, told))
        self._told.append((cause, *place))


class LearnerLaws(NamedTuple):
    """What is in force for one learner: the rules, and the learner's own changes of override by competency."""

    rules: Rules
    overrides: Mapping[int, Sequence[OverrideChange]]


@dataclass(frozen=True, slots=True)
class Laws:
    """All that decides a log's evidence, over time, up to a position."""

    rules: Rules
    overrides: Overrides

    def of(self, learner: int) -> LearnerLaws:
        """Return what is in force for one learner."""
        return LearnerLaws(self.rules, self.overrides.of(learner))
