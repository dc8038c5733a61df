"""Which competencies a statement speaks of, and what said so.

The order of resolution (recorded with each row): 1 the object is a competency; 2 a context activity is one; 3 an
alignment extension names one; 4 the alignment table knows the activity. Beside it, 5, a criterion of a rubric result
is of a competency: then that criterion is what counts for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from projections.evidence.normalise import Unused
from projections.evidence.rubrics import RubricResult, named
from projections.registry import Act, Acts, Target

ALIGNMENT_EXTENSION: Final = "https://w3id.org/xapi/acrossx/extensions/alignment"
COMPETENCY_TYPES: Final = frozenset(
    [
        "https://w3id.org/xapi/tla/activity-types/competency",
        "https://w3id.org/xapi/comp/activities/competency",
    ]
)
BY_OBJECT, BY_CONTEXT, BY_EXTENSION, BY_ALIGNMENT, BY_CRITERION = 1, 2, 3, 4, 5
MATCHED: Final = {
    BY_OBJECT: "object",
    BY_CONTEXT: "context activity",
    BY_EXTENSION: "extension",
    BY_ALIGNMENT: "alignment table",
    BY_CRITERION: "rubric criterion",
}
MOST_NESTED: Final = 3


class Basis(NamedTuple):
    """A statement about an activity, the extensions of its context, and the acts that say how it is read."""

    statement: Mapping[str, Any]
    extensions: Mapping[str, Any]
    about: str
    timestamp: int
    acts: Acts
    normaliser: Act | None
    alignment: Act | None
    assessment: Act | None
    rubric: RubricResult | None

    def target(self, competency: str) -> Target | None:
        """Return what decides of a competency, if this can be evidence of it: at its moment the competency is live."""
        found = self.acts.targets.get(competency)
        return found if found is not None and (found.until is None or self.timestamp < found.until) else None


def competencies_of(basis: Basis) -> dict[str, int] | Unused:
    """Return the competencies that a statement speaks of, each with the step that found it, or why there are none."""
    parts = basis.normaliser.document.parts if basis.normaliser else None
    if parts is not None and _is_uncounted_part(basis, parts):
        return Unused("part_of_whole", basis.about)
    found = _by_order(basis)
    if basis.rubric is not None:
        own = {one.competency for one in basis.rubric.judged if one.competency and basis.target(one.competency)}
        found |= dict.fromkeys(own, BY_CRITERION)
    if not found:
        return _unaligned(basis)
    return found if parts is None else _not_counted_by_parts(basis, found)


def _by_order(basis: Basis) -> dict[str, int]:
    """Return the competencies by the first step of the order that finds any."""
    if basis.target(basis.about):
        return {basis.about: BY_OBJECT}
    known = basis.acts.targets
    in_context = [one for one in context_activities(basis.statement) if one in known and basis.target(one)]
    if in_context:
        return dict.fromkeys(in_context, BY_CONTEXT)
    also = basis.normaliser.document.alignments if basis.normaliser else ()
    in_extension = [one for one in extension_iris(basis.statement, also) if basis.target(one)]
    if in_extension:
        return dict.fromkeys(in_extension, BY_EXTENSION)
    aligned = basis.alignment.document.competencies if basis.alignment else ()
    return {one: BY_ALIGNMENT for one in aligned if basis.target(one)}


def _unaligned(basis: Basis) -> Unused:
    """Return why nothing was found: a competency that is in no adopted framework is named, or none is."""
    activities = [basis.statement["object"], *_activities(basis.statement)]
    for one in activities:
        if (one.get("definition") or {}).get("type") in COMPETENCY_TYPES:
            return Unused("unknown_competency", one["id"])
    return Unused("unaligned", basis.about)


def _is_uncounted_part(basis: Basis, parts: str) -> bool:
    """Whether this is a part of a whole that counts instead: of both only one may.

    The whole counts, for it is what was assessed, and its parts are no independent tasks; but where the alignment
    table names the parts themselves, these count and the whole does not.
    """
    extensions = (basis.statement["object"].get("definition") or {}).get("extensions") or ()
    return parts in extensions and not basis.acts.alignment_table.names(basis.about)


def _not_counted_by_parts(basis: Basis, found: dict[str, int]) -> dict[str, int] | Unused:
    by_parts = basis.acts.alignment_table.of_parts(basis.about, basis.timestamp)
    left = {iri: step for iri, step in found.items() if iri not in by_parts}
    return left or Unused("counted_by_parts", basis.about)


def context_activities(statement: Mapping[str, Any]) -> list[str]:
    """Return the IRIs of a statement's context activities, grouping and parent first."""
    return [one["id"] for one in _activities(statement)]


def _activities(statement: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    context = statement.get("context")
    groups = context.get("contextActivities") if context else None
    if not groups:
        return []
    lists = [groups[name] for name in ("grouping", "parent", "category", "other") if name in groups]
    return [one for found in lists for one in ((found,) if isinstance(found, dict) else found)]


def extension_iris(statement: Mapping[str, Any], also: Sequence[str] = ()) -> list[str]:
    """Return every text inside the alignment extension, wherever the statement carries it, and inside those named."""
    found: list[str] = []
    for place in (statement.get("context"), statement.get("result"), statement["object"].get("definition")):
        extensions = (place.get("extensions") if place else None) or {}
        for name in (ALIGNMENT_EXTENSION, *also):
            if name in extensions:
                found += _texts(extensions[name], MOST_NESTED)
    return found


def mentioned(statement: Mapping[str, Any]) -> set[str]:
    """Return the IRIs of competencies and criteria that only the statement's text names: no index of the log does."""
    return {*extension_iris(statement), *named(statement)}


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner, depth - 1)
