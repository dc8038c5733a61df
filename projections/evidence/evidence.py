"""What one statement says of one learner and one competency."""

from __future__ import annotations

from typing import Final, NamedTuple

KINDS: Final = (
    "diagnostic",
    "formative",
    "interim",
    "performance_task",
    "portfolio",
    "local_summative",
    "state_summative",
    "credential",
    "elo",
    "work_habit",
)
"""The kinds of assessment, in the order of their stored numbers; a new one is added at the end."""

GROUP, VALIDATED, EXCUSED, OUTSIDE = 1, 2, 4, 8
"""Bits of `flags`: work of a group, an assessment that was validated, excused, of another district."""


class Evidence(NamedTuple):
    """One piece of evidence; score is the exact fraction `score_num / score_den` of what could be reached, or None.

    `timestamp` is in microseconds since 1970; evidence is ordered by (timestamp, statement_id), never by arrival.
    `task` names the task by its 64-bit key; `revision` and `attempt` are 0 where the sender numbers none. `fingerprint`
    is equal for two statements that tell of the same event under different ids. `flags` is a sum of the bits above.
    `context`, `scorer` and `criterion` are 64-bit keys, 0 where unknown.
    """

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
    flags: int = 0
    attempt: int = 0
    context: int = 0
    scorer: int = 0
    criterion: int = 0
