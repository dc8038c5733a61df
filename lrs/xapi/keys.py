"""What a statement is found by, as 64-bit keys: together they say all that `query.matches` would find."""

from __future__ import annotations

from typing import NamedTuple

from lrs.xapi.actors import ifi
from lrs.xapi.parts import (
    Valid,
    activity,
    agents,
    further_activities,
    further_agents,
    identifiers,
    is_of_two_agents,
)
from lrs.xapi.statement import is_voiding
from lrs.xapi.values import key64


class Keys(NamedTuple):
    """The keys of one statement.

    `agents` is what the agent filter finds beside the actor; `related_agents` what related_agents finds beside the
    actor and the authority; `related_activities` what related_activities finds beside the object.
    """

    verb: int
    actor: int | None
    activity: int | None
    authority: int
    registration: str | None
    agents: tuple[int, ...]
    related_agents: tuple[int, ...]
    related_activities: tuple[int, ...]
    target: str | None
    is_voiding: bool

    def postings(self) -> tuple[int, ...]:
        """Return all further keys: those of agents, related agents and related activities."""
        return self.agents + self.related_agents + self.related_activities


def keys(statement: Valid) -> Keys:
    """Return the keys of a validated statement that has its authority."""
    actor, authority, about = ifi(statement["actor"]), ifi(statement["authority"]), activity(statement)
    acting, further = ([], []) if is_of_two_agents(statement) else (agents(statement), further_agents(statement))
    registration = statement["context"].get("registration") if "context" in statement else None
    target = statement["object"]
    return Keys(
        verb=key64("verb", statement["verb"]["id"]),
        actor=None if actor is None else key64("agent", actor),
        activity=None if about is None else key64("activity", about),
        authority=key64("agent", authority or _name_of_pair(statement["authority"])),
        registration=None if registration is None else registration.lower(),
        agents=_keys("agent", acting, (actor,)),
        related_agents=_keys("related-agent", acting + further, (actor, authority)),
        related_activities=_keys("related-activity", further_activities(statement), (about,)),
        target=target["id"].lower() if target.get("objectType") == "StatementRef" else None,
        is_voiding=is_voiding(statement),
    )


def _keys(kind: str, texts: list[str], without: tuple[str | None, ...]) -> tuple[int, ...]:
    """Return one key for each text but those, in the order in which they stand."""
    wanted = [text for text in texts if text not in without]
    return tuple([key64(kind, text) for text in dict.fromkeys(wanted)]) if wanted else ()


def _name_of_pair(authority: Valid) -> str:
    """Return a name for an authority of application and user, whichever of them stands first."""
    return f"group:{'|'.join(sorted(identifiers(authority)))}"
