"""One statement → the evidence that it is, for whom and with which score; or why it is none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from lrs.xapi.actors import ifi
from lrs.xapi.values import key64
from projections.evidence.assessments import Assessment
from projections.evidence.documents import HABIT
from projections.evidence.evidence import GROUP, KINDS, OUTSIDE, VALIDATED
from projections.evidence.excluded import NEVER, never_evidence, set_aside
from projections.evidence.identity import Learner
from projections.evidence.naming import Basis, competencies_of
from projections.evidence.normalise import BY_RUBRIC, BY_SCALED, BY_SUCCESS, Score, Unused, normaliser_for, score_of
from projections.evidence.rubrics import Judged, RubricResult, criterion_key, pooled, rubric_result
from projections.profile import ATTEMPT, CONTEXT, DISTRICT, REVISION, TASK
from projections.registry import Acts

KIND_OF_TYPE: Final = {
    "http://adlnet.gov/expapi/activities/assessment": "local_summative",
    "http://adlnet.gov/expapi/activities/performance": "performance_task",
    "http://adlnet.gov/expapi/activities/simulation": "performance_task",
}
"""The kind of assessment where neither registry nor alignment names one; all other activities are formative."""

MOST_COUNTED: Final = 2**31
_HABIT_NUMBER: Final = KINDS.index(HABIT)


class Aligned(NamedTuple):
    """A competency that the statement speaks of, by its key; which step found it; what is shown of it."""

    competency: int
    matched: int
    kind: int
    score_num: int | None
    score_den: int | None
    criterion: int


class Resolved(NamedTuple):
    """What a statement is evidence of; one row for each learner and competency. `unused` is why a part of it is not."""

    learners: Sequence[Learner]
    competencies: Sequence[Aligned]
    task: int
    revision: int
    success: bool | None
    fingerprint: int
    flags: int
    attempt: int
    context: int
    scorer: int
    read_from: int
    normaliser: int
    alignment: int
    assessment: int
    unused: Unused | None


def resolve(statement: Mapping[str, Any], timestamp: int, acts: Acts, stored: int = NEVER) -> Resolved | Unused | None:
    """Return what a statement is evidence of, why it is unused, or None when it never could be evidence.

    `timestamp` and `stored` are in microseconds since 1970.
    """
    if never_evidence(statement):
        return None
    learners = acts.identities.learners(statement["actor"])
    unused = set_aside(statement, timestamp, stored, has_learner=bool(learners))
    if unused is not None:
        return unused
    rubric = rubric_result(statement, acts)
    if isinstance(rubric, Unused):
        return rubric
    about = statement["object"]["id"]
    extensions = (statement.get("context") or {}).get("extensions") or {}
    basis = Basis(
        statement, extensions, about, timestamp, acts, normaliser_for(statement, acts),
        acts.alignment_table.at(about, timestamp), acts.assessments.at(about, timestamp), rubric,
    )  # fmt: skip
    found = competencies_of(basis)
    return found if isinstance(found, Unused) else _counted(basis, found, learners)


def _counted(basis: Basis, found: Mapping[str, int], learners: Sequence[Learner]) -> Resolved | Unused:
    """Return what a statement is evidence of, with its scores, or why it is unused."""
    score = None if basis.rubric is not None else score_of(basis.statement, basis.normaliser)
    if isinstance(score, Unused):
        return score
    made, unused = _shown(basis, found, score)
    if not made:
        return unused or Unused("unaligned", basis.about)
    read_from = BY_RUBRIC if basis.rubric is not None else score.read_from if score else BY_SUCCESS
    resolved = _resolved(basis, learners, made, read_from, unused)
    return resolved if basis.assessment is None else _within_limits(basis.assessment.document, resolved)


def _shown(basis: Basis, found: Mapping[str, int], score: Score | None) -> tuple[list[Aligned], Unused | None]:
    """Return what is shown of each competency, and why something is not; the strand of a habit is one of its own."""
    kind = KINDS.index(_kind(basis))
    made: list[Aligned] = []
    unused = None
    for iri in sorted(found):
        target = basis.target(iri)
        is_habit = target is not None and target.strand == "work_habits"
        if kind == _HABIT_NUMBER and not is_habit:
            unused = Unused("behaviour", iri)
            continue
        one = _of_criteria(basis.rubric, iri) if basis.rubric is not None else (score, 0)
        if isinstance(one, Unused):
            unused = one
            continue
        numerator, denominator = one[0][:2] if one[0] is not None else (None, None)
        key, own = key64("competency", iri), _HABIT_NUMBER if is_habit else kind
        made.append(Aligned(key, found[iri], own, numerator, denominator, one[1]))
    return made, unused


def _of_criteria(rubric: RubricResult, iri: str) -> tuple[Score, int] | Unused:
    """Return what a rubric says of a competency: its own criteria, or all together where none is of it."""
    own: Sequence[Judged] = [one for one in rubric.judged if one.competency == iri] or rubric.judged
    score = pooled(own)
    return score if isinstance(score, Unused) else (score, criterion_key(own))


def _resolved(
    basis: Basis, learners: Sequence[Learner], made: Sequence[Aligned], read_from: int, unused: Unused | None
) -> Resolved:
    return Resolved(
        learners,
        made,
        key64("task", _task(basis)),
        _count(basis.extensions.get(REVISION)),
        basis.statement["result"].get("success"),
        _fingerprint(basis.statement, basis.timestamp),
        _flags(basis),
        _attempt(basis),
        _context(basis),
        _scorer(basis),
        read_from,
        basis.normaliser.position if basis.normaliser and read_from == BY_SCALED else 0,
        basis.alignment.position if basis.alignment else 0,
        basis.assessment.position if basis.assessment else 0,
        unused,
    )


def _flags(basis: Basis) -> int:
    flags = GROUP if basis.statement["actor"].get("objectType") == "Group" else 0
    if basis.assessment is not None and basis.assessment.document.validated is not None:
        flags |= VALIDATED
    return flags | OUTSIDE if DISTRICT in basis.extensions else flags


def _within_limits(own: Assessment, one: Resolved) -> Resolved | Unused:
    """Return what the registry lets count: no more attempts or revisions than allowed, and no other scorer."""
    if own.max_attempts is not None and one.attempt > own.max_attempts:
        return Unused("beyond_limit", f"attempt {one.attempt} of {own.max_attempts}: {own.id}")
    if own.max_revisions is not None and one.revision > own.max_revisions:
        return Unused("beyond_limit", f"revision {one.revision} of {own.max_revisions}: {own.id}")
    if own.scorers and one.scorer not in {key64("agent", str(ifi(agent))) for agent in own.scorers}:
        return Unused("other_scorer", own.id)
    return one


def _kind(basis: Basis) -> str:
    if basis.assessment is not None:
        return str(basis.assessment.document.kind)
    if basis.alignment is not None:
        return str(basis.alignment.document.kind)
    definition = basis.statement["object"].get("definition") or {}
    return KIND_OF_TYPE.get(definition.get("type", ""), "formative")


def _task(basis: Basis) -> str:
    """Return what makes two attempts the same task: named by the sender, by the alignment, else the activity itself."""
    told = basis.extensions.get(TASK)
    if isinstance(told, str):
        return told
    return (basis.alignment.document.task if basis.alignment else None) or basis.about


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value < MOST_COUNTED else 0


def _attempt(basis: Basis) -> int:
    """Return the number of an attempt, by our own extension or the one that the sender's normaliser names."""
    if ATTEMPT in basis.extensions:
        return _count(basis.extensions[ATTEMPT])
    name = basis.normaliser.document.attempt if basis.normaliser else None
    if name is None:
        return 0
    definition = basis.statement["object"].get("definition") or {}
    places = (basis.extensions, definition.get("extensions") or {}, basis.statement["result"].get("extensions") or {})
    return next((_count(place[name]) for place in places if name in place), 0)


def _context(basis: Basis) -> int:
    """Return the key of the context that something was shown in: told, the assessment's one, or what it is part of."""
    told = basis.extensions.get(CONTEXT)
    if isinstance(told, str):
        return key64("context", told)
    own: Collection[str] = basis.assessment.document.contexts if basis.assessment else ()
    if len(own) == 1:
        return key64("context", next(iter(own)))
    groups = (basis.statement.get("context") or {}).get("contextActivities") or {}
    for name in ("grouping", "parent"):
        found = groups.get(name, ())
        for one in (found,) if isinstance(found, dict) else found:
            if one["id"] not in basis.acts.targets:
                return key64("context", one["id"])
    return 0


def _scorer(basis: Basis) -> int:
    """Return the key of who scored: the scorer of the rubric, else the instructor; 0 where nobody is told."""
    if basis.rubric is not None and basis.rubric.scorer:
        return basis.rubric.scorer
    instructor = (basis.statement.get("context") or {}).get("instructor")
    identifier = ifi(instructor) if instructor else None
    return 0 if identifier is None else key64("agent", identifier)


def _fingerprint(statement: Mapping[str, Any], timestamp: int) -> int:
    """Return a key that two statements share when they tell of one event: same actor, verb, object, time and result."""
    told = (statement["actor"], statement["verb"]["id"], statement["object"].get("id"), timestamp, statement["result"])
    return _key64_of(msgspec.json.encode(told, order="sorted"))


def _key64_of(text: bytes) -> int:
    """Return the 64-bit key of a text that will not come again, without filling the cache of keys."""
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)
