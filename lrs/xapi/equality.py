"""Whether two statements say the same (xAPI 1.0.3 Data 2.3.1, Statement Comparison Requirements).

Each statement is reduced to what may not change, and the two rests are compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from lrs.xapi.actors import IDENTIFIERS, ifi
from lrs.xapi.parts import Valid
from lrs.xapi.values import Json, timestamp_us

Essence = Callable[[Any], Any]

_SET_BY_THE_LRS = frozenset(("id", "authority", "stored", "timestamp", "version"))
_NOT_COMPARED = _SET_BY_THE_LRS | {"attachments"}
_beyond_hundredths = re.compile(r"([.,][0-9]{2})[0-9]+(?=S)")


def is_equal(stored: Valid, posted: Valid) -> bool:
    """Tell whether two valid statements differ only in what may change between sending and storing.

    Left out: what the LRS sets, attachments, the display of verbs, the definitions of activities. Taken as the same:
    members in any order, UUIDs and e-mail domains in any case, a context Activity alone or in an array, an objectType
    left out. Durations are compared as strings, up to 0.01 second (Data 4.6).
    """
    return _is_same(_statement(stored), _statement(posted))


def _is_same(left: Json, right: Json) -> bool:
    """Compare two JSON values: numbers by value, but true is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_is_same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_is_same, left, right))
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _statement(statement: Valid) -> dict[str, Any]:
    kept = {key: value for key, value in statement.items() if key not in _NOT_COMPARED}
    return _reduced(kept, _ESSENCES)


def _sub_statement(statement: Valid) -> dict[str, Any]:
    """Nothing sets the timestamp of a SubStatement but its sender, so the instant counts."""
    kept = {key: value for key, value in statement.items() if key != "attachments"}
    return _reduced(kept, {**_ESSENCES, "timestamp": timestamp_us})


def _reduced(parts: Valid, essences: Mapping[str, Essence]) -> dict[str, Any]:
    """Return the parts, those that have an essence reduced to it."""
    return {key: essences[key](value) if key in essences else value for key, value in parts.items()}


def _actor(actor: Valid) -> dict[str, Any]:
    rest = {key: value for key, value in actor.items() if key not in IDENTIFIERS}
    essence = {"objectType": "Agent", **rest, "identifier": ifi(actor)}
    if "member" in actor:
        essence["member"] = sorted(map(_actor, actor["member"]), key=_order)
    return essence


def _order(essence: object) -> bytes:
    return msgspec.json.encode(essence, order="deterministic")


def _id_only(part: Valid) -> dict[str, Any]:
    """An activity or a verb is its id; all else about it is held by the LRS."""
    return {"id": part["id"]}


def _reference(reference: Valid) -> dict[str, Any]:
    return {**reference, "id": reference["id"].lower()}


def _object(target: Valid) -> Any:
    return _OBJECTS[target.get("objectType", "Activity")](target)


def _context_activities(by_kind: Valid) -> dict[str, Any]:
    return {
        kind: [_id_only(activity) for activity in (value if isinstance(value, list) else [value])]
        for kind, value in by_kind.items()
    }


def _context(context: Valid) -> dict[str, Any]:
    return _reduced(
        context,
        {
            "registration": str.lower,
            "language": str.lower,
            "instructor": _actor,
            "team": _actor,
            "statement": _reference,
            "contextActivities": _context_activities,
            "contextAgents": _each_with("agent"),
            "contextGroups": _each_with("group"),
        },
    )


def _each_with(role: str) -> Essence:
    return lambda entries: [_reduced(entry, {role: _actor}) for entry in entries]


def _result(result: Valid) -> dict[str, Any]:
    return _reduced(result, {"duration": lambda text: _beyond_hundredths.sub(r"\1", text)})


_ESSENCES: Mapping[str, Essence] = {
    "actor": _actor,
    "verb": _id_only,
    "object": _object,
    "result": _result,
    "context": _context,
}
_OBJECTS: Mapping[str, Essence] = {
    "Activity": _id_only,
    "Agent": _actor,
    "Group": _actor,
    "StatementRef": _reference,
    "SubStatement": _sub_statement,
}
