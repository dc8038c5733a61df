"""The parameters of GET /statements, and whether one statement meets them (xAPI 1.0.3 Communication 2.1.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lrs.errors import InvalidRequest, Problem
from lrs.xapi.parameters import UNUSABLE, Table, boolean, by_check, identifier, iri, lower_uuid, unknown, values
from lrs.xapi.parts import Valid, activity, agents, further_activities, further_agents
from lrs.xapi.shapes import word_of
from lrs.xapi.statement import Version
from lrs.xapi.values import timestamp_us

Format: TypeAlias = Literal["ids", "exact", "canonical"]

LARGEST_LIMIT = 2**31 - 1
LONGEST_LIMIT = 20
_SINGLE = ("statementId", "voidedStatementId")
_WITH_SINGLE = frozenset((*_SINGLE, "format", "attachments"))


@dataclass(frozen=True, slots=True)
class Query:
    """What a client asked for. `agent` is a canonical identifier (`actors.ifi`); a `limit` of 0 is the server's own.

    `in_utc`: times are answered in UTC, whatever offset their sender wrote (2.0 4.2.7).
    """

    statement_id: str | None = None
    voided_statement_id: str | None = None
    agent: str | None = None
    verb: str | None = None
    activity: str | None = None
    registration: str | None = None
    related_agents: bool = False
    related_activities: bool = False
    since_us: int | None = None
    until_us: int | None = None
    limit: int = 0
    ascending: bool = False
    format: Format = "exact"
    attachments: bool = False
    in_utc: bool = False


def parse(args: Mapping[str, Sequence[str]], version: Version) -> Query:
    """Return the query that the parameters spell.

    Raises InvalidRequest with every parameter that is unknown, repeated, malformed or does not go with another.
    """
    problems = unknown(args, PARAMETERS)
    problems.extend(_pairing_problems(args))
    found = values(args, PARAMETERS, problems)
    if problems:
        raise InvalidRequest(UNUSABLE, problems)
    return Query(**found, in_utc=version == "2.0.0")


def matches(statement: Valid, query: Query) -> bool:
    """Tell whether this very statement, not one that it refers to, meets every filter but those on time."""
    return (
        (query.verb is None or statement["verb"]["id"] == query.verb)
        and (query.registration is None or _registration(statement) == query.registration)
        and (query.agent is None or _has_agent(statement, query.agent, related=query.related_agents))
        and (query.activity is None or _has_activity(statement, query.activity, related=query.related_activities))
    )


def _registration(statement: Valid) -> str | None:
    registration: str | None = statement.get("context", {}).get("registration")
    return registration and registration.lower()


def _has_activity(statement: Valid, iri: str, *, related: bool) -> bool:
    return iri == activity(statement) or (related and iri in further_activities(statement))


def _has_agent(statement: Valid, identifier: str, *, related: bool) -> bool:
    return identifier in agents(statement) or (related and identifier in further_agents(statement))


def _pairing_problems(args: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Communication 2.1.3: the id of one statement goes only with format and attachments."""
    singles = [name for name in _SINGLE if name in args]
    if len(singles) == len(_SINGLE):
        yield Problem("?voidedStatementId", "must not be given together with statementId")
    if singles:
        for name in args:
            if name in PARAMETERS and name not in _WITH_SINGLE:
                yield Problem(f"?{name}", f"must not be given together with {singles[0]}")


_format = by_check(word_of(["ids", "exact", "canonical"]))


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("must be a whole number, 0 or more")
    return min(int(text), LARGEST_LIMIT) if len(text) <= LONGEST_LIMIT else LARGEST_LIMIT


PARAMETERS: Table = {
    "statementId": ("statement_id", lower_uuid),
    "voidedStatementId": ("voided_statement_id", lower_uuid),
    "agent": ("agent", identifier),
    "verb": ("verb", iri),
    "activity": ("activity", iri),
    "registration": ("registration", lower_uuid),
    "related_agents": ("related_agents", boolean),
    "related_activities": ("related_activities", boolean),
    "since": ("since_us", timestamp_us),
    "until": ("until_us", timestamp_us),
    "limit": ("limit", _limit),
    "format": ("format", _format),
    "attachments": ("attachments", boolean),
    "ascending": ("ascending", boolean),
}
"""Every parameter of GET /statements, with what reads it."""
