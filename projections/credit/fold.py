"""The credit projection's fold: decisions and evidence in, answers of the policies out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Result, func, select

from lrs.store.bulk import insert_rows
from projections.credit.eligibility import Standing
from projections.credit.tables import credit_decision
from projections.credit.timeline import Answer, Did, Policies, State, Stood, answers, policies_of
from projections.evidence import tables as source
from projections.evidence.history import ActsOverTime, acts_over_time
from projections.mastery.tables import decision
from projections.mastery.timeline import STATUSES
from projections.run import Run, is_far, unfoldable

KINDS: Final = ("framework", "policy", "scale")
MOST_WORK_AT_HAND: Final = 50_000
ROWS_AT_ONCE: Final = 5_000
LEARNERS_AT_ONCE: Final = 500

Event = Stood | Did
Levels = Callable[[int], tuple[str, ...]]


def fold(run: Run, after: int, through: int) -> None:
    """Fold the decisions and the evidence at after < position <= through into answers."""
    history = acts_over_time(run, KINDS, through)
    steps = _steps(run, history)
    levels = _level_names(history)
    if not any(step.held for step in steps):
        return
    if history.changed_after(after) or is_far(after, through):
        run.memory.pop("states", None)
        _fold_by_learner(run, steps, levels, after, through)
    else:
        _fold_by_position(run, steps, levels, after, through)


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


def _fold_by_learner(run: Run, steps: Sequence[Policies], levels: Levels, after: int, through: int) -> None:
    made: list[tuple[Any, ...]] = []
    last = _last_answers(run, after) if after else {}
    stood: Iterator[tuple[int, Event]] = _standings(run, levels, 0, through, None, in_order_of_learners=True)
    did: Iterator[tuple[int, Event]] = _work(run, 0, through, None, in_order_of_learners=True)
    happened: Iterator[tuple[int, Event]] = merge(stood, did, key=itemgetter(0))
    for learner, group in groupby(happened, key=itemgetter(0)):
        state = State(last=last.pop(learner, {}))
        made += _answered(run, learner, state, [event for _, event in group], steps, after, through)
        if len(made) >= ROWS_AT_ONCE:
            insert_rows(run.connection, credit_decision, made)
            made = []
    insert_rows(run.connection, credit_decision, made)


def _fold_by_position(run: Run, steps: Sequence[Policies], levels: Levels, after: int, through: int) -> None:
    events = _events(run, levels, after, through, None)
    states = _states(run, levels, events, after)
    made: list[tuple[Any, ...]] = []
    for learner, own in events.items():
        made += _answered(run, learner, states[learner], own, steps, after, through)
    insert_rows(run.connection, credit_decision, made)


def _answered(
    run: Run, learner: int, state: State, events: list[Event], steps: Sequence[Policies], after: int, through: int
) -> list[tuple[Any, ...]]:
    """Return a learner's new rows; raises Unfoldable naming the learner."""
    if learner in run.stale:
        return []
    try:
        found = list(answers(state, sorted(events, key=_moment), steps, after, through))
    except Exception as error:
        raise unfoldable(error, through, learner) from error
    return [(run.build_id, learner, *one) for one in found]


def _moment(event: Event) -> tuple[int, bool]:
    return event.position, isinstance(event, Stood)


def _states(run: Run, levels: Levels, learners: Iterable[int], after: int) -> dict[int, State]:
    """Return the states of the learners as of a position, out of memory or read anew; the oldest give way."""
    memory: dict[int, State] = run.memory.setdefault("states", {})
    wanted = list(learners)
    missing = [one for one in wanted if one not in memory]
    found = {one: memory.pop(one) for one in wanted if one in memory}
    found |= _read_states(run, levels, missing, after)
    memory |= found
    held = sum(len(state.work) for state in memory.values())
    for learner in list(memory)[: len(memory) - len(found)]:
        if held <= MOST_WORK_AT_HAND:
            break
        held -= len(memory.pop(learner).work)
    return found


def _read_states(run: Run, levels: Levels, learners: Sequence[int], after: int) -> dict[int, State]:
    states = {learner: State() for learner in learners}
    for start in range(0, len(learners) if after else 0, LEARNERS_AT_ONCE):
        chunk = learners[start : start + LEARNERS_AT_ONCE]
        for learner, events in _events(run, levels, 0, after, chunk).items():
            for event in sorted(events, key=_moment):
                states[learner].apply(event)
        for learner, last in _last_answers(run, after, chunk).items():
            states[learner].last = last
    return states


def derived(run: Run, learner: int, position: int) -> list[Answer]:
    """Return the answers that a position brings about, from all that held there, for a reader to compare."""
    history = acts_over_time(run, KINDS, position)
    state = _read_states(run, _level_names(history), [learner], position)[learner]
    state.last = _last_answers(run, position - 1, [learner]).get(learner, {})
    return list(answers(state, [], [policies_of(position, history.at(position))], position - 1, position))


def _events(
    run: Run, levels: Levels, after: int, through: int, learners: Sequence[int] | None
) -> dict[int, list[Event]]:
    """Return what happened over a span by learner; what a learner did comes before how it was judged."""
    events: dict[int, list[Event]] = {}
    for learner, did in _work(run, after, through, learners):
        events.setdefault(learner, []).append(did)
    for learner, stood in _standings(run, levels, after, through, learners):
        events.setdefault(learner, []).append(stood)
    return events


def _standings(
    run: Run, levels: Levels, after: int, through: int, learners: Sequence[int] | None, *,
    in_order_of_learners: bool = False,
) -> Iterator[tuple[int, Stood]]:  # fmt: skip
    made = decision.c
    query = select(made.learner, made.position, made.competency, made.status, made.level, made.scale).where(
        made.build_id == run.upstream["mastery"], *_span(run, made.learner, made.position, after, through, learners)
    )
    order = (made.learner, made.position) if in_order_of_learners else (made.position,)
    with _streamed(run, query.order_by(*order)) as stream:
        for learner, position, competency, status, level, scale in stream:
            yield learner, Stood(position, competency, Standing(STATUSES[status], level, levels(scale)))


def _work(
    run: Run, after: int, through: int, learners: Sequence[int] | None, *, in_order_of_learners: bool = False
) -> Iterator[tuple[int, Did]]:
    rows = source.evidence.c
    query = select(
        rows.learner, rows.cause, rows.change, rows.position, rows.competency, rows.kind, rows.task, rows.revision,
        rows.timestamp, rows.statement_id, rows.score_num, rows.score_den,
    ).where(
        rows.build_id == run.upstream["evidence"], *_span(run, rows.learner, rows.cause, after, through, learners)
    )  # fmt: skip
    order = (rows.learner, rows.cause, rows.seq) if in_order_of_learners else (rows.cause, rows.seq)
    with _streamed(run, query.order_by(*order)) as stream:
        for learner, cause, change, position, competency, kind, task, revision, timestamp, name, num, den in stream:
            yield learner, Did(cause, change, position, competency, kind, task, (revision, timestamp, name), num, den)


def _streamed(run: Run, query: Any) -> Result[*tuple[Any, ...]]:
    return run.connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE))


def _span(
    run: Run, learner: Any, moment: Any, after: int, through: int, learners: Sequence[int] | None
) -> list[ColumnElement[bool]]:
    span: list[ColumnElement[bool]] = [moment > after, moment <= through]
    if learners is not None:
        span.append(learner.in_(learners))
    if run.parked:
        span.append(moment.not_in(run.parked))
    return span


def _last_answers(
    run: Run, through: int, learners: Sequence[int] | None = None
) -> dict[int, dict[int, tuple[int, bytes, bytes]]]:
    columns = credit_decision.c
    newest = select(columns.learner, columns.policy, func.max(columns.position).label("position")).where(
        columns.build_id == run.build_id, columns.position <= through
    )
    if learners is not None:
        newest = newest.where(columns.learner.in_(learners))
    last = newest.group_by(columns.learner, columns.policy).subquery()
    query = select(columns.learner, columns.policy, columns.published, columns.leaves, columns.digest).join_from(
        credit_decision,
        last,
        (columns.learner == last.c.learner) & (columns.policy == last.c.policy) & (columns.position == last.c.position),
    )
    found: dict[int, dict[int, tuple[int, bytes, bytes]]] = {}
    for learner, policy, *answer in run.connection.execute(
        query.where(columns.build_id == run.build_id).order_by(columns.learner, columns.policy)
    ):
        found.setdefault(learner, {})[policy] = (answer[0], answer[1], answer[2])
    return found
