"""The evidence projection's fold: positions of the log in, rows that begin or end out.

An act changes what earlier statements are evidence of: those that it touches are resolved anew, and what differs ends
and begins at the act's own position. So the rows say at every position what held there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, select

from lrs.retrieval import positions_about
from lrs.store.bulk import insert_rows
from lrs.store.search import Found, at, between, voided_among
from lrs.xapi.actors import ifi
from lrs.xapi.decode import stored_statement
from lrs.xapi.values import key64
from projections.acts import document
from projections.evidence import tables
from projections.evidence.resolve import Learner, Resolved, Unused, extension_iris, resolve
from projections.profile import VERBS
from projections.registry import READERS, Act, Acts, read_document
from projections.run import Run

CHUNK: Final = 1_000


class Row(NamedTuple):
    """One row of evidence without its build, in the order of the table's columns."""

    cause: int
    seq: int
    change: int
    learner: int
    competency: int
    position: int
    statement_id: str
    timestamp: int
    kind: int
    task: int
    revision: int
    score_num: int | None
    score_den: int | None
    success: bool | None
    fingerprint: int
    is_group: bool
    matched: int
    normaliser: int
    alignment: int
    authority: int
    reason: str

    @property
    def payload(self) -> tuple[Any, ...]:
        """What the row says, whenever it began."""
        return self[3:20]


class Unuse(NamedTuple):
    """One row of the quarantine without its build."""

    cause: int
    position: int
    change: int
    reason: str
    detail: str
    authority: int


class KeyCollision(Exception):
    """Two learners' identifiers have one 64-bit key: the statement is parked, nobody is merged."""


@dataclass(slots=True)
class Held:
    """What holds of one statement: its evidence rows, and its quarantine row if it has one."""

    rows: list[Row] = field(default_factory=list)
    unused: Unuse | None = None


@dataclass(slots=True)
class Batch:
    """The rows that a batch has made so far, and what holds of the statements it has touched."""

    acts: Acts
    evidence: list[Row] = field(default_factory=list)
    quarantine: list[Unuse] = field(default_factory=list)
    act_rows: list[tuple[Any, ...]] = field(default_factory=list)
    mentions: list[tuple[int, int]] = field(default_factory=list)
    learners: dict[int, tuple[Learner, int]] = field(default_factory=dict)
    held: dict[int, Held] = field(default_factory=dict)


def fold(run: Run, after: int, through: int) -> None:
    """Fold the statements at after < position <= through into evidence rows."""
    batch = Batch(run.memory.get("acts") or acts_at(run.connection, run.build_id, after))
    voids = voided_among(run.log_connection, run.log_id, after, through)
    ended = {by: position for position, by in voids.items() if position < by}
    held_before = _held(run, [position for by, position in ended.items() if position <= after])
    batch.held |= held_before
    for found in between(run.log_connection, run.log_id, after, through):
        if found.body is None or found.position in run.parked:
            continue
        _fold_one(run, batch, found, stored_statement(found.body), voids, ended)
    _write(run, batch)
    run.memory["acts"] = batch.acts


def _fold_one(
    run: Run,
    batch: Batch,
    found: Found,
    statement: Mapping[str, Any],
    voids: Mapping[int, int],
    ended: Mapping[int, int],
) -> None:
    position = found.position
    if position in ended:
        _void(run, batch, position, ended[position])
    if voids.get(position, position) < position:
        return
    act = _act(found, statement)
    if act is not None:
        batch.act_rows.append((run.build_id, position, position, 1, act.kind, *act.order, _document_text(statement)))
        _change_acts(run, batch, position, act, batch.acts.with_act(act))
        return
    held = _holding(batch, found, statement, position)
    batch.held[position] = held
    batch.evidence += held.rows
    if held.unused:
        batch.quarantine.append(held.unused)


def _void(run: Run, batch: Batch, cause: int, position: int) -> None:
    """End what holds of a voided statement; a voided act ends for all that rested on it."""
    act = batch.acts.at(position)
    if act is not None:
        row = (run.build_id, cause, position, -1, act.kind, *act.order, b"")
        batch.act_rows.append(row)
        _change_acts(run, batch, cause, act, batch.acts.without(position))
    _end(batch, cause, batch.held.pop(position, Held()), "voided")


def _end(batch: Batch, cause: int, held: Held, reason: str) -> None:
    seq = sum(1 for row in batch.evidence[-CHUNK:] if row.cause == cause)
    for place, row in enumerate(held.rows):
        batch.evidence.append(row._replace(cause=cause, seq=seq + place, change=-1, reason=reason))
    if held.unused:
        batch.quarantine.append(held.unused._replace(cause=cause, change=-1))


def _holding(batch: Batch, found: Found, statement: Mapping[str, Any], cause: int, first_seq: int = 0) -> Held:
    """Return what holds of a statement from a cause on, by the acts that hold."""
    resolved = resolve(statement, found.timestamp, batch.acts)
    if resolved is None:
        return Held()
    for iri in extension_iris(statement):
        batch.mentions.append((key64("mention", iri), found.position))
    authority = key64("agent", ifi(statement["authority"]) or "")
    if isinstance(resolved, Unused):
        return Held(unused=Unuse(cause, found.position, 1, resolved.reason, resolved.detail, authority))
    for learner in resolved.learners:
        batch.learners.setdefault(learner.key, (learner, found.position))
    return Held(list(_rows(found, statement["id"].lower(), resolved, cause, authority, first_seq)))


def _rows(
    found: Found, statement_id: str, resolved: Resolved, cause: int, authority: int, first_seq: int
) -> Iterator[Row]:
    seq = first_seq
    for learner in resolved.learners:
        for aligned in resolved.competencies:
            yield Row(
                cause, seq, 1, learner.key, aligned.competency, found.position, statement_id, found.timestamp,
                resolved.kind, resolved.task, resolved.revision, resolved.score_num, resolved.score_den,
                resolved.success, resolved.fingerprint, resolved.is_group, aligned.matched, resolved.normaliser,
                resolved.alignment, authority, "",
            )  # fmt: skip
            seq += 1


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
    if act.kind not in {"framework", "alignment", "normaliser"}:
        return
    _write(run, batch)
    positions = sorted(_touched(run, act, before, acts, cause))
    for start in range(0, len(positions), CHUNK):
        _resolve_anew(run, batch, positions[start : start + CHUNK], cause)


def _touched(run: Run, act: Act, before: Acts, after: Acts, cause: int) -> set[int]:
    """Return the earlier positions that may be evidence of something else now."""
    if act.kind == "normaliser":
        return _read_by_normaliser(run)
    if act.kind == "alignment":
        return positions_about(run.log_connection, run.log_id, [act.document.activity], cause, related=False)
    changed = sorted(before.competencies.keys() ^ after.competencies.keys())
    aligned = [one for one, other in after.alignments.items() if set(other.document.competencies) & set(changed)]
    touched = positions_about(run.log_connection, run.log_id, changed, cause, related=True)
    touched |= positions_about(run.log_connection, run.log_id, aligned, cause, related=False)
    return touched | _mentioning(run, changed)


def _read_by_normaliser(run: Run) -> set[int]:
    rows, unused = tables.evidence, tables.quarantine
    scaled = select(rows.c.position).where(rows.c.build_id == run.build_id, rows.c.normaliser >= 0)
    refused = select(unused.c.position).where(unused.c.build_id == run.build_id, unused.c.reason == "unnormalisable")
    return {row.position for row in run.connection.execute(scaled.union(refused))}


def _mentioning(run: Run, iris: Sequence[str]) -> set[int]:
    found: set[int] = set()
    mention = tables.mention
    for start in range(0, len(iris), CHUNK):
        keys = [key64("mention", iri) for iri in iris[start : start + CHUNK]]
        query = select(mention.c.position).where(mention.c.build_id == run.build_id, mention.c.key.in_(keys))
        found.update(run.connection.scalars(query))
    return found


def _resolve_anew(run: Run, batch: Batch, positions: Sequence[int], cause: int) -> None:
    voids = voided_among(run.log_connection, run.log_id, positions[0] - 1, positions[-1])
    held = _held(run, positions)
    for found in at(run.log_connection, run.log_id, positions):
        position = found.position
        if found.body is None or position >= cause or voids.get(position, cause) < cause:
            continue
        statement = stored_statement(found.body)
        old = held.get(position, Held())
        new = _holding(batch, found, statement, cause)
        if _says_the_same(old, new):
            continue
        _end(batch, cause, old, "realigned")
        _begin(batch, cause, new)
    _write(run, batch)


def _says_the_same(old: Held, new: Held) -> bool:
    same_rows = [row.payload for row in old.rows] == [row.payload for row in new.rows]
    return same_rows and (old.unused and old.unused[3:]) == (new.unused and new.unused[3:])


def _begin(batch: Batch, cause: int, held: Held) -> None:
    seq = batch.evidence[-1].seq + 1 if batch.evidence and batch.evidence[-1].cause == cause else 0
    batch.evidence += [row._replace(seq=seq + place) for place, row in enumerate(held.rows)]
    if held.unused:
        batch.quarantine.append(held.unused)


def acts_at(connection: Connection, build_id: int, position: int) -> Acts:
    """Return the acts that hold at a position."""
    act = tables.act
    query = select(act).where(act.c.build_id == build_id, act.c.cause <= position).order_by(act.c.cause, act.c.position)
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
        for row in run.connection.execute(_rows_of(run, tables.evidence, chunk)):
            _apply(held.setdefault(row.position, Held()), Row(*row[1:]))
        for row in run.connection.execute(_rows_of(run, tables.quarantine, chunk)):
            unused = Unuse(*row[1:])
            held.setdefault(row.position, Held()).unused = unused if unused.change > 0 else None
    return held


def _rows_of(run: Run, table: Any, positions: Sequence[int]) -> Select[Any]:
    order = [table.c.cause, *([table.c.seq] if "seq" in table.c else [])]
    return select(table).where(table.c.build_id == run.build_id, table.c.position.in_(positions)).order_by(*order)


def _apply(held: Held, row: Row) -> None:
    if row.change > 0:
        held.rows.append(row)
    else:
        held.rows = [one for one in held.rows if (one.learner, one.competency) != (row.learner, row.competency)]


def _write(run: Run, batch: Batch) -> None:
    """Write what the batch has made so far."""
    build_id = run.build_id
    insert_rows(run.connection, tables.evidence, [(build_id, *row) for row in batch.evidence])
    insert_rows(run.connection, tables.quarantine, [(build_id, *row) for row in batch.quarantine])
    insert_rows(run.connection, tables.act, batch.act_rows)
    _write_mentions(run, batch.mentions)
    _write_learners(run, batch.learners)
    batch.evidence, batch.quarantine, batch.act_rows, batch.mentions, batch.learners = [], [], [], [], {}


def _write_mentions(run: Run, mentions: Iterable[tuple[int, int]]) -> None:
    if not mentions:
        return
    mention = tables.mention
    wanted = sorted(set(mentions))
    query = select(mention.c.key, mention.c.position).where(
        mention.c.build_id == run.build_id, mention.c.position.in_({position for _, position in wanted})
    )
    known = {tuple(row) for row in run.connection.execute(query)}
    insert_rows(run.connection, mention, [(run.build_id, *one) for one in wanted if one not in known])


def _write_learners(run: Run, learners: Mapping[int, tuple[Learner, int]]) -> None:
    known: set[int] = run.memory.setdefault("learners", set())
    fresh = learners.keys() - known
    if not fresh:
        return
    learner = tables.learner
    query = select(learner.c.learner, learner.c.ifi).where(
        learner.c.build_id == run.build_id, learner.c.learner.in_(fresh)
    )
    stored = dict(run.connection.execute(query).tuples().all())
    for key, identifier in stored.items():
        if identifier != learners[key][0].ifi:
            raise KeyCollision(f"{identifier} and {learners[key][0].ifi} share the key {key}")
    new = sorted(fresh - stored.keys())
    insert_rows(run.connection, learner, [_learner_row(run, *learners[key]) for key in new])
    known |= fresh


def _learner_row(run: Run, learner: Learner, position: int) -> tuple[Any, ...]:
    agent = learner.agent
    name = str(agent.get("name") or agent.get("account", {}).get("name") or learner.ifi.partition(":")[2])
    return run.build_id, learner.key, learner.ifi, msgspec.json.encode(agent, order="sorted"), name, position
