"""What a fold is given: where it reads, where it writes, whom it folds, what it remembers of the batch before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection

FAR: Final = 20_000
"""A span of at least so many positions is read key by key: in the order of the tables, with nothing to remember."""


class Learners(NamedTuple):
    """The learners whose keys are first <= key <= last."""

    first: int
    last: int


EVERYBODY: Final = Learners(-(1 << 63), (1 << 63) - 1)


class Unfoldable(Exception):
    """One statement, or all that is known of one learner, cannot be folded: it is parked and the rest goes on."""

    def __init__(self, position: int, learner: int, reason: str) -> None:
        super().__init__(position, learner, reason)
        self.position = position
        self.learner = learner
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


@dataclass(slots=True)
class Run:
    """One projection of one log at work.

    `connection` writes the projection's tables, `log_connection` reads the log; `upstream` names the builds that this
    one reads. `parked` are positions that could not be folded and are left out; of the learners in `stale` everything
    is left out from a position on. With `learners`, nothing of anybody else is read or written: a rebuild's unit.
    `memory` may hold what can be read again: it is thrown away when a batch fails.
    """

    connection: Connection
    log_connection: Connection
    log_id: int
    build_id: int
    upstream: Mapping[str, int]
    parked: frozenset[int] = frozenset()
    stale: Mapping[int, int] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)
    learners: Learners | None = None

    def until(self, learner: int, through: int) -> int:
        """Return the last position up to which a learner is folded: `through`, or that before what cannot be folded."""
        return min(through, self.stale.get(learner, through + 1) - 1)

    def own(self, learner: ColumnElement[int]) -> list[ColumnElement[bool]]:
        """Return the conditions that keep a query to the learners of this run; none where it folds everybody.

        The least 64-bit number is left out: as a literal it would be none to PostgreSQL, and no index would be used.
        """
        first, last = EVERYBODY if self.learners is None else self.learners
        least = [learner >= first] if first > EVERYBODY.first else []
        return [*least, learner <= last] if last < EVERYBODY.last else least

    def is_far(self, after: int, through: int) -> bool:
        """Whether a span is to be read key by key: where it is long, and wherever only some learners are folded."""
        return self.learners is not None or is_far(after, through)


def is_far(after: int, through: int) -> bool:
    """Whether a span is better read key by key than position by position; both give the same rows."""
    return through - after >= FAR


def unfoldable(error: Exception, position: int, learner: int = 0) -> Unfoldable:
    """Return what is to be parked because of an error; 0 stands for no particular learner."""
    return Unfoldable(position, learner, f"{type(error).__name__}: {error}")
