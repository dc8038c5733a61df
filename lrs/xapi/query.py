"""The parameters of GET /statements, and whether one statement meets them (xAPI 1.0.3 Communication 2.1.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from lrs.errors import InvalidJson, InvalidRequest, Problem
from lrs.xapi.actors import check_actor, ifi
from lrs.xapi.decode import statements_of
from lrs.xapi.parts import Valid, activity, agents, further_activities, further_agents
from lrs.xapi.shapes import Check, check_iri, check_uuid, nearest, word_of
from lrs.xapi.statement import Version
from lrs.xapi.values import timestamp_us

Format: TypeAlias = Literal["ids", "exact", "canonical"]

LARGEST_LIMIT = 2**31 - 1
LONGEST_LIMIT = 20
_SINGLE = ("statementId", "voidedStatementId")
_WITH_SINGLE = frozenset((*_SINGLE, "format", "attachments"))


@dataclass(frozen=True, slots=True)
class Query:
    """What a client asked for. `agent` is a canonical identifier (`actors.ifi`); a `limit` of 0 is the server's own."""

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


def parse(args: Mapping[str, Sequence[str]], version: Version) -> Query:  # noqa: ARG001 - both versions ask alike today
    """Return the query that the parameters spell.

    Raises InvalidRequest with every parameter that is unknown, repeated, malformed or does not go with another.
    """
    problems = [_unknown(name) for name in args if name not in _PARAMETERS]
    problems.extend(_pairing_problems(args))
    found: dict[str, Any] = {}
    for name, texts in args.items():
        if name not in _PARAMETERS:
            continue
        if len(texts) != 1:
            problems.append(Problem(f"?{name}", f"must be given once, not {len(texts)} times"))
            continue
        field, read = _PARAMETERS[name]
        try:
            found[field] = read(texts[0])
        except ValueError as error:
            problems.extend(Problem(f"?{name}", str(words)) for words in error.args)
    if problems:
        raise InvalidRequest("The query has parameters that cannot be used.", problems)
    return Query(**found)


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


def _unknown(name: str) -> Problem:
    near = nearest(name, _PARAMETERS)
    return Problem(f"?{name}", f'unknown: did you mean "{near}"?' if near else "unknown: remove it")


def _pairing_problems(args: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Communication 2.1.3: the id of one statement goes only with format and attachments."""
    singles = [name for name in _SINGLE if name in args]
    if len(singles) == len(_SINGLE):
        yield Problem("?voidedStatementId", "must not be given together with statementId")
    if singles:
        for name in args:
            if name in _PARAMETERS and name not in _WITH_SINGLE:
                yield Problem(f"?{name}", f"must not be given together with {singles[0]}")


def _by_check(check: Check) -> Callable[[str], str]:
    """Return a reader that demands of a parameter what the check demands of the same value in a statement."""

    def read(text: str) -> str:
        problems: list[Problem] = []
        check(text, "", problems)
        if problems:
            raise ValueError(*(problem.message for problem in problems))
        return text

    return read


_iri = _by_check(check_iri)
_uuid = _by_check(check_uuid)
_true_or_false = _by_check(word_of(["true", "false"]))
_format = _by_check(word_of(["ids", "exact", "canonical"]))


def _lower_uuid(text: str) -> str:
    return _uuid(text).lower()


def _boolean(text: str) -> bool:
    return _true_or_false(text) == "true"


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("must be a whole number, 0 or more")
    return min(int(text), LARGEST_LIMIT) if len(text) <= LONGEST_LIMIT else LARGEST_LIMIT


def _agent(text: str) -> str:
    if not text.lstrip().startswith("{"):
        raise ValueError("must be an Agent or an identified Group, as a JSON object")
    try:
        ((_, agent),) = statements_of(text.encode())
    except InvalidJson as error:
        raise ValueError(*(problem.message for problem in error.problems)) from error
    problems: list[Problem] = []
    check_actor(agent, "", problems)
    if problems:
        raise ValueError(*map(str, problems))
    identifier = ifi(cast("Valid", agent))
    if identifier is None:
        raise ValueError("must have an identifier: an anonymous Group cannot be looked for")
    return identifier


_PARAMETERS: dict[str, tuple[str, Callable[[str], object]]] = {
    "statementId": ("statement_id", _lower_uuid),
    "voidedStatementId": ("voided_statement_id", _lower_uuid),
    "agent": ("agent", _agent),
    "verb": ("verb", _iri),
    "activity": ("activity", _iri),
    "registration": ("registration", _lower_uuid),
    "related_agents": ("related_agents", _boolean),
    "related_activities": ("related_activities", _boolean),
    "since": ("since_us", timestamp_us),
    "until": ("until_us", timestamp_us),
    "limit": ("limit", _limit),
    "format": ("format", _format),
    "attachments": ("attachments", _boolean),
    "ascending": ("ascending", _boolean),
}
