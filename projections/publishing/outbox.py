"""The outbox: which decisions have turned something since the last time, told in the log once each.

The live builds are the queue, and a row for each log says how far they were published. Statements are appended first
and the row moves afterwards: what a worker did not live to note is looked up in the log and left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Engine, Table, insert, literal, select, update

from lrs.store.engine import immediate
from lrs.store.log import Log, bodies_with_ids
from lrs.store.search import at
from lrs.xapi.decode import stored_statement
from lrs.xapi.values import key64
from projections.building.builds import Build, live_builds
from projections.credit.tables import credit_decision
from projections.credit.timeline import OUTCOMES
from projections.evidence import tables as source
from projections.ids import DecisionId
from projections.mastery.tables import decision
from projections.mastery.timeline import STATUSES
from projections.publishing.statements import Subject, Turn, statement_id, statement_of
from projections.publishing.tables import publication
from projections.registry import read_document
from projections.view import View

SPAN = 2_000
"""Positions whose decisions are looked at before the checkpoint moves."""
AT_ONCE = 200
"""Statements in one append."""
NEEDED = ("evidence", "mastery", "credit")
PROFICIENT, ELIGIBLE = STATUSES.index("proficient"), OUTCOMES.index("eligible")


@dataclass(frozen=True, slots=True)
class Office:
    """Who publishes: both engines, how statements are appended, and the Agent that stands for a district."""

    log_engine: Engine
    engine: Engine
    append: Callable[[Log, list[dict[str, Any]]], object]
    agent_of: Callable[[Log], Mapping[str, Any]]


class Due(NamedTuple):
    """What is to be looked at next: positions after < position <= through, in these live builds."""

    after: int
    through: int
    builds: Mapping[str, Build]


class _Row(NamedTuple):
    """A decision as both projections keep it; `state` is its status or outcome, `lapses` when time may undo it."""

    learner: int
    subject: int
    position: int
    state: int
    level: str | None
    lapses: int | None
    digest: bytes


Turned = tuple[_Row, DecisionId, DecisionId | None]
"""A decision that turned something, its id, and for a loss the decision by which it had been gained."""


def publish(office: Office, log: Log) -> int:
    """Publish what was decided since the last time; return how many statements were appended.

    The first time it only notes where the log stands: what was decided before publishing began stays unpublished.
    """
    count = 0
    while (due := _due(office, log)) is not None:
        count += _publish_due(office, log, due)
        _note(office, log, due)
    return count


def restart(office: Office, log: Log, position: int) -> None:
    """Let publishing go on behind a position; what was published from there on is left alone."""
    with immediate(office.engine).begin() as connection:
        changed = connection.execute(
            update(publication).where(publication.c.log_id == log.log_id).values(position=position)
        )
        if changed.rowcount == 0:
            connection.execute(insert(publication).values(log_id=log.log_id, position=position))


def _due(office: Office, log: Log) -> Due | None:
    """Return what to look at next; None when all that is folded was published."""
    with office.engine.connect() as connection:
        builds = live_builds(connection, log.log_id)
        query = select(publication.c.position).where(publication.c.log_id == log.log_id)
        after = connection.scalar(query)
    if not all(name in builds for name in NEEDED):
        return None
    folded = min(builds[name].position for name in NEEDED)
    if after is None:
        restart(office, log, folded)
        return None
    return Due(after, min(after + SPAN, folded), builds) if after < folded else None


def _note(office: Office, log: Log, due: Due) -> None:
    """Move the checkpoint, unless another worker or `restart` has moved it meanwhile."""
    own = publication.c.log_id == log.log_id, publication.c.position == due.after
    with immediate(office.engine).begin() as connection:
        connection.execute(update(publication).where(*own).values(position=due.through))


def _publish_due(office: Office, log: Log, due: Due) -> int:
    with office.engine.connect() as connection, office.log_engine.connect() as log_connection:
        view = View(connection, log_connection, log, due.builds, due.through)
        found = sorted(_turns(view, due.after), key=lambda one: (one[1].position, one[1][:3]))
        subjects = _subjects(view) if found else {}
    chunks = (found[start : start + AT_ONCE] for start in range(0, len(found), AT_ONCE))
    return sum(_publish_chunk(office, log, due, chunk, subjects) for chunk in chunks)


def _publish_chunk(
    office: Office, log: Log, due: Due, chunk: Sequence[Turned], subjects: Mapping[tuple[bool, int], Subject]
) -> int:
    """Append what the log does not have yet, by a look at it that is newer than the chunk before."""
    with office.engine.connect() as connection, office.log_engine.connect() as log_connection:
        view = View(connection, log_connection, log, due.builds, due.through)
        statements = _statements(view, chunk, subjects, office.agent_of(log))
    if statements:
        office.append(log, statements)
    return len(statements)


def _turns(view: View, after: int) -> Iterator[Turned]:
    """Yield the decisions of a span that turned something."""
    own, made = credit_decision.c, decision.c
    none = literal(None)
    credit = [own.learner, own.policy, own.position, own.outcome, none.label("level"), none.label("lapses"), own.digest]
    mastery = [made.learner, made.competency, made.position, made.status, made.level, made.lapses, made.digest]
    yield from _turned(_histories(view, "mastery", decision, mastery, after), PROFICIENT, False, after)
    yield from _turned(_histories(view, "credit", credit_decision, credit, after), ELIGIBLE, True, after)


def _histories(
    view: View, projection: str, table: Table, columns: Sequence[ColumnElement[Any]], after: int
) -> Iterator[_Row]:
    """Yield every decision up to the view on the learners of whom anything was decided in the span, key by key."""
    build = table.c.build_id == view.build(projection)
    fresh = select(table.c.learner).where(build, table.c.position > after, table.c.position <= view.position)
    query = select(*columns).where(build, table.c.position <= view.position, table.c.learner.in_(fresh.distinct()))
    rows = view.connection.execute(query.order_by(*columns[:3]).execution_options(yield_per=5_000))
    return (_Row(*row) for row in rows)


def _turned(rows: Iterable[_Row], held_state: int, is_credit: bool, after: int) -> Iterator[Turned]:
    for _, history in groupby(rows, key=itemgetter(0, 1)):
        gained: DecisionId | None = None
        for row in history:
            if (row.state == held_state) == (gained is not None):
                continue
            name = DecisionId(is_credit, row.learner, row.subject, row.position)
            if row.position > after:
                yield row, name, gained
            gained = None if gained else name


def _subjects(view: View) -> dict[tuple[bool, int], Subject]:
    """Return every competency and policy that was ever adopted or published, by its key; the latest name counts."""
    act = source.act.c
    query = select(act.kind, act.document).where(
        act.build_id == view.build("evidence"), act.cause <= view.position, act.kind.in_(["framework", "policy"])
    )
    found: dict[tuple[bool, int], Subject] = {}
    for row in view.connection.execute(query.order_by(act.cause, act.position)):
        one = read_document(row.kind, row.document)
        if row.kind == "policy":
            found[True, key64("policy", one.id)] = Subject(one.id, one.title)
        else:
            found |= {(False, key64("competency", own.uri)): Subject(own.uri, own.name) for own in one.competencies}
    return found


def _statements(
    view: View, turned: Sequence[Turned], subjects: Mapping[tuple[bool, int], Subject], district: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the statements of these decisions that the log does not have yet."""
    origin = view.log.origin
    ids = {name: statement_id(origin, name) for _, decided, gained in turned for name in (decided, gained) if name}
    stored = bodies_with_ids(view.log_connection, view.log.log_id, list(ids.values()))
    causes = _causes(view, {row.position for row, *_ in turned})
    agents = _agents(view, {row.learner for row, *_ in turned})
    told: list[dict[str, Any]] = []
    published = set(stored)
    for row, name, gained in turned:
        subject = subjects.get((name.is_credit, name.subject))
        if ids[name] in stored or subject is None or name.learner not in agents:
            continue
        granted = ids[gained] if gained and ids[gained] in published else None
        turn = Turn(name, gained is None, *causes[row.position], _told(row, name), granted, row.lapses)
        told.append(statement_of(origin, turn, subject, agents[name.learner], district))
        published.add(ids[name])
    return told


def _causes(view: View, positions: set[int]) -> dict[int, tuple[int, str | None]]:
    """Return when the statements at these positions were stored, and their ids; an erased one has none any more."""
    rows = at(view.log_connection, view.log.log_id, sorted(positions))
    return {row.position: (row.stored, stored_statement(row.body)["id"] if row.body else None) for row in rows}


def _agents(view: View, learners: set[int]) -> dict[int, dict[str, Any]]:
    columns = source.learner.c
    query = select(columns.learner, columns.agent).where(
        columns.build_id == view.build("evidence"), columns.learner.in_(sorted(learners))
    )
    rows = view.connection.execute(query.order_by(columns.learner))
    return {row.learner: msgspec.json.decode(row.agent) for row in rows}


def _told(row: _Row, name: DecisionId) -> dict[str, Any]:
    """Return what our extension says of a decision beside its id."""
    states = OUTCOMES if name.is_credit else STATUSES
    level = {} if row.level is None else {"level": row.level}
    return {"status": states[row.state], **level, "position": row.position, "digest": row.digest.hex()}
