"""What statements tell of activities and agents beside their identity, and the one record that it adds up to.

The canonical definition of an Activity (1.0.3 Communication 2.5): languages and extensions of all its definitions,
what came later over what came before. A Person (2.4): everything known of one agent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeAlias

import msgspec

from lrs.xapi.activities import COMPONENT_LISTS
from lrs.xapi.actors import IDENTIFIERS, ifi
from lrs.xapi.parts import Valid, context_activities, context_actors
from lrs.xapi.values import key64

ACTIVITY, AGENT = 1, 2
KINDS = {ACTIVITY: "activity", AGENT: "agent"}
MOST_REMEMBERED = 16_384
LONGEST_REMEMBERED = 2_000
DIGEST_BYTES = 12
_MERGED = ("name", "description", "extensions")
_OF_INTERACTION = ("correctResponsesPattern", *COMPONENT_LISTS)
_encoded = msgspec.json.Encoder().encode
_decoded = msgspec.json.Decoder().decode

Definition: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A definition that a statement gives an activity, or a name that it gives an agent, as JSON `text`.

    `name` is the activity's IRI or the agent's identifier, `key` its 64-bit key; `digest` is that of name and text.
    """

    kind: int
    name: str
    key: int
    text: bytes
    digest: bytes


def told(statement: Valid) -> tuple[Told, ...]:
    """Return what a valid statement tells, wherever it stands in it, but for its authority."""
    actor, target, context = statement["actor"], statement["object"], statement.get("context")
    found = _remembering(_by_actor, actor) if "name" in actor or "member" in actor else ()
    if "definition" in target:
        found += _remembering(_by_activity, target)
    elif "actor" in target:
        found += told(target)
    elif "name" in target or "member" in target:
        found += _remembering(_by_actor, target)
    if context is not None:
        if "contextActivities" in context:
            found += _remembering(_by_context_activities, context["contextActivities"])
        for one in context_actors(context):
            found += _remembering(_by_actor, one)
    return found


def merged(definitions: Iterable[Valid]) -> Definition:
    """Return what definitions add up to, the earliest first.

    What belongs to another type of interaction than the latest goes: choices of a question are none of its new scale.
    """
    whole: Definition = {}
    for one in definitions:
        if one.get("interactionType", whole.get("interactionType")) != whole.get("interactionType"):
            whole = {name: value for name, value in whole.items() if name not in _OF_INTERACTION}
        whole |= {name: {**whole.get(name, {}), **value} if name in _MERGED else value for name, value in one.items()}
    return whole


def person(agent: Valid, names: Iterable[str]) -> dict[str, Any]:
    """Return the Person of an agent that was asked for: its identifier, and every name that is known or was given."""
    known = [*names, agent["name"]] if "name" in agent else list(names)
    found: dict[str, Any] = {"objectType": "Person"}
    if known:
        found["name"] = list(dict.fromkeys(known))
    return found | {name: [agent[name]] for name in IDENTIFIERS if name in agent}


def with_definitions(statement: Valid, definitions: Mapping[str, Definition]) -> dict[str, Any]:
    """Return a statement with the canonical definition, where there is one, at each of its Activities.

    1.0.3 Communication 2.1.3: so the format canonical shows them, the languages not chosen yet.
    """

    def defined(activity: Valid) -> dict[str, Any]:
        known = definitions.get(activity["id"])
        return {**activity, "definition": known} if known else dict(activity)

    return _with_activities(statement, defined)


def decoded(text: bytes) -> Any:
    """Return the value of what was told."""
    return _decoded(text)


def _with_activities(statement: Valid, change: Callable[[Valid], dict[str, Any]]) -> dict[str, Any]:
    changed, target = dict(statement), statement["object"]
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        changed["object"] = change(target)
    elif kind == "SubStatement":
        changed["object"] = _with_activities(target, change)
    by_kind = statement.get("context", {}).get("contextActivities")
    if by_kind:
        shown = {name: _each(value, change) for name, value in by_kind.items()}
        changed["context"] = {**statement["context"], "contextActivities": shown}
    return changed


def _each(value: Any, change: Callable[[Valid], dict[str, Any]]) -> Any:
    return [change(one) for one in value] if isinstance(value, list) else change(value)


_remembered: dict[bytes, tuple[Told, ...]] = {}


def _remembering(read: Callable[[Valid], tuple[Told, ...]], part: Valid) -> tuple[Told, ...]:
    """Return what a part of a statement tells; senders repeat theirs, so that is remembered by the part's text."""
    text = _encoded(part)
    found = _remembered.get(text)
    if found is None:
        found = read(part)
        if len(text) <= LONGEST_REMEMBERED:
            if len(_remembered) >= MOST_REMEMBERED:
                _remembered.clear()
            _remembered[text] = found
    return found


def _by_activity(activity: Valid) -> tuple[Told, ...]:
    definition = activity.get("definition")
    return (_told(ACTIVITY, activity["id"], definition),) if definition else ()


def _by_context_activities(by_kind: Valid) -> tuple[Told, ...]:
    return tuple(
        one for activity in context_activities({"contextActivities": by_kind}) for one in _by_activity(activity)
    )


def _by_actor(actor: Valid) -> tuple[Told, ...]:
    identifier = ifi(actor)
    own = (_told(AGENT, identifier, actor["name"]),) if identifier is not None and "name" in actor else ()
    return own + tuple(one for member in actor.get("member", ()) for one in _by_actor(member))


def _told(kind: int, name: str, value: Any) -> Told:
    text = _encoded(value)
    digest = blake2b(b"%d\0%b\0%b" % (kind, name.encode(), text), digest_size=DIGEST_BYTES).digest()
    return Told(kind, name, key64(KINDS[kind], name), text, digest)
