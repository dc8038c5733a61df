"""The mastery projection's fold: evidence rows in, decisions out.

Live batches are folded by position with the states of recent learners at hand; when a rule changes, and in a rebuild,
the rows are read learner by learner instead. Both go through `learner.decisions_of`, so both write the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from heapq import merge
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Final, cast

from sqlalchemy import CTE, BigInteger, ColumnElement, Result, Select, and_, column, func, select
from sqlalchemy.sql.expression import TextClause

from lrs.store.bulk import insert_rows, stream_rows
from projections.evidence import tables as source
from projections.evidence.evidence import Evidence
from projections.evidence.history import acts_over_time
from projections.mastery.laws import OVERRIDE_KINDS, RULE_KINDS, Laws, Overrides, Rules
from projections.mastery.learner import decisions_of
from projections.mastery.tables import decision
from projections.mastery.timeline import Change, State
from projections.registry import Act, read_document
from projections.run import EVERYBODY, Run, unfoldable

Key = tuple[int, int]
States = dict[int, State]
_Parts = Iterator[tuple[int, list[Any], list[tuple[int, bytes]]]]

MOST_EVIDENCE_AT_HAND: Final = 500_000
ROWS_AT_ONCE: Final = 5_000
KEYS_AT_ONCE: Final = 2_000

_row = source.evidence.c
_COLUMNS = (
    _row.learner, _row.competency, _row.cause, _row.change, _row.reason, _row.position, _row.statement_id,
    _row.timestamp, _row.kind, _row.task, _row.revision, _row.score_num, _row.score_den, _row.success,
    _row.fingerprint, _row.flags, _row.attempt, _row.context, _row.scorer, _row.criterion,
)  # fmt: skip


# The constructor of a named tuple is a Python function; there are two for each row.
_made_change: Final = cast("Callable[[tuple[Any, ...]], Change]", partial(tuple.__new__, Change))
_made_evidence: Final = cast("Callable[[tuple[Any, ...]], Evidence]", partial(tuple.__new__, Evidence))


def fold(run: Run, after: int, through: int) -> None:
    """Fold the evidence that began or ended at after < cause <= through into decisions."""
    laws, is_changed = laws_of(run, after, through)
    if is_changed or run.is_far(after, through):
        run.memory.pop("states", None)
        _fold_by_learner(run, laws, after, through)
    else:
        _fold_by_position(run, laws, after, through)


def laws_of(run: Run, after: int, through: int) -> tuple[Laws, bool]:
    """Return what is in force up to a position, and whether a rule, or what it reaches, changed behind `after`."""
    history = acts_over_time(run, RULE_KINDS, through)
    is_changed = history.changed_after(after)
    known: Laws | None = run.memory.get("laws")
    rules = Rules(history) if known is None or is_changed else known.rules
    overrides = overrides_over_time(run, known.overrides if known else Overrides(), through)
    run.memory["laws"] = Laws(rules, overrides)
    return run.memory["laws"], is_changed


def overrides_over_time(run: Run, known: Overrides, through: int) -> Overrides:
    """Return the overrides up to a position: `known`, continued in place by the acts behind what it holds."""
    act = source.act
    own = act.c.build_id == run.upstream["evidence"], act.c.cause > known.through, act.c.cause <= through
    query = select(act).where(*own, act.c.kind.in_(OVERRIDE_KINDS))
    for row in run.connection.execute(query.order_by(act.c.cause, act.c.change, act.c.position)):
        if row.change < 0:
            known.end(row.cause, row.position)
            continue
        document = read_document(row.kind, row.document)
        known.begin(row.cause, Act(row.position, row.kind, row.timestamp, row.statement_id, document))
    known.through = max(known.through, through)
    return known


def _fold_by_learner(run: Run, laws: Laws, after: int, through: int) -> None:
    query = _changes_query(run, through).order_by(_row.learner, _row.competency, _row.cause, _row.seq)
    made: list[tuple[Any, ...]] = []
    with closing(_last_digests(run, after)) as last, closing(stream_rows(run.connection, query)) as pages:
        stream = chain.from_iterable(pages)
        for learner, rows, digests in _learners(run, stream, last, laws.overrides):
            states = {competency: State(digest=digest) for competency, digest in digests}
            made += _decided(run, learner, _grouped(rows), laws, (after, through), states)
            if len(made) >= ROWS_AT_ONCE:
                insert_rows(run.connection, decision, made)
                made = []
    insert_rows(run.connection, decision, made)


def _streamed(run: Run, query: Select[Any]) -> Result[*tuple[Any, ...]]:
    return run.connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE))


def _learners(
    run: Run, stream: Iterable[Any], last: Iterable[tuple[Key, bytes]], overrides: Overrides
) -> Iterator[tuple[int, list[Any], list[tuple[int, bytes]]]]:
    """Yield each learner of this run of whom anything is known: rows of evidence, and last digests by competency."""
    did: _Parts = ((learner, list(rows), []) for learner, rows in groupby(stream, key=itemgetter(0)))
    stood: _Parts = (
        (learner, [], [(key[1], digest) for key, digest in found])
        for learner, found in groupby(last, key=lambda one: one[0][0])
    )
    overridden: _Parts = ((learner, [], []) for learner in own_learners(run, overrides.changes))
    for learner, parts in groupby(merge(did, stood, overridden, key=itemgetter(0)), key=itemgetter(0)):
        _, rows, digests = zip(*parts, strict=True)
        yield learner, max(rows, key=len), max(digests, key=len)


def own_learners(run: Run, learners: Iterable[int]) -> list[int]:
    """Return those of the learners that a run folds, in order."""
    own = EVERYBODY if run.learners is None else run.learners
    return [learner for learner in sorted(learners) if own.first <= learner <= own.last]


def _grouped(rows: Iterable[Any]) -> dict[int, list[Change]]:
    """Return a learner's changes by competency, in the order of the rows."""
    found: dict[int, list[Change]] = {}
    for row in rows:
        change = _made_change((row[2], row[3], row[4], _made_evidence(row[5:20])))
        found.setdefault(row[1], []).append(change)
    return found


def _fold_by_position(run: Run, laws: Laws, after: int, through: int) -> None:
    query = _changes_query(run, through).where(_row.cause > after).order_by(_row.cause, _row.seq)
    rows: dict[int, list[Any]] = {learner: [] for learner, _ in laws.overrides.changed_between(after, through)}
    for row in run.connection.execute(query).all():
        rows.setdefault(row[0], []).append(row)
    changes = {learner: _grouped(own) for learner, own in rows.items()}
    states = _states(run, _concerned(changes, laws, after, through), after)
    made: list[tuple[Any, ...]] = []
    for learner, own in changes.items():
        made += _decided(run, learner, own, laws, (after, through), states[learner])
    insert_rows(run.connection, decision, made)


def _concerned(
    changes: Mapping[int, Mapping[int, Any]], laws: Laws, after: int, through: int
) -> dict[int, dict[int, None]]:
    """Return the competencies of each learner that a span can move, with their families."""
    found: dict[int, dict[int, None]] = {}
    touched = [(learner, competency) for learner, own in changes.items() for competency in own]
    for learner, competency in (*touched, *laws.overrides.changed_between(after, through)):
        found.setdefault(learner, {}).update(dict.fromkeys(laws.rules.family(competency)))
    return found


def _decided(
    run: Run,
    learner: int,
    changes: dict[int, list[Change]],
    laws: Laws,
    span: tuple[int, int],
    states: States,
) -> list[tuple[Any, ...]]:
    """Return a learner's new rows; raises Unfoldable naming the learner."""
    after, through = span
    until = run.until(learner, through)
    if until <= after:
        return []
    if until < through:
        changes = {key: [one for one in own if one.cause <= until] for key, own in changes.items()}
    try:
        found = decisions_of(changes, laws.of(learner), after, until, states)
    except Exception as error:
        raise unfoldable(error, through, learner) from error
    return [(run.build_id, learner, competency, *one) for competency, one in found]


def _states(run: Run, wanted: Mapping[int, Iterable[int]], after: int) -> dict[int, States]:
    """Return the states of learners in competencies as of a position, out of memory or read; the oldest give way."""
    memory: dict[int, States] = run.memory.setdefault("states", {})
    found = {learner: memory.pop(learner, {}) for learner in wanted}
    missing = [(learner, one) for learner, own in wanted.items() for one in own if one not in found[learner]]
    for (learner, competency), state in _read_states(run, missing, after).items():
        found[learner][competency] = state
    memory |= found
    held = sum(map(_size, memory.values())) if len(memory) > KEYS_AT_ONCE else 0
    for learner in list(memory)[: len(memory) - len(found)]:
        if held <= MOST_EVIDENCE_AT_HAND:
            break
        held -= _size(memory.pop(learner))
    return found


def _size(states: States) -> int:
    return sum(1 + len(state.evidence) for state in states.values())


def _read_states(run: Run, keys: Sequence[Key], after: int) -> dict[Key, State]:
    states = {key: State() for key in keys}
    if not after:
        return states
    for start in range(0, len(keys), KEYS_AT_ONCE):
        chunk = keys[start : start + KEYS_AT_ONCE]
        wanted = _wanted(chunk).c
        query = _changes_query(run, after).where(_is_in(_row, wanted)).order_by(_row.cause, _row.seq)
        for row in run.connection.execute(query).all():
            states[row[:2]].apply(_made_change((row[2], row[3], row[4], _made_evidence(row[5:20]))))
        for learner, competency, digest in run.connection.execute(
            _last_digests_query(run, after, [_is_in(decision.c, wanted)])
        ).all():
            states[learner, competency].digest = digest
    return states


class _Rows(TextClause):
    """SQL that comes only once: what it was compiled to must not be remembered."""

    inherit_cache = False


def _wanted(keys: Sequence[Key]) -> CTE:
    """Return the keys as a table to join, in plain SQL: a thousand bound parameters cost more than reading their rows.

    Both databases look each key up in an index, as they do not for a long IN of pairs.
    """
    rows = ",".join(f"({learner:d},{competency:d})" for learner, competency in keys)
    pair = column("column1", BigInteger), column("column2", BigInteger)
    return _Rows(f"VALUES {rows}").columns(*pair).cte("wanted")


def _is_in(columns: Any, wanted: Any) -> ColumnElement[bool]:
    return and_(columns.learner == wanted.column1, columns.competency == wanted.column2)


def _last_digests(run: Run, through: int) -> Generator[tuple[Key, bytes], None, None]:
    """Yield the digest of the newest decision of each key as of a position, in the order of the keys."""
    if not through:
        return
    with _streamed(run, _last_digests_query(run, through, ())) as stream:
        for row in stream:
            yield row[:2], row[2]


def _last_digests_query(run: Run, through: int, conditions: Iterable[ColumnElement[bool]]) -> Select[Any]:
    columns = decision.c
    newest = select(columns.learner, columns.competency, func.max(columns.position).label("position")).where(
        columns.build_id == run.build_id, columns.position <= through, *run.own(columns.learner), *conditions
    )
    last = newest.group_by(columns.learner, columns.competency).subquery()
    same = and_(
        columns.learner == last.c.learner,
        columns.competency == last.c.competency,
        columns.position == last.c.position,
    )
    query = select(columns.learner, columns.competency, columns.digest).join_from(decision, last, same)
    return query.where(columns.build_id == run.build_id).order_by(columns.learner, columns.competency)


def _changes_query(run: Run, through: int) -> Select[Any]:
    own = run.own(_row.learner)
    query = select(*_COLUMNS).where(_row.build_id == run.upstream["evidence"], _row.cause <= through, *own)
    return query.where(_row.cause.not_in(run.parked)) if run.parked else query
