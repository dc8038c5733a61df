"""What a fold is given: where it reads, where it writes, and what it remembered from the batch before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

FAR: Final = 20_000
"""A span of at least so many positions is read key by key: in the order of the tables, with nothing to remember."""


class Unfoldable(Exception):
    """One statement, or all that is known of one learner, cannot be folded: it is parked and the rest goes on."""

    def __init__(self, position: int, learner: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position
        self.learner = learner


@dataclass(slots=True)
class Run:
    """One projection of one log at work.

    `connection` writes the projection's tables, `log_connection` reads the log; `upstream` names the builds that this
    one reads. `parked` are positions and `stale` are learners that could not be folded and are left out. `memory` may
    hold what can be read again: it is thrown away when a batch fails.
    """

    connection: Connection
    log_connection: Connection
    log_id: int
    build_id: int
    upstream: Mapping[str, int]
    parked: frozenset[int] = frozenset()
    stale: frozenset[int] = frozenset()
    memory: dict[str, Any] = field(default_factory=dict)


def is_far(after: int, through: int) -> bool:
    """Whether a span is better read key by key than position by position; both give the same rows."""
    return through - after >= FAR


def unfoldable(error: Exception, position: int, learner: int = 0) -> Unfoldable:
    """Return what is to be parked because of an error; 0 stands for no particular learner."""
    return Unfoldable(position, learner, f"{type(error).__name__}: {error}")
