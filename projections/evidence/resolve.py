"""One statement → the evidence that it is, for whom and of what; or why it is none.

The order of resolution (recorded with each row): 1 the object is a competency; 2 a context activity is one; 3 an
alignment extension names one; 4 the alignment table knows the activity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from lrs.xapi.actors import ifi
from lrs.xapi.values import key64
from projections.evidence.evidence import KINDS
from projections.evidence.normalise import BY_POINTS, Score, score_of
from projections.profile import REVISION, TASK, VERBS
from projections.registry import Act, Acts

ADL: Final = "http://adlnet.gov/expapi/verbs/"
VOIDED: Final = f"{ADL}voided"
COMPLETION_VERBS: Final = frozenset(
    [ADL + word for word in ("attempted", "attended", "completed", "exited", "experienced", "initialized", "launched")]
    + [ADL + word for word in ("progressed", "registered", "resumed", "satisfied", "suspended", "terminated", "waived")]
    + ["https://w3id.org/xapi/adl/verbs/satisfied", "https://w3id.org/xapi/adl/verbs/waived"]
    + ["http://activitystrea.ms/schema/1.0/complete"]
)
"""Presence, effort and completion: never evidence of mastery, whatever result is attached."""

ALIGNMENT_EXTENSION: Final = "https://w3id.org/xapi/acrossx/extensions/alignment"
KIND_OF_TYPE: Final = {
    "http://adlnet.gov/expapi/activities/assessment": "local_summative",
    "http://adlnet.gov/expapi/activities/performance": "performance_task",
    "http://adlnet.gov/expapi/activities/simulation": "performance_task",
}
"""The kind of assessment where no alignment names one; every other type of activity is formative."""

BY_OBJECT, BY_CONTEXT, BY_EXTENSION, BY_ALIGNMENT = 1, 2, 3, 4
MOST_NESTED = 3


class Learner(NamedTuple):
    """Who the evidence is about: the key, the identifier behind it, and the Agent as sent."""

    key: int
    ifi: str
    agent: Mapping[str, Any]


class Aligned(NamedTuple):
    """A competency that the statement speaks of, by its key, and which step of the order found it."""

    competency: int
    matched: int


class Resolved(NamedTuple):
    """What a statement is evidence of; one row for each learner and competency."""

    learners: Sequence[Learner]
    competencies: Sequence[Aligned]
    kind: int
    task: int
    revision: int
    score_num: int | None
    score_den: int | None
    success: bool | None
    fingerprint: int
    is_group: bool
    normaliser: int
    alignment: int


class Unused(NamedTuple):
    """Why a statement that could be evidence is not: the reason's name, and what it was about."""

    reason: str
    detail: str


def resolve(statement: Mapping[str, Any], timestamp: int, acts: Acts) -> Resolved | Unused | None:
    """Return what a statement is evidence of, why it is unused, or None when it never could be evidence."""
    result = statement.get("result")
    if not result or ("score" not in result and "success" not in result):
        return None
    verb, about = statement["verb"]["id"], statement["object"]
    if verb == VOIDED or verb.startswith(VERBS):
        return None
    if verb in COMPLETION_VERBS:
        return Unused("completion", verb)
    if about.get("objectType", "Activity") != "Activity":
        return Unused("no_activity", f"the result of an activity counts, this is about a {about['objectType']}")
    learners = _learners(statement["actor"])
    if not learners:
        return Unused("no_learner", "a group whose members are not named")
    competencies, act = _competencies(statement, acts)
    if not competencies:
        return Unused("unaligned", about["id"])
    score = score_of(statement, acts)
    if isinstance(score, str):
        return Unused("unnormalisable", score)
    return _resolved(statement, timestamp, learners, competencies, act, score)


def _resolved(
    statement: Mapping[str, Any], timestamp: int, learners: Sequence[Learner], competencies: Sequence[Aligned],
    act: Act | None, score: Score | None,
) -> Resolved:  # fmt: skip
    about = statement["object"]
    extensions = statement.get("context", {}).get("extensions", {})
    revision = extensions.get(REVISION)
    numerator, denominator, normaliser = score or (None, None, BY_POINTS)
    return Resolved(
        learners,
        competencies,
        KINDS.index(act.document.kind if act else _kind_of_type(about)),
        key64("task", _task(about, act, extensions)),
        revision if type(revision) is int and 0 <= revision < 2**31 else 0,
        numerator,
        denominator,
        statement["result"].get("success"),
        _fingerprint(statement, timestamp),
        statement["actor"].get("objectType") == "Group",
        normaliser,
        act.position if act else 0,
    )


def _learners(actor: Mapping[str, Any]) -> list[Learner]:
    """Return the actor, or each member of a group: a group's work is evidence for every one of them."""
    agents = actor.get("member", ()) if actor.get("objectType") == "Group" else (actor,)
    found: dict[str, Learner] = {}
    for agent in agents:
        identifier = ifi(agent)
        if identifier is not None and identifier not in found:
            found[identifier] = Learner(key64("agent", identifier), identifier, agent)
    return list(found.values())


def _competencies(statement: Mapping[str, Any], acts: Acts) -> tuple[list[Aligned], Act | None]:
    """Return the competencies by the first step of the order that finds any, and the activity's alignment, if any."""
    about = statement["object"].get("id", "")
    act = acts.alignments.get(about)
    known = acts.competencies
    if about in known:
        return _aligned([about], BY_OBJECT), act
    in_context = [one for one in context_activities(statement) if one in known]
    if in_context:
        return _aligned(in_context, BY_CONTEXT), act
    in_extension = [one for one in extension_iris(statement) if one in known]
    if in_extension:
        return _aligned(in_extension, BY_EXTENSION), act
    if act:
        return _aligned([one for one in act.document.competencies if one in known], BY_ALIGNMENT), act
    return [], act


def _aligned(iris: Sequence[str], matched: int) -> list[Aligned]:
    return [Aligned(key64("competency", iri), matched) for iri in sorted(set(iris))]


def context_activities(statement: Mapping[str, Any]) -> list[str]:
    """Return the IRIs of a statement's context activities, grouping and parent first."""
    context = statement.get("context")
    groups = context.get("contextActivities") if context else None
    if not groups:
        return []
    lists = [groups[name] for name in ("grouping", "parent", "category", "other") if name in groups]
    return [one["id"] for found in lists for one in ((found,) if isinstance(found, dict) else found)]


def extension_iris(statement: Mapping[str, Any]) -> list[str]:
    """Return every text inside the alignment extension, wherever the statement carries it."""
    found: list[str] = []
    for place in (statement.get("context"), statement.get("result"), statement["object"].get("definition")):
        extensions = place.get("extensions") if place else None
        if extensions and ALIGNMENT_EXTENSION in extensions:
            found += _texts(extensions[ALIGNMENT_EXTENSION], MOST_NESTED)
    return found


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner, depth - 1)


def _kind_of_type(about: Mapping[str, Any]) -> str:
    return KIND_OF_TYPE.get(about.get("definition", {}).get("type", ""), "formative")


def _task(about: Mapping[str, Any], act: Act | None, extensions: Mapping[str, Any]) -> str:
    """Return what makes two attempts the same task: named by the sender, by the alignment, else the activity itself."""
    named = extensions.get(TASK)
    if isinstance(named, str):
        return named
    return (act.document.task if act else None) or str(about.get("id", ""))


def _fingerprint(statement: Mapping[str, Any], timestamp: int) -> int:
    """Return a key that two statements share when they tell of one event: same actor, verb, object, time and result."""
    told = (statement["actor"], statement["verb"]["id"], statement["object"].get("id"), timestamp, statement["result"])
    return _key64_of(msgspec.json.encode(told, order="sorted"))


def _key64_of(text: bytes) -> int:
    """Return the 64-bit key of a text that will not come again, without filling the cache of keys."""
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)
