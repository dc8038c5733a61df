"""The mastery projection's fold: evidence rows in, decisions out.

Live batches are folded by position with the states of recent keys at hand; when a rule changes, and in a rebuild, the
rows are read key by key instead. Both go through `timeline.decisions`, so both write the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Select, func, select, tuple_

from lrs.store.bulk import insert_rows
from lrs.xapi.values import key64
from projections.evidence import tables as source
from projections.evidence.evidence import Evidence
from projections.evidence.history import ActsOverTime, acts_over_time
from projections.mastery.rules import compiled
from projections.mastery.tables import decision
from projections.mastery.timeline import NO_DIGEST, Change, RuleChange, State, decisions
from projections.run import Run

Key = tuple[int, int]

KINDS: Final = ("framework", "rule", "scale")

MOST_EVIDENCE_AT_HAND: Final = 100_000
ROWS_AT_ONCE: Final = 5_000
KEYS_AT_ONCE: Final = 400
BY_KEY_FROM: Final = 20_000
"""A span of more positions than this is read key by key: the order of the table, and nothing to remember."""

_row = source.evidence.c
_COLUMNS = (
    _row.learner, _row.competency, _row.cause, _row.change, _row.reason, _row.position, _row.statement_id,
    _row.timestamp, _row.kind, _row.task, _row.revision, _row.score_num, _row.score_den, _row.success,
    _row.fingerprint, _row.is_group,
)  # fmt: skip


def fold(run: Run, after: int, through: int) -> None:
    """Fold the evidence that began or ended at after < cause <= through into decisions."""
    history = acts_over_time(run, KINDS, through)
    is_changed = history.changed_after(after)
    rules: Rules = run.memory.get("rules") or Rules(history)
    if is_changed:
        rules = Rules(history)
    run.memory["rules"] = rules
    if is_changed or through - after > BY_KEY_FROM:
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
            if found is None:
                yield RuleChange(position, None, "", 0, 0)
            else:
                rule, scale = found[0].document, found[1].document
                yield RuleChange(position, compiled(rule, scale), f"{rule.id}@{rule.version}", *places)


def _fold_by_key(run: Run, rules: Rules, after: int, through: int) -> None:
    digests = _last_digests(run, after) if after else {}
    query = _changes_query(run, through).order_by(_row.learner, _row.competency, _row.cause, _row.seq)
    stream = run.connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE))
    made: list[tuple[Any, ...]] = []
    for key, group in groupby(stream, key=lambda row: (row[0], row[1])):
        state = State(digest=digests.get(key, NO_DIGEST))
        found = decisions(state, [_change(row) for row in group], rules.of(key[1]), after, through)
        made += [(run.build_id, *key, *one) for one in found]
        if len(made) >= ROWS_AT_ONCE:
            insert_rows(run.connection, decision, made)
            made = []
    insert_rows(run.connection, decision, made)


def _fold_by_position(run: Run, rules: Rules, after: int, through: int) -> None:
    query = _changes_query(run, through).where(_row.cause > after).order_by(_row.cause, _row.seq)
    changes: dict[Key, list[Change]] = {}
    for row in run.connection.execute(query):
        changes.setdefault((row[0], row[1]), []).append(_change(row))
    states = _states(run, changes.keys(), after)
    made = [
        (run.build_id, *key, *one)
        for key, own in changes.items()
        for one in decisions(states[key], own, rules.of(key[1]), after, through)
    ]
    insert_rows(run.connection, decision, made)


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
        is_wanted = tuple_(_row.learner, _row.competency).in_(chunk)
        query = _changes_query(run, after).where(is_wanted).order_by(_row.cause, _row.seq)
        for row in run.connection.execute(query):
            states[row[0], row[1]].apply(_change(row))
        for key, digest in _last_digests(run, after, chunk).items():
            states[key].digest = digest
    return states


def _last_digests(run: Run, through: int, keys: Sequence[Key] | None = None) -> dict[Key, bytes]:
    """Return the digest of the newest decision of each key as of a position."""
    columns = decision.c
    newest = select(columns.learner, columns.competency, func.max(columns.position).label("position")).where(
        columns.build_id == run.build_id, columns.position <= through
    )
    if keys is not None:
        newest = newest.where(tuple_(columns.learner, columns.competency).in_(keys))
    last = newest.group_by(columns.learner, columns.competency).subquery()
    query = select(columns.learner, columns.competency, columns.digest).join_from(
        decision,
        last,
        (columns.learner == last.c.learner)
        & (columns.competency == last.c.competency)
        & (columns.position == last.c.position),
    )
    rows = run.connection.execute(query.where(columns.build_id == run.build_id))
    return {(learner, competency): digest for learner, competency, digest in rows}


def _changes_query(run: Run, through: int) -> Select[Any]:
    query = select(*_COLUMNS).where(_row.build_id == run.upstream["evidence"], _row.cause <= through)
    return query.where(_row.cause.not_in(run.parked)) if run.parked else query


def _change(row: Any) -> Change:
    return Change(row[2], row[3], row[4], Evidence(*row[5:16]))
