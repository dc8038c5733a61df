"""The mastery projection's fold: evidence rows in, decisions out.

Live batches are folded by position with the states of recent keys at hand; when a rule changes, and in a rebuild, the
rows are read key by key instead. Both go through `timeline.decisions`, so both write the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, cast

from sqlalchemy import CTE, BigInteger, ColumnElement, Result, Select, and_, column, func, select
from sqlalchemy.sql.expression import TextClause

from lrs.store.bulk import insert_rows
from lrs.xapi.values import key64
from projections.evidence import tables as source
from projections.evidence.evidence import Evidence
from projections.evidence.history import ActsOverTime, acts_over_time
from projections.mastery.tables import decision
from projections.mastery.timeline import NO_DIGEST, Change, RuleChange, State, decisions, rule_change
from projections.run import Run, is_far, unfoldable

Key = tuple[int, int]

KINDS: Final = ("framework", "rule", "scale")

MOST_EVIDENCE_AT_HAND: Final = 500_000
ROWS_AT_ONCE: Final = 5_000
KEYS_AT_ONCE: Final = 2_000

_row = source.evidence.c
_COLUMNS = (
    _row.learner, _row.competency, _row.cause, _row.change, _row.reason, _row.position, _row.statement_id,
    _row.timestamp, _row.kind, _row.task, _row.revision, _row.score_num, _row.score_den, _row.success,
    _row.fingerprint, _row.is_group,
)  # fmt: skip


# The constructor of a named tuple is a Python function; there are two for each row.
_made_change: Final = cast("Callable[[tuple[Any, ...]], Change]", partial(tuple.__new__, Change))
_made_evidence: Final = cast("Callable[[tuple[Any, ...]], Evidence]", partial(tuple.__new__, Evidence))


def fold(run: Run, after: int, through: int) -> None:
    """Fold the evidence that began or ended at after < cause <= through into decisions."""
    history = acts_over_time(run, KINDS, through)
    is_changed = history.changed_after(after)
    rules: Rules = run.memory.get("rules") or Rules(history)
    if is_changed:
        rules = Rules(history)
    run.memory["rules"] = rules
    if is_changed or is_far(after, through):
        run.memory.pop("states", None)
        _fold_by_key(run, rules, after, through)
    else:
        _fold_by_position(run, rules, after, through)


class Rules:
    """The rule that holds for each competency, over time; found once for each competency."""

    def __init__(self, history: ActsOverTime) -> None:
        self._history = history
        self._names = {key64("competency", iri): iri for iri in history.competencies()}
        self._found: dict[int, list[RuleChange]] = {}

    def of(self, competency: int) -> list[RuleChange]:
        """Return the changes of rule for a competency, oldest first."""
        if competency not in self._found:
            self._found[competency] = list(self._changes(self._names.get(competency, "")))
        return self._found[competency]

    def _changes(self, iri: str) -> Iterator[RuleChange]:
        last = (0, 0)
        for position, acts in self._history.steps:
            found = acts.rule_for(iri)
            places = (found[0].position, found[1].position) if found else (0, 0)
            if places == last:
                continue
            last = places
            yield rule_change(position, found)


def _fold_by_key(run: Run, rules: Rules, after: int, through: int) -> None:
    query = _changes_query(run, through).order_by(_row.learner, _row.competency, _row.cause, _row.seq)
    made: list[tuple[Any, ...]] = []
    with closing(_last_digests(run, after)) as last, _streamed(run, query) as stream:
        digest_of = _in_order(last)
        for key, group in groupby(stream, key=itemgetter(0, 1)):
            state = State(digest=digest_of(key))
            made += _decided(run, key, state, [_change(row) for row in group], rules, after, through)
            if len(made) >= ROWS_AT_ONCE:
                insert_rows(run.connection, decision, made)
                made = []
    insert_rows(run.connection, decision, made)


def _streamed(run: Run, query: Select[Any]) -> Result[*tuple[Any, ...]]:
    return run.connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE))


def _in_order(found: Iterator[tuple[Key, bytes]]) -> Callable[[Key], bytes]:
    """Return a look-up of digests that stand in the order of their keys, for keys that come in that order too."""
    ahead = next(found, None)

    def look_up(key: Key) -> bytes:
        nonlocal ahead
        while ahead is not None and ahead[0] < key:
            ahead = next(found, None)
        return ahead[1] if ahead is not None and ahead[0] == key else NO_DIGEST

    return look_up


def _fold_by_position(run: Run, rules: Rules, after: int, through: int) -> None:
    query = _changes_query(run, through).where(_row.cause > after).order_by(_row.cause, _row.seq)
    changes: dict[Key, list[Change]] = {}
    for row in run.connection.execute(query).all():
        changes.setdefault(row[:2], []).append(_change(row))
    states = _states(run, changes.keys(), after)
    made: list[tuple[Any, ...]] = []
    for key, own in changes.items():
        made += _decided(run, key, states[key], own, rules, after, through)
    insert_rows(run.connection, decision, made)


def _decided(
    run: Run, key: Key, state: State, changes: Sequence[Change], rules: Rules, after: int, through: int
) -> list[tuple[Any, ...]]:
    """Return a key's new rows; raises Unfoldable naming the learner."""
    if key[0] in run.stale:
        return []
    try:
        found = list(decisions(state, changes, rules.of(key[1]), after, through))
    except Exception as error:
        raise unfoldable(error, through, key[0]) from error
    return [(run.build_id, *key, *one) for one in found]


def _states(run: Run, keys: Iterable[Key], after: int) -> dict[Key, State]:
    """Return the states of the keys as of a position, out of memory or read anew; the oldest in memory give way."""
    memory: dict[Key, State] = run.memory.setdefault("states", {})
    wanted = list(keys)
    missing = [key for key in wanted if key not in memory]
    found = {key: memory.pop(key) for key in wanted if key in memory}
    found |= _read_states(run, missing, after)
    memory |= found
    held = sum(len(state.evidence) for state in memory.values()) if len(memory) > KEYS_AT_ONCE else 0
    for key in list(memory)[: len(memory) - len(found)]:
        if held <= MOST_EVIDENCE_AT_HAND:
            break
        held -= len(memory.pop(key).evidence)
    return found


def _read_states(run: Run, keys: Sequence[Key], after: int) -> dict[Key, State]:
    states = {key: State() for key in keys}
    if not after:
        return states
    for start in range(0, len(keys), KEYS_AT_ONCE):
        chunk = keys[start : start + KEYS_AT_ONCE]
        wanted = _wanted(chunk).c
        query = _changes_query(run, after).where(_is_in(_row, wanted)).order_by(_row.cause, _row.seq)
        for row in run.connection.execute(query).all():
            states[row[:2]].apply(_change(row))
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
        columns.build_id == run.build_id, columns.position <= through, *conditions
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
    query = select(*_COLUMNS).where(_row.build_id == run.upstream["evidence"], _row.cause <= through)
    return query.where(_row.cause.not_in(run.parked)) if run.parked else query


def _change(row: Any) -> Change:
    return _made_change((row[2], row[3], row[4], _made_evidence(row[5:16])))
