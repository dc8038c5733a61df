"""Where agents and activities stand in a valid statement; filters, keys and canonical records all look here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from lrs.xapi.actors import ifi

# A validated statement, or a part of one: what stands in it has the types that the specification gives it.
Valid: TypeAlias = Mapping[str, Any]

_ROLES = ("instructor", "team")
_ACTORS_IN_CONTEXT = frozenset((*_ROLES, "contextAgents", "contextGroups"))


def identifiers(actor: Valid) -> list[str]:
    """Return the identifiers that an actor is found by: its own, and those of its members."""
    own = ifi(actor)
    found = [] if own is None else [own]
    if "member" in actor:
        found.extend(identifier for member in actor["member"] for identifier in identifiers(member))
    return found


def agents(statement: Valid) -> list[str]:
    """Return the identifiers that the agent filter matches: actor and object (Communication 2.1.3)."""
    found = identifiers(statement["actor"])
    if statement["object"].get("objectType") in ("Agent", "Group"):
        found.extend(identifiers(statement["object"]))
    return found


def further_agents(statement: Valid) -> list[str]:
    """Return the identifiers that related_agents matches besides: authority, context, and all of a SubStatement."""
    found = identifiers(statement["authority"]) if "authority" in statement else []
    if "context" in statement and not _ACTORS_IN_CONTEXT.isdisjoint(statement["context"]):
        for actor in _context_actors(statement["context"]):
            found.extend(identifiers(actor))
    if statement["object"].get("objectType") == "SubStatement":
        found.extend(agents(statement["object"]) + further_agents(statement["object"]))
    return found


def is_of_two_agents(statement: Valid) -> bool:
    """Tell whether nobody stands in a statement but its actor and its authority, as in most."""
    target, context = statement["object"], statement.get("context", ())
    return (
        target.get("objectType", "Activity") == "Activity"
        and _ACTORS_IN_CONTEXT.isdisjoint(context)
        and "member" not in statement["actor"]
        and "member" not in statement["authority"]
    )


def activity(statement: Valid) -> str | None:
    """Return the id of the Activity that is the object, if one is."""
    target = statement["object"]
    return target["id"] if target.get("objectType", "Activity") == "Activity" else None


def further_activities(statement: Valid) -> list[str]:
    """Return the ids that related_activities matches besides the object: context Activities, all of a SubStatement."""
    found = []
    if "context" in statement:
        found = [about["id"] for about in context_activities(statement["context"])]
    if statement["object"].get("objectType") == "SubStatement":
        nested = activity(statement["object"])
        found.extend([nested] if nested else [])
        found.extend(further_activities(statement["object"]))
    return found


def context_activities(context: Valid) -> list[Valid]:
    """Return every context Activity, of each kind, given alone or in an array."""
    found: list[Valid] = []
    for value in context.get("contextActivities", {}).values():
        if isinstance(value, list):
            found.extend(value)
        else:
            found.append(value)
    return found


def _context_actors(context: Valid) -> Iterator[Valid]:
    for role in _ROLES:
        if role in context:
            yield context[role]
    for entry in context.get("contextAgents", ()):
        yield entry["agent"]
    for entry in context.get("contextGroups", ()):
        yield entry["group"]


def context_actors(context: Valid) -> list[Valid]:
    """Return the Agents and Groups of a context."""
    return [] if _ACTORS_IN_CONTEXT.isdisjoint(context) else list(_context_actors(context))
