"""What makes a statement valid: the tables of xAPI 1.0.3 Data 2.4, and of 2.0 where that differs.

Every check adds all problems it finds, so that a sender mends a statement in one go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from lrs.errors import Problem
from lrs.xapi.activities import check_activity
from lrs.xapi.actors import IDENTIFIERS, check_actor, check_agent, check_authority, check_group
from lrs.xapi.attachments import check_attachments
from lrs.xapi.shapes import (
    Check,
    Place,
    array_of,
    check_boolean,
    check_extensions,
    check_iri,
    check_language_map,
    check_language_tag,
    check_number,
    check_string,
    check_timestamp,
    check_uuid,
    choice,
    is_number,
    object_of,
    refuse,
    remembered,
    report,
    text_of,
    word_of,
)
from lrs.xapi.values import Json, is_duration

Version: TypeAlias = Literal["1.0.3", "2.0.0"]

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
_NOT_ACTIVITIES = ("Agent", "Group", "StatementRef", "SubStatement")


def problems(statement: Json, version: Version, pointer: str = "") -> list[Problem]:
    """Return every problem of a statement, each with its JSON pointer; a valid statement has none."""
    found: list[Problem] = []
    _CHECK_STATEMENT[version](statement, pointer, found)
    return found


def is_voiding(statement: Mapping[str, Any]) -> bool:
    """Tell whether a valid statement voids another (Data 2.3.2)."""
    is_voided: bool = statement["verb"]["id"] == VOIDED
    return is_voided


check_verb = object_of({"id": check_iri, "display": check_language_map}, required=("id",))
check_statement_ref = object_of(
    {"objectType": word_of(["StatementRef"]), "id": check_uuid}, required=("objectType", "id")
)


def _check_score(value: Json, place: Place, problems: list[Problem]) -> None:
    """Data 2.4.5.1: scaled lies in -1..1, min is below max, raw between them."""
    _check_score_members(value, place, problems)
    if not isinstance(value, dict):
        return
    raw, low, high = _number(value, "raw"), _number(value, "min"), _number(value, "max")
    if low is not None and high is not None and low >= high:
        report(problems, (place, "min"), f"must be less than max, which is {high}, but is {low}")
    if raw is not None and low is not None and raw < low:
        report(problems, (place, "raw"), f"must not be less than min, which is {low}, but is {raw}")
    if raw is not None and high is not None and raw > high:
        report(problems, (place, "raw"), f"must not be more than max, which is {high}, but is {raw}")


def _check_scaled(value: Json, place: Place, problems: list[Problem]) -> None:
    check_number(value, place, problems)
    if isinstance(value, (int, float)) and not -1 <= value <= 1:
        refuse(problems, place, "between -1 and 1", value)


def _number(score: Mapping[str, Json], name: str) -> float | None:
    value = score.get(name)
    return value if isinstance(value, (int, float)) and is_number(value) else None


_check_score_members = object_of(
    {"scaled": _check_scaled, "raw": check_number, "min": check_number, "max": check_number}
)
_check_result = object_of(
    {
        "score": _check_score,
        "success": check_boolean,
        "completion": check_boolean,
        "response": check_string,
        "duration": text_of(is_duration, "an ISO 8601 duration, such as PT4H35M59.14S or P4W"),
        "extensions": check_extensions,
    }
)


def _check_context_activity(value: Json, place: Place, problems: list[Problem]) -> None:
    """Data 2.4.6.2: an array of Activities, or as in 0.95 a single one."""
    (_check_activities if isinstance(value, list) else check_activity)(value, place, problems)


def _check_relevant_types(value: Json, place: Place, problems: list[Problem]) -> None:
    _check_iris(value, place, problems)
    if value == []:
        report(problems, place, "must hold at least one IRI of an activity type, or be left out")


_check_activities = array_of(check_activity)
_check_iris = array_of(check_iri)
_CONTEXT = {
    "registration": check_uuid,
    "instructor": check_actor,
    "team": check_group,
    "contextActivities": remembered(
        object_of(dict.fromkeys(("parent", "grouping", "category", "other"), _check_context_activity))
    ),
    "revision": check_string,
    "platform": check_string,
    "language": check_language_tag,
    "statement": check_statement_ref,
    "extensions": check_extensions,
}
_CONTEXT_OF_2 = {
    **_CONTEXT,
    "contextAgents": array_of(
        object_of(
            {"objectType": word_of(["contextAgent"]), "agent": check_agent, "relevantTypes": _check_relevant_types},
            required=("objectType", "agent"),
        )
    ),
    "contextGroups": array_of(
        object_of(
            {"objectType": word_of(["contextGroup"]), "group": check_group, "relevantTypes": _check_relevant_types},
            required=("objectType", "group"),
        )
    ),
}


def _object_by_type(kinds: Mapping[str, Check]) -> Check:
    """Return the check of an object of any of these types; one that does not say its type is an Activity."""

    def check(value: Json, place: Place, problems: list[Problem]) -> None:
        kind = value.get("objectType", "Activity") if isinstance(value, dict) else "Activity"
        check_kind = kinds.get(kind) if isinstance(kind, str) else None
        if check_kind is None:
            refuse(problems, (place, "objectType"), choice(list(kinds)), kind)
        elif isinstance(value, dict) and (untold := _untold_type(value)):
            report(problems, (place, "objectType"), f"missing: {untold} as object must say its objectType")
        else:
            check_kind(value, place, problems)

    return check


def _untold_type(target: Mapping[str, Json]) -> str | None:
    """Return what an object without objectType would be taken for by its properties, if not for an Activity."""
    if "objectType" in target or "id" in target:
        return None
    if "actor" in target and "verb" in target:
        return "a SubStatement"
    return "an Agent or a Group" if any(name in target for name in (*IDENTIFIERS, "member")) else None


def _event(members: Mapping[str, Check], required: tuple[str, ...]) -> Check:
    """Return the check of a Statement or SubStatement: its members, and what they ask of each other."""
    check_members = object_of(members, required)

    def check(value: Json, place: Place, problems: list[Problem]) -> None:
        check_members(value, place, problems)
        if isinstance(value, dict):
            _check_context_fits(value, place, problems)
            _check_voiding(value, place, problems)

    return check


def _check_context_fits(event: Mapping[str, Json], place: Place, problems: list[Problem]) -> None:
    """Data 2.4.6: revision and platform belong to an Activity."""
    context, target = event.get("context"), event.get("object")
    if not isinstance(context, dict) or not isinstance(target, dict):
        return
    if target.get("objectType") not in _NOT_ACTIVITIES:
        return
    for name in ("revision", "platform"):
        if name in context:
            report(problems, ((place, "context"), name), "must be left out: the object is not an Activity")


def _check_voiding(event: Mapping[str, Json], place: Place, problems: list[Problem]) -> None:
    """Data 2.3.2: what is voided is named by a StatementRef."""
    verb, target = event.get("verb"), event.get("object")
    if not isinstance(verb, dict) or verb.get("id") != VOIDED or not isinstance(target, dict):
        return
    if target.get("objectType") != "StatementRef":
        report(problems, ((place, "object"), "objectType"), 'must be "StatementRef": this verb voids a statement')


def _statement(context: Mapping[str, Check], is_version: Callable[[str], object], wanted: str) -> Check:
    """Return the check of a whole statement, from the tables in which the versions of xAPI differ."""
    objects = {
        "Activity": check_activity,
        "Agent": check_agent,
        "Group": check_group,
        "StatementRef": check_statement_ref,
    }
    shared = {
        "actor": remembered(check_actor),
        "verb": remembered(check_verb),
        "result": _check_result,
        "context": object_of(context),
        "timestamp": check_timestamp,
        "attachments": check_attachments,
    }
    nested = {**shared, "objectType": word_of(["SubStatement"]), "object": _object_by_type(objects)}
    check_sub_statement = _event(nested, ("objectType", "actor", "verb", "object"))
    own = {
        "id": check_uuid,
        "object": remembered(_object_by_type({**objects, "SubStatement": check_sub_statement})),
        "stored": check_timestamp,
        "authority": check_authority,
        "version": text_of(is_version, wanted),
    }
    return _event({**shared, **own}, ("actor", "verb", "object"))


_is_version_1 = re.compile(r"1\.0(?:\.[0-9]+)?").fullmatch
_is_version_1_or_2 = re.compile(r"1\.0(?:\.[0-9]+)?|2\.0\.[0-9]+").fullmatch
_CHECK_STATEMENT: Mapping[Version, Check] = {
    "1.0.3": _statement(_CONTEXT, _is_version_1, "1.0 or 1.0.x"),
    "2.0.0": _statement(_CONTEXT_OF_2, _is_version_1_or_2, "2.0.x, 1.0 or 1.0.x"),
}
