"""Activities and their definitions, interactions among them (xAPI 1.0.3 Data 2.4.4.1)."""

from __future__ import annotations

from lrs.errors import Problem
from lrs.xapi.shapes import (
    Place,
    array_of,
    check_extensions,
    check_iri,
    check_irl,
    check_language_map,
    check_string,
    object_of,
    report,
    word_of,
)
from lrs.xapi.values import Json

INTERACTION_TYPES = (
    "true-false",
    "choice",
    "fill-in",
    "long-fill-in",
    "matching",
    "performance",
    "sequencing",
    "likert",
    "numeric",
    "other",
)
COMPONENT_LISTS = ("choices", "scale", "source", "target", "steps")
_INTERACTION_FIELDS = frozenset(("correctResponsesPattern", *COMPONENT_LISTS))

_check_component_array = array_of(
    object_of({"id": check_string, "description": check_language_map}, required=("id",)),
)


def _check_components(value: Json, place: Place, problems: list[Problem]) -> None:
    """Interaction components: no id may stand twice in a list."""
    _check_component_array(value, place, problems)
    if not isinstance(value, list):
        return
    seen: set[str] = set()
    for position, component in enumerate(value):
        name = component.get("id") if isinstance(component, dict) else None
        if isinstance(name, str) and name in seen:
            report(problems, ((place, position), "id"), f'"{name}" is the id of an earlier component')
        elif isinstance(name, str):
            seen.add(name)


_check_definition_members = object_of(
    {
        "name": check_language_map,
        "description": check_language_map,
        "type": check_iri,
        "moreInfo": check_irl,
        "extensions": check_extensions,
        "interactionType": word_of(INTERACTION_TYPES),
        "correctResponsesPattern": array_of(check_string),
        **dict.fromkeys(COMPONENT_LISTS, _check_components),
    }
)


def check_definition(value: Json, place: Place, problems: list[Problem]) -> None:
    """A definition that has any field of an interaction must say which type of interaction it is."""
    _check_definition_members(value, place, problems)
    if not isinstance(value, dict) or "interactionType" in value or _INTERACTION_FIELDS.isdisjoint(value):
        return
    fields = [name for name in value if name in _INTERACTION_FIELDS]
    report(problems, (place, "interactionType"), f"missing: {' and '.join(fields)} cannot stand without it")


check_activity = object_of(
    {"objectType": word_of(["Activity"]), "id": check_iri, "definition": check_definition}, required=("id",)
)
