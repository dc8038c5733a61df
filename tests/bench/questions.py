"""What is asked of a log: the filters of GET /xapi/statements, alone and in pairs, and the plans that answer them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from sqlalchemy import Engine, event

from tests.bench.statements import (
    ACTIVITIES,
    NEVER_MEET,
    TOOL,
    VERBS,
    encoded,
    learner,
    registration,
    statement_id,
    verb_iri,
)

LIMIT: Final = 50
PER_LEARNER: Final = 50
SINCE: Final = "2020-01-01T00:00:00Z"
_ACCESS: Final = re.compile(r"(?:Index(?: Only)? Scan|Bitmap Index Scan|Seq Scan)[^(]*? (?:using|on) (\w+)")


class Question(NamedTuple):
    """Parameters for a log of so many statements, and whether at least one statement must come back."""

    ask: Callable[[Random, int], dict[str, Any]]
    finds_some: bool = True


def _agent(rng: Random, size: int) -> str:
    return encoded(learner(rng.randrange(size // PER_LEARNER))).decode()


def _activity(rng: Random) -> str:
    place = rng.randrange(ACTIVITIES)
    return f"{TOOL}/courses/{place // 25:02}/items/{place:04}"


def _course(number: int) -> str:
    return f"{TOOL}/courses/{number:02}"


QUESTIONS: Final[dict[str, Question]] = {
    "get_by_id": Question(lambda rng, size: {"statementId": statement_id(rng.randrange(size))}),
    "newest": Question(lambda rng, size: {}),
    "agent": Question(lambda rng, size: {"agent": _agent(rng, size)}),
    "verb": Question(lambda rng, size: {"verb": verb_iri(rng.choice(VERBS))}),
    "activity": Question(lambda rng, size: {"activity": _activity(rng)}),
    "registration": Question(
        lambda rng, size: {"registration": registration(rng.randrange(size // PER_LEARNER), rng.randrange(20))}, False
    ),
    "agent_verb": Question(lambda rng, size: {"agent": _agent(rng, size), "verb": verb_iri(VERBS[0])}),
    "activity_since": Question(lambda rng, size: {"activity": _activity(rng), "since": SINCE}),
    "activity_verb": Question(
        lambda rng, size: {"activity": _activity(rng), "verb": verb_iri(rng.choice(VERBS))}, False
    ),
    "related_activities": Question(
        lambda rng, size: {"activity": _course(rng.randrange(20)), "related_activities": "true"}
    ),
    "related_agents": Question(lambda rng, size: {"agent": _agent(rng, size), "related_agents": "true"}),
    "ascending_verb": Question(lambda rng, size: {"verb": verb_iri(rng.choice(VERBS)), "ascending": "true"}),
    "worst_pair": Question(
        lambda rng, size: {
            "activity": _course(NEVER_MEET[0]),
            "related_activities": "true",
            "verb": verb_iri(NEVER_MEET[1]),
        },
        False,
    ),
}


def path(question: Question, rng: Random, size: int) -> str:
    """Return the path and query of one request."""
    asked = question.ask(rng, size)
    limit = {} if "statementId" in asked else {"limit": LIMIT}
    return f"/xapi/statements?{urlencode(asked | limit)}"


@contextmanager
def explained(engine: Engine) -> Iterator[list[str]]:
    """Collect the plan of every SELECT of statements that the engine runs meanwhile."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        if sql.lstrip().startswith("SELECT") and "statement_body" in sql:
            asked.append((sql, parameters))

    plans: list[str] = []
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield plans
    finally:
        event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        for sql, parameters in asked:
            rows = connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {sql}", parameters)
            plans.append("\n".join(str(row[0]) for row in rows))


def read_whole(plan: str) -> list[str]:
    """Return the tables that a plan reads from end to end."""
    return re.findall(r"Seq Scan on (\w+)", plan)


def accesses(plan: str) -> str:
    """Return what a plan reads: its indexes, and tables that it reads from end to end, in capitals."""
    found = [
        name.upper() if "Seq Scan" in line else name for line in plan.splitlines() for name in _ACCESS.findall(line)
    ]
    return ", ".join(dict.fromkeys(found))
