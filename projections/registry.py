"""The registrar's acts that hold at one position: which document speaks for what.

Which of several holds is decided by version, else by (timestamp, statement id), never by arrival: so the same acts in
any order of arrival end in the same state. A version that was published stays as it was first published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from projections.credit.policies import Policy, policy_of
from projections.evidence.documents import (
    Competency,
    Framework,
    Normaliser,
    alignment_of,
    framework_of,
    normaliser_of,
)
from projections.mastery.rules import Rule, Scale, rule_of, scale_of

READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "framework": framework_of,
    "alignment": alignment_of,
    "normaliser": normaliser_of,
    "scale": scale_of,
    "rule": rule_of,
    "policy": policy_of,
}
"""How each kind of document is read; an act of another kind (a credential granted) moves no projection."""


@lru_cache(maxsize=8_192)
def read_document(kind: str, text: bytes) -> Any:
    """Return the value that a kept document stands for; the same text is read once."""
    return READERS[kind](msgspec.json.decode(text))


class Act(NamedTuple):
    """One act in the log: where it stands, and the document it carries, read."""

    position: int
    kind: str
    timestamp: int
    statement_id: str
    document: Any

    @property
    def order(self) -> tuple[int, str]:
        """What decides between two acts; their place in the log does not."""
        return self.timestamp, self.statement_id


class Known(NamedTuple):
    """A competency and the act that adopted the framework it stands in."""

    competency: Competency
    framework: Act


class Acts:
    """The acts that hold; immutable: `with_act` and `without` return another."""

    def __init__(self, acts: Iterable[Act] = ()) -> None:
        self._acts = {act.position: act for act in acts}

    def with_act(self, act: Act) -> Acts:
        """Return the acts with one more."""
        more = Acts()
        more._acts = self._acts | {act.position: act}
        return more

    def without(self, position: int) -> Acts:
        """Return the acts without the one at this position."""
        return Acts(act for act in self._acts.values() if act.position != position)

    def at(self, position: int) -> Act | None:
        """Return the act that stands at this position of the log, if it is one and holds."""
        return self._acts.get(position)

    def _of(self, kind: str) -> list[Act]:
        return sorted((act for act in self._acts.values() if act.kind == kind), key=lambda act: act.order)

    @cached_property
    def frameworks(self) -> dict[str, Act]:
        """The adopted frameworks by IRI: of several versions, the one adopted last."""
        return {act.document.uri: act for act in self._of("framework")}

    @cached_property
    def competencies(self) -> dict[str, Known]:
        """The competencies of all adopted frameworks, by IRI."""
        found: dict[str, Known] = {}
        for act in sorted(self.frameworks.values(), key=lambda act: act.order):
            framework: Framework = act.document
            found |= {one.uri: Known(one, act) for one in framework.competencies}
        return found

    @cached_property
    def alignments(self) -> dict[str, Act]:
        """The alignment of each activity: the last one set, unless that one ended it."""
        last = {act.document.activity: act for act in self._of("alignment")}
        return {activity: act for activity, act in last.items() if act.document.competencies}

    @cached_property
    def normalisers(self) -> list[Act]:
        """The normalisers, the most particular first."""
        chosen = _newest(self._of("normaliser"))
        return sorted(chosen, key=lambda act: (-_particularity(act.document), act.document.id))

    @cached_property
    def scales(self) -> dict[tuple[str, int], Act]:
        """Every version of every scale."""
        found: dict[tuple[str, int], Act] = {}
        for act in self._of("scale"):
            scale: Scale = act.document
            found.setdefault((scale.id, scale.version), act)
        return found

    @cached_property
    def rules(self) -> list[Act]:
        """The newest version of each rule whose scale is published."""
        usable = [act for act in self._of("rule") if _scale_key(act.document) in self.scales]
        return _newest(usable)

    @cached_property
    def policies(self) -> list[Act]:
        """The newest version of each credit policy, in the order of their IRIs."""
        return sorted(_newest(self._of("policy")), key=lambda act: str(act.document.id))

    @cached_property
    def _ruled(self) -> dict[str, tuple[Act, Act] | None]:
        return {}

    def rule_for(self, competency: str) -> tuple[Act, Act] | None:
        """Return the rule that holds for a competency and the scale it names: the most particular, then by IRI."""
        if competency not in self._ruled:
            self._ruled[competency] = self._find_rule(competency)
        return self._ruled[competency]

    def _find_rule(self, competency: str) -> tuple[Act, Act] | None:
        known = self.competencies.get(competency)
        framework = known.framework.document.uri if known else None
        fitting = [act for act in self.rules if _reach(act.document, competency, framework) is not None]
        if not fitting:
            return None
        best = min(fitting, key=lambda act: (-(_reach(act.document, competency, framework) or 0), act.document.id))
        return best, self.scales[_scale_key(best.document)]


def _newest(acts: Iterable[Act]) -> list[Act]:
    """Return the highest version of each document; a version that was published twice counts as first published."""
    found: dict[str, Act] = {}
    for act in acts:
        one: Rule | Policy | Normaliser = act.document
        if one.id not in found or one.version > found[one.id].document.version:
            found[one.id] = act
    return list(found.values())


def _scale_key(rule: Rule) -> tuple[str, int]:
    return rule.scale.id, rule.scale.version


def _reach(rule: Rule, competency: str, framework: str | None) -> int | None:
    """Return how particular a rule is for a competency: 2 by name, 1 by framework, 0 for all; None if not at all."""
    if rule.framework is not None and rule.framework != framework:
        return None
    if rule.competencies:
        return 2 if competency in rule.competencies else None
    return 0 if rule.framework is None else 1


def _particularity(normaliser: Normaliser) -> int:
    return (normaliser.match.authority is not None) * 2 + (normaliser.match.platform is not None)
