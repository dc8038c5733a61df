"""The registrar's acts that hold at one position: which document speaks for what.

Which of several holds is decided by version, else by (timestamp, statement id), never by arrival: so the same acts in
any order of arrival end in the same state. A version that was published stays as it was first published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from projections.credit.policies import Policy, policy_of
from projections.documents import Act as Act
from projections.evidence.alignments import Alignments
from projections.evidence.assessments import Assessments, assessment_of
from projections.evidence.documents import Normaliser, alignment_of, normaliser_of
from projections.evidence.excusals import excusal_of
from projections.evidence.identity import Identities, identity_of
from projections.frameworks.documents import Competency, Framework, framework_of
from projections.frameworks.rubrics import Criterion, Rubric, rubric_of
from projections.insight.roster import enrolment_of
from projections.mastery.overrides import clearing_of, override_of
from projections.mastery.rule_documents import rule_of
from projections.mastery.rules import Rule
from projections.mastery.scales import Scale, scale_of
from projections.ruling import Clash, Place, clashes, in_turns, over_time
from projections.ruling import Ruled as Ruled

READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "framework": framework_of,
    "rubric": rubric_of,
    "alignment": alignment_of,
    "normaliser": normaliser_of,
    "scale": scale_of,
    "rule": rule_of,
    "policy": policy_of,
    "assessment": assessment_of,
    "identity": identity_of,
    "excusal": excusal_of,
    "override": override_of,
    "clearing": clearing_of,
    "roster": enrolment_of,
}
"""How each kind of document is read; an act of another kind (a credential granted) moves no projection."""


APART: Final = frozenset({"roster", "override", "clearing"})
"""Kinds of which a log has one for each learner: `Acts` never holds them, and nothing is resolved anew for them."""


@lru_cache(maxsize=8_192)
def read_document(kind: str, text: bytes) -> Any:
    """Return the value that a kept document stands for; the same text is read once."""
    return READERS[kind](msgspec.json.decode(text))


class Known(NamedTuple):
    """A competency and the act that adopted the framework it stands in."""

    competency: Competency
    framework: Act


class Retired(NamedTuple):
    """A competency that an adopted framework once had, and the act that left it out."""

    known: Known
    by: Act


class Target(NamedTuple):
    """What of a competency decides which evidence it takes: its strand, and the moment from which on it takes none."""

    strand: str
    until: int | None


_OF_FRAMEWORKS: Final = ("adoptions", "frameworks", "drafts", "competencies", "retired", "targets", "_children")
"""What an act of another kind leaves as it is: a framework has thousands of competencies, and alignments are many."""

_OF_KIND: Final = {
    "alignment_table": "alignment",
    "assessments": "assessment",
    "identities": "identity",
    "excused": "excusal",
    "normalisers": "normaliser",
}
"""What only acts of one kind move."""


class Acts:
    """The acts that hold; immutable: `with_act` and `without` return another."""

    def __init__(self, acts: Iterable[Act] = ()) -> None:
        self._acts = {act.position: act for act in acts}

    def with_act(self, act: Act) -> Acts:
        """Return the acts with one more."""
        if act.kind in APART:
            return self
        more = Acts()
        more._acts = self._acts | {act.position: act}
        if act.kind != "framework":
            more.__dict__ |= {name: self.__dict__[name] for name in _OF_FRAMEWORKS if name in self.__dict__}
        unmoved = (name for name, kind in _OF_KIND.items() if kind != act.kind and name in self.__dict__)
        more.__dict__ |= {name: self.__dict__[name] for name in unmoved}
        if act.kind == "identity" and (linked := self.identities.plus(act)) is not None:
            more.__dict__["identities"] = linked
        return more

    def without(self, position: int) -> Acts:
        """Return the acts without the one at this position."""
        return Acts(act for act in self._acts.values() if act.position != position)

    def __iter__(self) -> Iterator[Act]:
        """Yield the acts in the order of their positions."""
        return iter([self._acts[position] for position in sorted(self._acts)])

    def at(self, position: int) -> Act | None:
        """Return the act that stands at this position of the log, if it is one and holds."""
        return self._acts.get(position)

    def _of(self, kind: str) -> list[Act]:
        return sorted((act for act in self._acts.values() if act.kind == kind), key=lambda act: act.order)

    def published(self, kind: str) -> list[Act]:
        """Return every act of a kind that holds, each version of each document, in the order of their moments."""
        return self._of(kind)

    @cached_property
    def adoptions(self) -> list[Act]:
        """Every adoption of every framework, drafts too, in the order of their moments."""
        return self._of("framework")

    @cached_property
    def frameworks(self) -> dict[str, Act]:
        """The frameworks that are live, by IRI: of several versions, the one adopted last."""
        return {act.document.uri: act for act in self.adoptions if act.document.status == "live"}

    @cached_property
    def drafts(self) -> dict[str, Act]:
        """The newest adoption of each framework by IRI, where that is a draft: seen, and no target of evidence."""
        newest = {act.document.uri: act for act in self.adoptions}
        return {uri: act for uri, act in newest.items() if act.document.status == "draft"}

    @cached_property
    def competencies(self) -> dict[str, Known]:
        """The competencies of all live frameworks, by IRI; those that are retired are not among them."""
        found: dict[str, Known] = {}
        for act in sorted(self.frameworks.values(), key=lambda act: act.order):
            framework: Framework = act.document
            found |= {one.uri: Known(one, act) for one in framework.competencies}
        return found

    @cached_property
    def retired(self) -> dict[str, Retired]:
        """The competencies that a live framework had in an earlier version and no live framework has now, by IRI."""
        found: dict[str, Retired] = {}
        before: dict[str, Act] = {}
        for act in self.adoptions:
            if act.document.status == "live":
                found |= _left_out(before.get(act.document.uri), act)
                before[act.document.uri] = act
        return {uri: one for uri, one in found.items() if uri not in self.competencies}

    def known(self, competency: str) -> Known | None:
        """Return a competency that is live or retired, or None."""
        gone = self.retired.get(competency)
        return self.competencies.get(competency) or (gone.known if gone else None)

    @cached_property
    def targets(self) -> dict[str, Target]:
        """What can be evidenced, by IRI: the live competencies for ever, the retired ones up to their retirement."""
        found = {uri: Target(one.known.competency.strand, one.by.timestamp) for uri, one in self.retired.items()}
        return found | {uri: Target(one.competency.strand, None) for uri, one in self.competencies.items()}

    def is_target(self, competency: str, at: int) -> bool:
        """Whether what happened at a moment, in microseconds, can be evidence of a competency.

        What a learner showed before a competency was retired stays shown; after that nothing can be shown of it.
        """
        found = self.targets.get(competency)
        return found is not None and (found.until is None or at < found.until)

    @cached_property
    def rubrics(self) -> dict[str, Rubric]:
        """The newest version of each published rubric, and those of the live frameworks, by IRI."""
        of_frameworks = {rubric.id: rubric for act in self.frameworks.values() for rubric in act.document.rubrics}
        return of_frameworks | {act.document.id: act.document for act in _newest(self._of("rubric"))}

    @cached_property
    def criteria(self) -> dict[str, Criterion]:
        """The criteria of all rubrics, by IRI; of two with one IRI that of the rubric whose IRI comes last."""
        return {one.id: one for _, rubric in sorted(self.rubrics.items()) for one in rubric.criteria}

    @cached_property
    def alignment_table(self) -> Alignments:
        """What each activity is aligned to, over time and by patterns."""
        return Alignments(self._of("alignment"))

    @cached_property
    def assessments(self) -> Assessments:
        """The assessment registry."""
        return Assessments(self._of("assessment"))

    @cached_property
    def identities(self) -> Identities:
        """Which accounts are of one learner."""
        return Identities(self._of("identity"))

    @cached_property
    def excused(self) -> dict[str, Act]:
        """The acts that excuse a statement as evidence, by its id: of several the first."""
        return {act.document.statement_id: act for act in reversed(self._of("excusal"))}

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
        """The newest version of each rule whose scale is published, whether it is in force already or not."""
        return [own[-1] for own in self._turns]

    @cached_property
    def _versions(self) -> list[list[Act]]:
        """The versions of each rule whose scale is published, rising."""
        versions: dict[str, dict[int, Act]] = {}
        for act in self._of("rule"):
            if _scale_key(act.document) in self.scales:
                versions.setdefault(act.document.id, {}).setdefault(act.document.version, act)
        return [[own[number] for number in sorted(own)] for own in versions.values()]

    @cached_property
    def _turns(self) -> list[list[Act]]:
        return in_turns(self._versions)

    @cached_property
    def clashes(self) -> list[Clash]:
        """The published rules that are not in force, each with the reason, in the order of their moments."""
        families = {
            uri: (self._children.get(uri, frozenset()), one.framework) for uri, one in self.competencies.items()
        }
        return clashes(self._versions, families)

    @cached_property
    def _children(self) -> dict[str, frozenset[str]]:
        """The children of each competency of the live frameworks, by IRI; those without any are not among them."""
        found: dict[str, set[str]] = {}
        for uri, known in self.competencies.items():
            if known.competency.parent is not None:
                found.setdefault(known.competency.parent, set()).add(uri)
        return {parent: frozenset(children) for parent, children in found.items()}

    @cached_property
    def policies(self) -> list[Act]:
        """The newest version of each credit policy, in the order of their IRIs."""
        return sorted(_newest(self._of("policy")), key=lambda act: str(act.document.id))

    @cached_property
    def _ruled(self) -> dict[str, tuple[Ruled, ...]]:
        return {}

    def rules_over_time(self, competency: str) -> tuple[Ruled, ...]:
        """Return the rules that hold for a competency, each from its moment on, oldest first.

        At each moment the most particular rule in force holds; of two that are equally particular, the one that came
        into force first.
        """
        if competency not in self._ruled:
            self._ruled[competency] = tuple(self._over_time(competency))
        return self._ruled[competency]

    def rule_for(self, competency: str, at: int | None = None) -> tuple[Act, Act] | None:
        """Return the rule that holds for a competency at a moment, and its scale; None: once all have come into force.

        `at` is in microseconds.
        """
        held = [one for one in self.rules_over_time(competency) if at is None or one.since <= at]
        if not held or held[-1].rule is None or held[-1].scale is None:
            return None
        return held[-1].rule, held[-1].scale

    def _over_time(self, competency: str) -> Iterator[Ruled]:
        known = self.known(competency)
        place = Place(competency)
        if known is not None:
            children = self._children.get(competency, frozenset())
            place = Place(competency, known.framework.document.uri, known.competency.strand, children)
        for since, rule in over_time(self._turns, place):
            yield Ruled(since, rule, rule and self.scales[_scale_key(rule.document)])


def changed_targets(before: Acts, after: Acts) -> list[str]:
    """Return the IRIs of the competencies of which other statements can be evidence than before, sorted."""
    if before.targets is after.targets:
        return []
    either = before.targets.keys() | after.targets.keys()
    return sorted(uri for uri in either if before.targets.get(uri) != after.targets.get(uri))


def _left_out(before: Act | None, after: Act) -> dict[str, Retired]:
    """Return what the earlier adoption of a framework has and the later one has not."""
    if before is None:
        return {}
    own = {one.uri for one in after.document.competencies}
    return {one.uri: Retired(Known(one, before), after) for one in before.document.competencies if one.uri not in own}


def _newest(acts: Iterable[Act]) -> list[Act]:
    """Return the highest version of each document; a version that was published twice counts as first published."""
    found: dict[str, Act] = {}
    for act in acts:
        one: Rule | Policy | Normaliser | Rubric = act.document
        if one.id not in found or one.version > found[one.id].document.version:
            found[one.id] = act
    return list(found.values())


def _scale_key(rule: Rule) -> tuple[str, int]:
    return rule.scale.id, rule.scale.version


def _particularity(normaliser: Normaliser) -> int:
    match = normaliser.match
    named = (match.authority, match.category, match.extension, match.platform)
    return sum(weight for weight, value in zip((8, 4, 2, 1), named, strict=True) if value is not None)
