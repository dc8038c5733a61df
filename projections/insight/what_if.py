"""What if: every learner's evidence under a candidate, held against what holds, in processes that share the learners.

Nothing is written: the log, the evidence and the decisions are only read. What is compared is where each
learner stands at the end of the span, in every competency of which evidence came or went inside the span, or would
under the candidate.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from multiprocessing import get_context
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, cast

from sqlalchemy import Select, select

from lrs.store.engine import open_engine
from projections.evidence import tables
from projections.evidence.evidence import Evidence
from projections.evidence.history import ActsOverTime, acts_over_time
from projections.insight.candidates import Candidate, candidate_of, with_candidate
from projections.insight.comparing import Difference, differences, states_of
from projections.insight.resolving import Piece, Pieces, resolved_anew, touched
from projections.mastery.fold import laws_of
from projections.mastery.laws import RULE_KINDS, Laws, Rules
from projections.run import Run

PARTS: Final = 64
"""The learners are shared out in so many ranges of their keys, for progress and for processes that are done early."""

ROWS_AT_ONCE: Final = 10_000
POSITIONS_AT_ONCE: Final = 2_000
_LOWEST: Final = -(2**63)
_rows = tables.evidence.c
_COLUMNS: Final = (
    _rows.learner,
    _rows.competency,
    _rows.cause,
    _rows.change,
    *(_rows[name] for name in Evidence._fields),
)
_evidence: Final = cast("Callable[[tuple[Any, ...]], Evidence]", partial(tuple.__new__, Evidence))
_POSITION, _CRITERION = (Evidence._fields.index(name) + 4 for name in ("position", "criterion"))

Key: TypeAlias = tuple[int, int]
Held: TypeAlias = dict[int, dict[tuple[int, int], Evidence]]
"""A learner's evidence by competency, each piece by its position and criterion."""

Progress: TypeAlias = Callable[[int, int], None]
T = TypeVar("T")
R = TypeVar("R")


class Question(NamedTuple):
    """What is asked: a candidate, as its document, over after < position <= through of the evidence of one log."""

    log_url: str
    derived_url: str
    log_id: int
    builds: Mapping[str, int]
    document: Mapping[str, Any]
    after: int
    through: int


class Range(NamedTuple):
    """The learners first <= key <= last, the positions that are resolved anew, and what those come to."""

    first: int
    last: int
    replaced: frozenset[int]
    pieces: Pieces


def silent(_done: int, _of: int) -> None:
    """Tell nobody how far a question is."""


class Answer(NamedTuple):
    """What came of it: every difference in the order of learners and competencies, and the keys without one."""

    differences: list[Difference]
    unchanged: list[Key]


@dataclass
class Work:
    """A question at work in one process: open connections, and what is in force on both sides."""

    question: Question
    run: Run
    candidate: Candidate
    before: Laws
    after: Laws
    _differs: dict[int, bool] = field(default_factory=dict)

    def differs(self, competency: int) -> bool:
        """Whether the candidate is another rule for a competency, or for one that roll-ups tie it to."""
        if competency not in self._differs:
            tied = {*self.before.rules.family(competency), *self.after.rules.family(competency)}
            self._differs[competency] = any(self._has_other_rule(one) for one in tied)
        return self._differs[competency]

    def _has_other_rule(self, competency: int) -> bool:
        through = self.question.through
        return self.before.rules.at(competency, through)[1:] != self.after.rules.at(competency, through)[1:]

    def parents(self, competencies: Iterable[int]) -> set[int]:
        """Return what rolls these competencies up, on either side."""
        sides = self.before.rules, self.after.rules
        return {above for one in competencies for rules in sides for above in rules.ancestors(one)}


def answer(question: Question, processes: int = 1, progress: Progress = silent) -> Answer:
    """Return what the candidate would change; with one process everything is done in this one.

    Raises InvalidRequest for a candidate that is not sound. However the work is shared out, the answer is the same.
    """
    with opened(question) as work:
        positions = [] if work.candidate.kind == "rule" else _touched(work)
    chunks = [positions[start : start + POSITIONS_AT_ONCE] for start in range(0, len(positions), POSITIONS_AT_ONCE)]
    with _sharing(question, processes) as share:
        pieces: dict[int, list[Piece]] = {}
        for found in share(_resolve, chunks, silent):
            for learner, own in found.items():
                pieces.setdefault(learner, []).extend(own)
        parts = share(_compare, _ranges(frozenset(positions), pieces), progress)
    return Answer(
        [one for part in parts for one in part.differences], [key for part in parts for key in part.unchanged]
    )


def _touched(work: Work) -> list[int]:
    return touched(work.run, work.candidate, work.question.after, work.question.through)


@contextmanager
def opened(question: Question) -> Iterator[Work]:
    """Open the databases of a question and read what is in force; raises InvalidRequest for an unsound candidate."""
    log_engine, engine = open_engine(question.log_url, 1), open_engine(question.derived_url, 1)
    try:
        with log_engine.connect() as log_connection, engine.connect() as connection:
            upstream = {name: build for name, build in question.builds.items() if name != "mastery"}
            run = Run(connection, log_connection, question.log_id, question.builds["mastery"], upstream)
            yield _work(question, run)
    finally:
        log_engine.dispose()
        engine.dispose()


def _work(question: Question, run: Run) -> Work:
    candidate = candidate_of(question.document)
    before, _ = laws_of(run, 0, question.through)
    if candidate.kind != "rule":
        return Work(question, run, candidate, before, before)
    history = acts_over_time(run, RULE_KINDS, question.through)
    acts = with_candidate(history.at(question.through), candidate, question.through)
    steps = (*history.steps, (question.through, acts))
    return Work(question, run, candidate, before, Laws(Rules(ActsOverTime(question.through, steps)), before.overrides))


def _ranges(replaced: frozenset[int], pieces: Pieces) -> list[Range]:
    width = 2**64 // PARTS
    firsts = [_LOWEST + part * width for part in range(PARTS)]
    own: list[dict[int, Sequence[Piece]]] = [{} for _ in firsts]
    for learner in sorted(pieces):
        own[(learner - _LOWEST) // width][learner] = pieces[learner]
    return [Range(first, first + width - 1, replaced, found) for first, found in zip(firsts, own, strict=True)]


# In a process of the pool, the work that it was begun with; processes share nothing else.
_AT_WORK: list[Work] = []


@contextmanager
def _sharing(question: Question, processes: int) -> Iterator[Callable[..., list[Any]]]:
    """Lend a way to do one thing to each of many parts; the answers come in the order of the parts."""
    if processes <= 1:
        with opened(question) as work:
            yield lambda do, parts, progress: _in_turn(partial(do, work), parts, progress)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (question,)) as pool:
        yield lambda do, parts, progress: _shared(pool, do, parts, progress)


def _begin(question: Question) -> None:
    """Open a question in a process of its own; what is open is closed when the process ends."""
    opening = ExitStack()
    atexit.register(opening.close)
    _AT_WORK.append(opening.enter_context(opened(question)))


def _do_here(do: Callable[[Work, T], R], part: T) -> R:
    return do(_AT_WORK[0], part)


def _in_turn(do: Callable[[T], R], parts: Sequence[T], progress: Progress) -> list[R]:
    found = []
    for place, part in enumerate(parts, 1):
        found.append(do(part))
        progress(place, len(parts))
    return found


def _shared(pool: ProcessPoolExecutor, do: Callable[[Work, T], R], parts: Sequence[T], progress: Progress) -> list[R]:
    futures = [pool.submit(_do_here, do, part) for part in parts]
    for place, done in enumerate(as_completed(futures), 1):
        done.result()
        progress(place, len(parts))
    return [one.result() for one in futures]


def _resolve(work: Work, positions: Sequence[int]) -> Pieces:
    """Return what these statements are evidence of under the candidate."""
    return resolved_anew(work.run, work.candidate, positions, work.question.through)


def _compare(work: Work, part: Range) -> Answer:
    """Return the comparisons of a range of learners."""
    found = Answer([], [])
    for learner, held, moved in _learners(work, part):
        candidate_held, touched_ = _replaced(held, part, learner)
        moved = moved | touched_
        compared = moved | work.parents(moved)
        looked_at = sorted(one for one in compared if touched_ or work.differs(one))
        found.unchanged.extend((learner, one) for one in compared.difference(looked_at))
        if looked_at:
            _take(work, found, learner, (held, candidate_held), looked_at)
    found.unchanged.sort()
    return found


def _take(work: Work, found: Answer, learner: int, sides: tuple[Held, Held], looked_at: Sequence[int]) -> None:
    through = work.question.through
    before = states_of(_in_lists(sides[0]), work.before.of(learner), through)
    after = states_of(_in_lists(sides[1]), work.after.of(learner), through)
    for one in differences(learner, before, after, looked_at):
        if one.change == "unchanged":
            found.unchanged.append((learner, one.competency))
        else:
            found.differences.append(one)


def _in_lists(held: Held) -> dict[int, list[Evidence]]:
    return {competency: list(own.values()) for competency, own in held.items()}


def _replaced(held: Held, part: Range, learner: int) -> tuple[Held, set[int]]:
    """Return a learner's evidence under the candidate, and the competencies in which it is another."""
    if not part.replaced:
        return held, set()
    found = {
        competency: {place: one for place, one in own.items() if place[0] not in part.replaced}
        for competency, own in held.items()
    }
    for competency, one in part.pieces.get(learner, ()):
        found.setdefault(competency, {})[one.position, one.criterion] = one
    return found, {competency for competency, own in found.items() if own != held.get(competency, {})}


def _learners(work: Work, part: Range) -> Iterator[tuple[int, Held, set[int]]]:
    """Yield each learner of a range with the evidence that holds, and the competencies that moved in the span.

    Those of whom there is nothing but an override, or what the candidate finds, come too.
    """
    overrides = work.before.overrides.changes
    waiting = {one for one in (*overrides, *part.pieces) if part.first <= one <= part.last}
    query = _query(work, part)
    for learner, rows in groupby(work.run.connection.execute(query), key=itemgetter(0)):
        waiting.discard(learner)
        yield learner, *_held(rows, work, learner)
    for learner in sorted(waiting):
        yield learner, *_held((), work, learner)


def _held(rows: Iterable[Any], work: Work, learner: int) -> tuple[Held, set[int]]:
    after = work.question.after
    held: Held = {}
    moved = {
        subject
        for subject, changes in work.before.overrides.of(learner).items()
        if any(after < one.position <= work.question.through for one in changes)
    }
    for row in rows:
        place = row[_POSITION], row[_CRITERION]
        if row[3] > 0:
            held.setdefault(row[1], {})[place] = _evidence(row[4:])
        else:
            held.setdefault(row[1], {}).pop(place, None)
        if row[2] > after:
            moved.add(row[1])
    return held, moved


def _query(work: Work, part: Range) -> Select[Any]:
    question = work.question
    query = select(*_COLUMNS).where(
        _rows.build_id == question.builds["evidence"],
        _rows.learner.between(part.first, part.last),
        _rows.cause <= question.through,
    )
    query = query.order_by(_rows.learner, _rows.competency, _rows.cause, _rows.seq)
    return query.execution_options(yield_per=ROWS_AT_ONCE)
