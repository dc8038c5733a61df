"""The evidence projection's fold: positions of the log in, rows that begin or end out.

An act changes what earlier statements are evidence of: those that it touches are resolved anew, and what differs ends
and begins at the act's own position. So the rows say at every position what held there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, select

from lrs.store.bulk import insert_rows
from lrs.store.search import Found, at, between, voided_among
from lrs.xapi.actors import ifi
from lrs.xapi.decode import stored_statement
from lrs.xapi.values import key64
from projections.acts import document
from projections.evidence import tables
from projections.evidence.identity import Learner
from projections.evidence.naming import mentioned
from projections.evidence.pieces import NOTHING, Held, Piece, Waiting, held_of
from projections.evidence.touched import CHUNK, RESOLVED_BY, reason_of, touched
from projections.profile import VERBS
from projections.registry import APART, READERS, Act, Acts, read_document
from projections.run import Run, Unfoldable, unfoldable

MOST_ACTIVITIES_AT_HAND: Final = 200_000


@dataclass(slots=True)
class Batch:
    """The rows that a batch has made so far, and what holds of the statements that a void in it will end.

    `seq` numbers the rows of one `cause`; `known` are the identifiers behind the learners' keys, and `seen` the keys of
    activities that are written or about to be. `apart` are kind and order of the acts that `Acts` never holds and that
    a void in the batch will end.
    """

    build_id: int
    acts: Acts
    known: dict[int, str]
    seen: set[int]
    held: dict[int, Held] = field(default_factory=dict)
    apart: dict[int, tuple[str, int, str]] = field(default_factory=dict)
    evidence: list[tuple[Any, ...]] = field(default_factory=list)
    quarantine: list[tuple[Any, ...]] = field(default_factory=list)
    act_rows: list[tuple[Any, ...]] = field(default_factory=list)
    mentions: list[tuple[int, int, int]] = field(default_factory=list)
    activities: dict[int, tuple[int, int, str, int]] = field(default_factory=dict)
    learners: dict[int, tuple[Learner, int, int]] = field(default_factory=dict)
    cause: int = 0
    seq: int = 0


def fold(run: Run, after: int, through: int) -> None:
    """Fold the statements at after < position <= through into evidence rows."""
    acts = run.memory.get("acts") or acts_at(run.connection, run.build_id, after)
    batch = Batch(run.build_id, acts, run.memory.setdefault("learners", {}), run.memory.setdefault("activities", set()))
    voids = voided_among(run.log_connection, run.log_id, after, through)
    ended = {by: position for position, by in voids.items() if position < by}
    batch.held = dict.fromkeys(ended.values(), NOTHING)
    before = [position for position in batch.held if position <= after]
    batch.held |= _held(run, before)
    batch.apart = _acts_apart(run, before)
    for found in between(run.log_connection, run.log_id, after, through):
        position = found.position
        if position in ended:
            _void(run, batch, position, ended[position])
        if found.body is None or not may_have_result(found.body):
            continue
        if position in run.parked or voids.get(position, position) < position:
            continue
        _take(run, batch, found, found.body)
    _write(run, batch)
    run.memory["acts"] = batch.acts


def may_have_result(body: bytes) -> bool:
    """Whether a statement's text can have a result, without which it is neither evidence nor an act; no need to decode.

    A name in JSON can also be written with escapes, so these are looked into.
    """
    return b'"result"' in body or b"\\u" in body


def _take(run: Run, batch: Batch, found: Found, body: bytes) -> None:
    """Take one statement in: an act changes what holds from here on, anything else may be evidence."""
    position = found.position
    statement = stored_statement(body)
    act = _act(found, statement)
    if act is not None:
        batch.act_rows.append((run.build_id, position, position, 1, act.kind, *act.order, _document_text(statement)))
        if act.kind in APART and position in batch.held:
            batch.apart[position] = (act.kind, *act.order)
        _change_acts(run, batch, position, act, batch.acts.with_act(act))
        return
    held = _holding(batch, found, statement, position)
    if held is NOTHING:
        return
    keys = [key64("mention", iri) for iri in mentioned(statement)]
    batch.mentions += [(run.build_id, key, position) for key in sorted(keys)]
    _see(batch, statement["object"], position)
    _begin(batch, position, position, held)
    if position in batch.held:
        batch.held[position] = held


def _see(batch: Batch, about: Mapping[str, Any], position: int) -> None:
    """Note an activity at first sight."""
    if about.get("objectType", "Activity") != "Activity":
        return
    key = key64("activity", about["id"])
    if key not in batch.seen:
        batch.seen.add(key)
        batch.activities[key] = (batch.build_id, key, about["id"], position)


def _void(run: Run, batch: Batch, cause: int, position: int) -> None:
    """End what holds of a voided statement; a voided act ends for all that rested on it."""
    act = batch.acts.at(position)
    if act is not None:
        batch.act_rows.append((run.build_id, cause, position, -1, act.kind, *act.order, b""))
        _change_acts(run, batch, cause, act, batch.acts.without(position))
    elif position in batch.apart:
        batch.act_rows.append((run.build_id, cause, position, -1, *batch.apart[position], b""))
    _end(batch, cause, position, batch.held.pop(position), "voided")


def _acts_apart(run: Run, positions: Collection[int]) -> dict[int, tuple[str, int, str]]:
    """Return kind and order of the acts at these positions that `Acts` never holds."""
    if not positions:
        return {}
    act = tables.act.c
    query = select(act.position, act.kind, act.timestamp, act.statement_id).where(
        act.build_id == run.build_id, act.cause.in_(positions), act.change > 0, act.kind.in_(APART)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in run.connection.execute(query.order_by(act.cause))}


def _end(batch: Batch, cause: int, position: int, held: Held, reason: str) -> None:
    for piece in held.pieces:
        batch.evidence.append((batch.build_id, cause, _next_seq(batch, cause), -1, *piece, reason))
    if held.waiting:
        batch.quarantine.append((batch.build_id, cause, position, -1, *held.waiting))


def _begin(batch: Batch, cause: int, position: int, held: Held) -> None:
    for piece in held.pieces:
        batch.evidence.append((batch.build_id, cause, _next_seq(batch, cause), 1, *piece, ""))
    if held.waiting:
        batch.quarantine.append((batch.build_id, cause, position, 1, *held.waiting))


def _next_seq(batch: Batch, cause: int) -> int:
    """Return the next number among the rows of a cause; causes only ever rise."""
    batch.seq = batch.seq + 1 if batch.cause == cause else 0
    batch.cause = cause
    return batch.seq


def _holding(batch: Batch, found: Found, statement: Mapping[str, Any], cause: int) -> Held:
    """Return what holds of a statement by the acts that hold; raises Unfoldable naming it."""
    try:
        held, learners = held_of(found, statement, batch.acts)
    except Exception as error:
        raise unfoldable(error, found.position, _actor_key(statement)) from error
    for learner in learners:
        _know(batch, learner, cause, found.position)
    return held


def _actor_key(statement: Mapping[str, Any]) -> int:
    identifier = ifi(statement["actor"])
    return 0 if identifier is None else key64("agent", identifier)


def _know(batch: Batch, learner: Learner, cause: int, position: int) -> None:
    """Note a learner at first sight; two identifiers that share a key are never merged."""
    identifier = batch.known.get(learner.key)
    if identifier is None:
        batch.known[learner.key] = learner.ifi
        batch.learners[learner.key] = (learner, cause, position)
    elif identifier != learner.ifi:
        raise Unfoldable(position, 0, f"{identifier} and {learner.ifi} share the key {learner.key}")


def _act(found: Found, statement: Mapping[str, Any]) -> Act | None:
    if not statement["verb"]["id"].startswith(VERBS):
        return None
    carried = document(statement)
    if carried is None or carried[0] not in READERS:
        return None
    kind, text = carried
    return Act(found.position, kind, found.timestamp, statement["id"].lower(), READERS[kind](text))


def _document_text(statement: Mapping[str, Any]) -> bytes:
    carried = document(statement)
    return msgspec.json.encode(carried[1] if carried else None)


def _change_acts(run: Run, batch: Batch, cause: int, act: Act, acts: Acts) -> None:
    """Let other acts hold from a cause on, and resolve anew every earlier statement that this touches."""
    before, batch.acts = batch.acts, acts
    if act.kind not in RESOLVED_BY:
        return
    _write(run, batch)
    positions = sorted(touched(run, act, before, acts, cause) - run.parked)
    for start in range(0, len(positions), CHUNK):
        _resolve_anew(run, batch, positions[start : start + CHUNK], cause, reason_of(act.kind))


def _resolve_anew(run: Run, batch: Batch, positions: Sequence[int], cause: int, reason: str) -> None:
    voids = voided_among(run.log_connection, run.log_id, positions[0] - 1, positions[-1])
    held = _held(run, positions)
    for found in at(run.log_connection, run.log_id, positions):
        position = found.position
        if found.body is None or position >= cause or voids.get(position, cause) < cause:
            continue
        old, new = held.get(position, NOTHING), _holding(batch, found, stored_statement(found.body), cause)
        if old == new:
            continue
        _end(batch, cause, position, old, reason)
        _begin(batch, cause, position, new)
        if position in batch.held:
            batch.held[position] = new
    _write(run, batch)


def acts_at(connection: Connection, build_id: int, position: int) -> Acts:
    """Return the acts that hold at a position."""
    act = tables.act
    is_held = act.c.kind.not_in(APART)
    query = select(act).where(act.c.build_id == build_id, act.c.cause <= position, is_held)
    query = query.order_by(act.c.cause, act.c.position)
    held: dict[int, Act] = {}
    for _, _, at_, change, kind, timestamp, statement_id, text in connection.execute(query):
        if change > 0:
            held[at_] = Act(at_, kind, timestamp, statement_id, read_document(kind, text))
        else:
            held.pop(at_, None)
    return Acts(held.values())


def _held(run: Run, positions: Collection[int]) -> dict[int, Held]:
    """Return what holds of these statements by what is written so far."""
    held: dict[int, Held] = {}
    wanted = sorted(positions)
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        for _, _, _, change, *told in run.connection.execute(_rows_of(run, tables.evidence, "seq", chunk)):
            piece = Piece(*told[:-1])
            held[piece.position] = _applied(held.get(piece.position, NOTHING), change, piece)
        for _, _, position, change, *told in run.connection.execute(_rows_of(run, tables.quarantine, "change", chunk)):
            waiting = Waiting(*told) if change > 0 else None
            held[position] = held.get(position, NOTHING)._replace(waiting=waiting)
    return held


def _rows_of(run: Run, table: Any, then_by: str, positions: Sequence[int]) -> Select[Any]:
    """Return the query of the rows about these positions; what ends at a cause comes before what begins there."""
    query = select(table).where(table.c.build_id == run.build_id, table.c.position.in_(positions))
    return query.order_by(table.c.cause, table.c[then_by])


def _applied(held: Held, change: int, piece: Piece) -> Held:
    if change > 0:
        return held._replace(pieces=(*held.pieces, piece))
    return held._replace(pieces=tuple(one for one in held.pieces if one[:2] != piece[:2]))


def _write(run: Run, batch: Batch) -> None:
    """Write what the batch has made so far."""
    insert_rows(run.connection, tables.evidence, batch.evidence)
    insert_rows(run.connection, tables.quarantine, batch.quarantine)
    insert_rows(run.connection, tables.act, batch.act_rows)
    insert_rows(run.connection, tables.mention, batch.mentions)
    _write_activities(run, batch)
    _write_learners(run, batch.learners)
    batch.evidence, batch.quarantine, batch.act_rows, batch.mentions, batch.learners = [], [], [], [], {}


def _write_activities(run: Run, batch: Batch) -> None:
    """Write the activities seen first in this batch; those of a worker before this one are written already."""
    wanted = sorted(batch.activities)
    columns = tables.activity.c
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        query = select(columns.activity).where(columns.build_id == run.build_id, columns.activity.in_(chunk))
        known = set(run.connection.scalars(query))
        insert_rows(run.connection, tables.activity, [batch.activities[key] for key in chunk if key not in known])
    batch.activities = {}
    if len(batch.seen) > MOST_ACTIVITIES_AT_HAND:
        batch.seen.clear()


def _write_learners(run: Run, learners: Mapping[int, tuple[Learner, int, int]]) -> None:
    if not learners:
        return
    stored = _stored_identifiers(run, learners)
    for key, identifier in stored.items():
        if identifier != learners[key][0].ifi:
            raise Unfoldable(learners[key][2], 0, f"{identifier} and {learners[key][0].ifi} share the key {key}")
    new = sorted(learners.keys() - stored.keys())
    insert_rows(run.connection, tables.learner, [_learner_row(run, *learners[key][:2]) for key in new])


def _stored_identifiers(run: Run, learners: Collection[int]) -> dict[int, str]:
    learner = tables.learner.c
    query = select(learner.learner, learner.ifi).where(learner.build_id == run.build_id, learner.learner.in_(learners))
    return dict(run.connection.execute(query).all())


def _learner_row(run: Run, learner: Learner, cause: int) -> tuple[Any, ...]:
    agent = learner.agent
    name = str(agent.get("name") or agent.get("account", {}).get("name") or learner.ifi.partition(":")[2])
    return run.build_id, learner.key, learner.ifi, msgspec.json.encode(agent, order="sorted"), name, cause
