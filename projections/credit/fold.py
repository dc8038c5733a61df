"""The credit projection's fold: decisions and evidence in, answers of the policies out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select

from lrs.store.bulk import insert_rows
from projections.credit.eligibility import Standing
from projections.credit.tables import credit_decision
from projections.credit.timeline import Did, Policies, State, Stood, answers, policies_of
from projections.evidence import tables as source
from projections.evidence.history import ActsOverTime, acts_over_time
from projections.mastery.tables import decision
from projections.mastery.timeline import STATUSES
from projections.run import Run

KINDS: Final = ("framework", "policy", "scale")
MOST_WORK_AT_HAND: Final = 50_000
ROWS_AT_ONCE: Final = 5_000
LEARNERS_AT_ONCE: Final = 500
BY_LEARNER_FROM: Final = 20_000
"""A span of more positions than this is read learner by learner: in the order of the tables, nothing to remember."""

Event = tuple[int, Stood | Did]


def fold(run: Run, after: int, through: int) -> None:
    """Fold the decisions and the evidence at after < position <= through into answers."""
    history = acts_over_time(run, KINDS, through)
    steps = _steps(run, history)
    levels = _level_names(history)
    if not any(step.held for step in steps):
        return
    if history.changed_after(after) or through - after > BY_LEARNER_FROM:
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


def _fold_by_learner(
    run: Run, steps: Sequence[Policies], levels: Callable[[int], tuple[str, ...]], after: int, through: int
) -> None:
    made: list[tuple[Any, ...]] = []
    last = _last_answers(run, after) if after else {}
    for learner, group in groupby(_by_learner(run, levels, through), key=itemgetter(0)):
        events = sorted((event for _, event in group), key=_moment)
        state = State(last=last.get(learner, {}))
        made += [(run.build_id, learner, *one) for one in answers(state, events, steps, after, through)]
        if len(made) >= ROWS_AT_ONCE:
            insert_rows(run.connection, credit_decision, made)
            made = []
    insert_rows(run.connection, credit_decision, made)


def _by_learner(run: Run, levels: Callable[[int], tuple[str, ...]], through: int) -> Iterator[Event]:
    """Yield every event learner by learner, some hundreds of learners at a time."""
    learner = source.learner.c
    query = select(learner.learner).where(learner.build_id == run.upstream["evidence"]).order_by(learner.learner)
    everyone = list(run.connection.scalars(query))
    for start in range(0, len(everyone), LEARNERS_AT_ONCE):
        chunk = everyone[start : start + LEARNERS_AT_ONCE]
        yield from sorted(_events(run, levels, 0, through, chunk), key=itemgetter(0))


def _moment(event: Stood | Did) -> tuple[int, bool]:
    return event.position, isinstance(event, Stood)


def _fold_by_position(
    run: Run, steps: Sequence[Policies], levels: Callable[[int], tuple[str, ...]], after: int, through: int
) -> None:
    events: dict[int, list[Stood | Did]] = {}
    for learner, event in _events(run, levels, after, through, None):
        events.setdefault(learner, []).append(event)
    states = _states(run, levels, events, after)
    made = [
        (run.build_id, learner, *one)
        for learner, own in events.items()
        for one in answers(states[learner], sorted(own, key=_moment), steps, after, through)
    ]
    insert_rows(run.connection, credit_decision, made)


def _states(
    run: Run, levels: Callable[[int], tuple[str, ...]], learners: Iterable[int], after: int
) -> dict[int, State]:
    memory: dict[int, State] = run.memory.setdefault("states", {})
    wanted = list(learners)
    found = {one: memory.pop(one) if one in memory else State() for one in wanted}
    missing = [one for one in wanted if not (found[one].standings or found[one].work)]
    for start in range(0, len(missing) if after else 0, LEARNERS_AT_ONCE):
        chunk = missing[start : start + LEARNERS_AT_ONCE]
        for learner, event in sorted(_events(run, levels, 0, after, chunk), key=lambda one: _moment(one[1])):
            found[learner].apply(event)
        for learner, last in _last_answers(run, after, chunk).items():
            found[learner].last = last
    memory |= found
    held = sum(len(state.work) for state in memory.values())
    for learner in list(memory)[: len(memory) - len(found)]:
        if held <= MOST_WORK_AT_HAND:
            break
        held -= len(memory.pop(learner).work)
    return found


def _events(
    run: Run, levels: Callable[[int], tuple[str, ...]], after: int, through: int, learners: Sequence[int] | None
) -> Iterator[Event]:
    stood, did = decision.c, source.evidence.c
    query = select(stood.learner, stood.position, stood.competency, stood.status, stood.level, stood.scale)
    query = query.where(stood.build_id == run.upstream["mastery"], *_span(run, stood.position, after, through))
    if learners is not None:
        query = query.where(stood.learner.in_(learners))
    for learner, position, competency, status, level, scale in run.connection.execute(query.order_by(stood.position)):
        yield learner, Stood(position, competency, Standing(STATUSES[status], level, levels(scale)))
    rows = select(
        did.learner, did.cause, did.change, did.position, did.competency, did.kind, did.task, did.revision,
        did.timestamp, did.statement_id, did.score_num, did.score_den,
    ).where(did.build_id == run.upstream["evidence"], *_span(run, did.cause, after, through))  # fmt: skip
    if learners is not None:
        rows = rows.where(did.learner.in_(learners))
    for learner, cause, change, position, competency, kind, task, *order, num, den in run.connection.execute(
        rows.order_by(did.cause, did.seq)
    ):
        yield learner, Did(cause, change, position, competency, kind, task, (order[0], order[1], order[2]), num, den)


def _span(run: Run, column: Any, after: int, through: int) -> list[ColumnElement[bool]]:
    span: list[ColumnElement[bool]] = [column > after, column <= through]
    return [*span, column.not_in(run.parked)] if run.parked else span


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
    for learner, policy, *answer in run.connection.execute(query.where(columns.build_id == run.build_id)):
        found.setdefault(learner, {})[policy] = (answer[0], answer[1], answer[2])
    return found
