"""The credit projection's fold: decisions and evidence in, answers of the policies out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Result, Select, and_, func, select

from lrs.store.bulk import insert_rows
from projections.credit.eligibility import Standing
from projections.credit.tables import credit_decision
from projections.credit.timeline import (
    Answer,
    Did,
    Event,
    Last,
    Overrode,
    Policies,
    State,
    Stood,
    answers,
    policies_of,
)
from projections.evidence import tables as source
from projections.evidence.history import ActsOverTime, acts_over_time
from projections.mastery.fold import overrides_over_time, own_learners
from projections.mastery.laws import Overrides
from projections.mastery.tables import decision
from projections.mastery.timeline import STATUSES
from projections.run import Run, unfoldable

KINDS: Final = ("framework", "policy", "scale")
MOST_FACTS_AT_HAND: Final = 300_000
ROWS_AT_ONCE: Final = 5_000
LEARNERS_AT_ONCE: Final = 500

_row, _made = source.evidence.c, decision.c

Levels = Callable[[int], tuple[str, ...]]


class Laws(NamedTuple):
    """What is in force over time: the policies, what the levels of each scale are called, and the overrides."""

    steps: Sequence[Policies]
    levels: Levels
    overrides: Overrides


def fold(run: Run, after: int, through: int) -> None:
    """Fold the decisions and the evidence at after < position <= through into answers."""
    history = acts_over_time(run, KINDS, through)
    overrides = overrides_over_time(run, run.memory.setdefault("overrides", Overrides(of_credit=True)), through)
    laws = Laws(_steps(run, history), _level_names(history), overrides)
    if not any(step.held for step in laws.steps):
        return
    if history.changed_after(after) or run.is_far(after, through):
        run.memory.pop("states", None)
        _fold_by_learner(run, laws, after, through)
    else:
        _fold_by_position(run, laws, after, through)


def _steps(run: Run, history: ActsOverTime) -> list[Policies]:
    known: list[Policies] = run.memory.setdefault("steps", [])
    done = known[-1].position if known else 0
    known += [policies_of(position, acts) for position, acts in history.steps if position > done]
    return known


def _level_names(history: ActsOverTime) -> Callable[[int], tuple[str, ...]]:
    """Return how the levels of the scale published at a position are called, low to high."""

    @cache
    def names(position: int) -> tuple[str, ...]:
        act = next((acts.at(position) for _, acts in history.steps if acts.at(position)), None)
        return tuple(level.name for level in act.document.levels) if act else ()

    return names


def _fold_by_learner(run: Run, laws: Laws, after: int, through: int) -> None:
    made: list[tuple[Any, ...]] = []
    last = _last_answers(run, after) if after else {}
    standings = _stood_query(run, [_made.position <= through]).order_by(_made.learner, _made.position)
    work = _did_query(run, laws.steps, [_row.cause <= through]).order_by(_row.learner, _row.cause, _row.seq)
    with _streamed(run, standings) as stood, _streamed(run, work) as did:
        judged: Iterator[tuple[int, Event]] = ((row[0], _stood(laws.levels, row)) for row in stood)
        done: Iterator[tuple[int, Event]] = ((row[0], _did(row)) for row in did)
        decided = iter(_overrode(run, laws.overrides, 0, through))
        for learner, group in groupby(merge(judged, done, decided, key=itemgetter(0)), key=itemgetter(0)):
            state = State(last=last.pop(learner, {}))
            made += _answered(run, learner, state, [event for _, event in group], laws.steps, after, through)
            if len(made) >= ROWS_AT_ONCE:
                insert_rows(run.connection, credit_decision, made)
                made = []
    insert_rows(run.connection, credit_decision, made)


def _streamed(run: Run, query: Select[Any]) -> Result[*tuple[Any, ...]]:
    return run.connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE))


def _overrode(run: Run, overrides: Overrides, after: int, through: int) -> list[tuple[int, Event]]:
    """Return what began or ended to override over a span, with the learner, in the order of the learners."""
    touched = dict.fromkeys(learner for learner, _ in overrides.changed_between(after, through))
    return [
        (learner, Overrode(one.position, policy, one.override))
        for learner in own_learners(run, touched)
        for policy, changes in overrides.of(learner).items()
        for one in changes
        if after < one.position <= through
    ]


def _fold_by_position(run: Run, laws: Laws, after: int, through: int) -> None:
    events = _events(run, laws, after, through)
    states = _states(run, laws, events, after)
    made: list[tuple[Any, ...]] = []
    for learner, own in events.items():
        made += _answered(run, learner, states[learner], own, laws.steps, after, through)
    insert_rows(run.connection, credit_decision, made)


def _answered(
    run: Run, learner: int, state: State, events: list[Event], steps: Sequence[Policies], after: int, through: int
) -> list[tuple[Any, ...]]:
    """Return a learner's new rows; raises Unfoldable naming the learner."""
    until = run.until(learner, through)
    if until <= after:
        return []
    own = sorted((event for event in events if event.position <= until), key=_moment)
    try:
        found = list(answers(state, own, steps, after, until))
    except Exception as error:
        raise unfoldable(error, through, learner) from error
    return [(run.build_id, learner, *one) for one in found]


def _moment(event: Event) -> tuple[int, bool]:
    return event.position, isinstance(event, Stood)


def _states(run: Run, laws: Laws, learners: Iterable[int], after: int) -> dict[int, State]:
    """Return the states of the learners as of a position, out of memory or read anew; the oldest give way."""
    memory: dict[int, State] = run.memory.setdefault("states", {})
    wanted = list(learners)
    missing = [one for one in wanted if one not in memory]
    found = {one: memory.pop(one) for one in wanted if one in memory}
    found |= _read_states(run, laws, missing, after)
    memory |= found
    held = sum(map(_size, memory.values()))
    for learner in list(memory)[: len(memory) - len(found)]:
        if held <= MOST_FACTS_AT_HAND:
            break
        held -= _size(memory.pop(learner))
    return found


def _size(state: State) -> int:
    return len(state.standings) + len(state.work)


def _read_states(run: Run, laws: Laws, learners: Sequence[int], after: int) -> dict[int, State]:
    states = {learner: State() for learner in learners}
    for learner in learners:
        for policy, changes in laws.overrides.of(learner).items():
            held = [one.override for one in changes if one.position <= after]
            states[learner].overrides[policy] = held[-1] if held else None
    for start in range(0, len(learners) if after else 0, LEARNERS_AT_ONCE):
        chunk = learners[start : start + LEARNERS_AT_ONCE]
        for row in run.connection.execute(_newest_stood_query(run, after, chunk)).all():
            states[row[0]].apply(_stood(laws.levels, row))
        own = _row.cause <= after, _row.learner.in_(chunk)
        for row in run.connection.execute(_did_query(run, laws.steps, own).order_by(_row.cause, _row.seq)).all():
            states[row[0]].apply(_did(row))
        for learner, last in _last_answers(run, after, chunk).items():
            states[learner].last = last
    return states


def derived(run: Run, learner: int, position: int) -> list[Answer]:
    """Return the answers that a position brings about, from all that held there, for a reader to compare."""
    history = acts_over_time(run, KINDS, position)
    overrides = overrides_over_time(run, Overrides(of_credit=True), position)
    laws = Laws([policies_of(position, history.at(position))], _level_names(history), overrides)
    state = _read_states(run, laws, [learner], position)[learner]
    state.last = _last_answers(run, position - 1, [learner]).get(learner, {})
    return list(answers(state, [], laws.steps, position - 1, position))


def _events(run: Run, laws: Laws, after: int, through: int) -> dict[int, list[Event]]:
    """Return what happened over a span by learner; what a learner did comes before how it was judged."""
    events: dict[int, list[Event]] = {}
    for learner, event in _overrode(run, laws.overrides, after, through):
        events.setdefault(learner, []).append(event)
    span = _row.cause > after, _row.cause <= through
    for row in run.connection.execute(_did_query(run, laws.steps, span).order_by(_row.cause, _row.seq)).all():
        events.setdefault(row[0], []).append(_did(row))
    span = _made.position > after, _made.position <= through
    for row in run.connection.execute(_stood_query(run, span).order_by(_made.position)).all():
        events.setdefault(row[0], []).append(_stood(laws.levels, row))
    return events


def _stood_query(run: Run, conditions: Iterable[ColumnElement[bool]]) -> Select[Any]:
    query = select(_made.learner, _made.position, _made.competency, _made.status, _made.level, _made.scale)
    query = query.where(_made.build_id == run.upstream["mastery"], *run.own(_made.learner), *conditions)
    return query.where(_made.position.not_in(run.parked)) if run.parked else query


def _newest_stood_query(run: Run, through: int, learners: Sequence[int]) -> Select[Any]:
    """Return the query of the newest decision on each competency: what came before it no longer matters."""
    own = _made.position <= through, _made.learner.in_(learners)
    every = _stood_query(run, own).subquery()
    newest = select(every.c.learner, every.c.competency, func.max(every.c.position).label("position"))
    last = newest.group_by(every.c.learner, every.c.competency).subquery()
    same = and_(
        _made.learner == last.c.learner,
        _made.competency == last.c.competency,
        _made.position == last.c.position,
    )
    return _stood_query(run, ()).join(last, same).order_by(_made.learner, _made.competency)


def _stood(levels: Levels, row: Any) -> Stood:
    _, position, competency, status, level, scale = row
    return Stood(position, competency, Standing(STATUSES[status], level, levels(scale)))


def _did_query(run: Run, steps: Sequence[Policies], conditions: Iterable[ColumnElement[bool]]) -> Select[Any]:
    """Return the query of the work that any policy of the steps looks at; the rest is most of it."""
    kinds = sorted(set().union(*(step.kinds for step in steps)))
    query = select(
        _row.learner, _row.cause, _row.change, _row.position, _row.competency, _row.kind, _row.task, _row.revision,
        _row.timestamp, _row.statement_id, _row.score_num, _row.score_den, _row.criterion,
    ).where(
        _row.build_id == run.upstream["evidence"], _row.kind.in_(kinds), *run.own(_row.learner), *conditions
    )  # fmt: skip
    return query.where(_row.cause.not_in(run.parked)) if run.parked else query


def _did(row: Any) -> Did:
    _, cause, change, position, competency, kind, task, revision, timestamp, name, num, den, criterion = row
    return Did(cause, change, position, competency, kind, task, (revision, timestamp, name), num, den, criterion)


def _last_answers(run: Run, through: int, learners: Sequence[int] | None = None) -> dict[int, dict[int, Last]]:
    columns = credit_decision.c
    newest = select(columns.learner, columns.policy, func.max(columns.position).label("position")).where(
        columns.build_id == run.build_id, columns.position <= through, *run.own(columns.learner)
    )
    if learners is not None:
        newest = newest.where(columns.learner.in_(learners))
    last = newest.group_by(columns.learner, columns.policy).subquery()
    told = columns.published, columns.leaves, columns.override, columns.digest
    query = select(columns.learner, columns.policy, *told).join_from(
        credit_decision,
        last,
        (columns.learner == last.c.learner) & (columns.policy == last.c.policy) & (columns.position == last.c.position),
    )
    found: dict[int, dict[int, Last]] = {}
    for learner, policy, *answer in run.connection.execute(
        query.where(columns.build_id == run.build_id).order_by(columns.learner, columns.policy)
    ):
        found.setdefault(learner, {})[policy] = Last(*answer)
    return found
