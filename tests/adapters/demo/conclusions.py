"""What the institution would conclude from the sample district, by its own pure functions and without a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.demo.documents import Act as Published
from lrs.store.search import Found
from lrs.xapi.values import key64, timestamp_us
from projections.credit.eligibility import Eligibility, Facts, Standing, TaskFact, eligibility
from projections.evidence.evidence import Evidence
from projections.evidence.normalise import Unused
from projections.evidence.pieces import held_of
from projections.evidence.resolve import Resolved, resolve
from projections.mastery.decide import Outcome, decide
from projections.mastery.rules import compiled
from projections.registry import READERS, Act, Acts

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
Statement = Mapping[str, Any]


def acts_of(documents: Iterable[Published]) -> Acts:
    """Return the published documents as they hold, each a second after the one before."""
    return Acts(
        Act(place, kind, place, f"{place:08}", READERS[kind](document))
        for place, (kind, document) in enumerate(documents, 1)
    )


class Conclusions:
    """The evidence of all statements under some acts, by learner and competency."""

    def __init__(self, statements: Iterable[Statement], documents: Iterable[Published]) -> None:
        self.acts = acts_of(documents)
        self.unused: list[str] = []
        self.evidence: dict[tuple[str, int], list[Evidence]] = {}
        kept = list(statements)
        gone = {one["object"]["id"] for one in kept if one["verb"]["id"] == VOIDED}
        for position, statement in enumerate(kept, 1):
            if statement["id"] not in gone:
                self._take(position, statement)

    def _take(self, position: int, statement: Statement) -> None:
        timestamp = timestamp_us(statement["timestamp"])
        resolved = resolve(statement, timestamp, self.acts)
        if isinstance(resolved, Unused):
            self.unused.append(resolved.reason)
        if isinstance(resolved, Resolved):
            found = Found(position, timestamp, timestamp, None)
            held, _ = held_of(found, {"authority": {}, **statement}, self.acts)
            for piece in held.pieces:
                key = (statement["actor"]["account"]["name"], piece.competency)
                self.evidence.setdefault(key, []).append(Evidence(*piece[2:17]))

    @property
    def competencies(self) -> list[str]:
        """The framework's competencies, in their order."""
        return list(self.acts.competencies)

    def outcome(self, learner: str, place: int) -> Outcome:
        """Return the decision on a learner and the competency at this place in the progression, from 1."""
        competency = self.competencies[place - 1]
        found = self.acts.rule_for(competency)
        assert found is not None
        rule, scale = found[0].document, found[1].document
        return decide(compiled(rule, scale), self.evidence.get((learner, key64("competency", competency)), []))

    def credit(self, learner: str) -> Eligibility:
        """Return what the district's one policy says of a learner."""
        names = self.competencies
        levels = tuple(level.name for level in next(iter(self.acts.scales.values())).document.levels)
        decided = {name: self.outcome(learner, place) for place, name in enumerate(names, 1)}
        standings = {name: Standing(outcome.status, outcome.level, levels) for name, outcome in decided.items()}
        frameworks = {uri: tuple(names) for uri in self.acts.frameworks}
        return eligibility(self.acts.policies[0].document, Facts(standings, frameworks, self._tasks(learner)))

    def unmet(self, learner: str) -> list[tuple[str, str]]:
        """Return what a learner has and needs, for each requirement of the policy that is not met."""
        return [(leaf.have, leaf.need) for leaf in self.credit(learner).leaves if not leaf.met]

    def _tasks(self, learner: str) -> list[TaskFact]:
        rows = {one for (who, _), evidence in self.evidence.items() if who == learner for one in evidence}
        latest = {one.task: one for one in sorted(rows, key=lambda one: (one.revision, one.timestamp))}
        return [TaskFact(one.kind, one.task, one.score_num, one.score_den) for one in latest.values()]
