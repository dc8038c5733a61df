"""Which statements of a log go out: the filters of GET /statements, asked of each statement itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from lrs.store.exchange import positions_after
from lrs.store.log import bodies_with_ids
from lrs.store.search import Found, at, between
from lrs.xapi.decode import stored_statement
from lrs.xapi.query import Query, matches, parse
from lrs.xapi.statement import is_voiding
from lrs.xapi.values import key64

SPAN = 2_000
"""So many statements are read, at most, for one step through a log."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A query, and whether the registrar's acts (verbs under `act_verbs`) pass too."""

    query: Query
    act_verbs: str
    with_acts: bool = True

    @property
    def takes_all(self) -> bool:
        """Whether nothing has to be looked at."""
        query = self.query
        return self.with_acts and not (query.verb or query.activity or query.agent)

    def takes(self, statement: Mapping[str, Any]) -> bool:
        """Whether a statement passes, looked at by itself."""
        is_act = statement["verb"]["id"].startswith(self.act_verbs)
        return (self.with_acts or not is_act) and matches(statement, self.query)

    def keys(self) -> dict[str, int]:
        """Return the columns, and their keys, by which the log's own indexes narrow the statements down."""
        query = self.query
        given = {"verb": query.verb, "activity": query.activity}
        return {name: key64(name, value) for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Step:
    """The selected statements of a stretch of the log, in order; the stretch ends at `through`."""

    found: list[Found]
    through: int


def query_of(given: Mapping[str, str | None]) -> Query:
    """Return the query of these parameters of GET /statements; raises InvalidRequest with every problem."""
    return parse({name: [value] for name, value in given.items() if value}, "2.0.0")


def selection_of(filters: str, act_verbs: str) -> Selection:
    """Return the selection that was kept as JSON: parameters of GET /statements, and `acts`."""
    given = msgspec.json.decode(filters)
    with_acts = bool(given.pop("acts", False))
    return Selection(query_of(given), act_verbs, with_acts)


def step(connection: Connection, log_id: int, selection: Selection, span: tuple[int, int]) -> Step:
    """Return the selected statements at the first positions of span[0] < position <= span[1].

    A voiding statement goes where the statement goes that it voids, or that is not known yet. An erased statement has
    no text, so it goes nowhere.
    """
    after, end = span
    through = min(after + SPAN, end)
    found = [one for one in between(connection, log_id, after, through) if one.body is not None]
    return Step(_selected(connection, log_id, selection, found), through)


def indexed_step(connection: Connection, log_id: int, selection: Selection, span: tuple[int, int]) -> Step:
    """As `step`, found through the log's indexes, so that a rare verb or activity is near; voids get no special way."""
    after, end = span
    keys = selection.keys()
    if not keys:
        through = min(after + SPAN, end)
        found = between(connection, log_id, after, through)
    else:
        positions = positions_after(connection, log_id, span, keys, SPAN)
        through = positions[-1] if len(positions) == SPAN else end
        found = at(connection, log_id, positions)
    whole = [one for one in found if one.body is not None]
    if selection.takes_all:
        return Step(whole, through)
    return Step([one for one in whole if selection.takes(stored_statement(one.body or b"{}"))], through)


def _selected(connection: Connection, log_id: int, selection: Selection, found: Sequence[Found]) -> list[Found]:
    if selection.takes_all:
        return list(found)
    statements = {one.position: stored_statement(one.body or b"{}") for one in found}
    taken = {position for position, one in statements.items() if selection.takes(one)}
    targets = {
        position: str(one["object"]["id"]).lower()
        for position, one in statements.items()
        if position not in taken and is_voiding(one)
    }
    known = _verdicts(connection, log_id, selection, set(targets.values()))
    taken |= {position for position, target in targets.items() if known.get(target, True)}
    return [one for one in found if one.position in taken]


def _verdicts(connection: Connection, log_id: int, selection: Selection, ids: Iterable[str]) -> dict[str, bool]:
    """Return, for each of these ids that is stored, whether its statement passes; an erased one might have."""
    wanted = sorted(ids)
    if not wanted:
        return {}
    bodies = bodies_with_ids(connection, log_id, wanted)
    return {name: body is None or selection.takes(stored_statement(body)) for name, body in bodies.items()}
