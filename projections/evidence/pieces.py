"""What holds of one statement: the rows of evidence that it is, and why it waits in the quarantine if it does.

Pure, so that a what-if and a replay come to the same rows as the fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from lrs.store.search import Found
from lrs.xapi.actors import ifi
from lrs.xapi.values import key64
from projections.evidence.evidence import EXCUSED
from projections.evidence.identity import Learner
from projections.evidence.normalise import Unused
from projections.evidence.resolve import Resolved, resolve
from projections.registry import Acts


class Piece(NamedTuple):
    """What a row of evidence says, whenever it began: the columns from `learner` to `authority`."""

    learner: int
    competency: int
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
    flags: int
    attempt: int
    context: int
    scorer: int
    criterion: int
    matched: int
    read_from: int
    normaliser: int
    alignment: int
    assessment: int
    identity: int
    authority: int


class Waiting(NamedTuple):
    """What a row of the quarantine says, whenever it began."""

    reason: str
    detail: str
    authority: int


class Held(NamedTuple):
    """What holds of one statement: its evidence, and why it, or a part of it, waits in the quarantine if it does."""

    pieces: tuple[Piece, ...] = ()
    waiting: Waiting | None = None


NOTHING: Final = Held()


def held_of(found: Found, statement: Mapping[str, Any], acts: Acts) -> tuple[Held, Sequence[Learner]]:
    """Return what holds of a statement by some acts, and the learners whom it is evidence for."""
    resolved = resolve(statement, found.timestamp, acts, found.stored)
    if resolved is None:
        return NOTHING, ()
    authority = key64("agent", ifi(statement["authority"]) or "")
    if isinstance(resolved, Unused):
        return Held(waiting=Waiting(*resolved, authority)), ()
    waiting = None if resolved.unused is None else Waiting(*resolved.unused, authority)
    statement_id = statement["id"].lower()
    excused = EXCUSED if statement_id in acts.excused else 0
    return Held(_pieces(found, statement_id, resolved, authority, excused), waiting), resolved.learners


def _pieces(found: Found, statement_id: str, resolved: Resolved, authority: int, excused: int) -> tuple[Piece, ...]:
    flags = resolved.flags | excused
    return tuple(
        Piece(
            learner.key, aligned.competency, found.position, statement_id, found.timestamp,
            aligned.kind, resolved.task, resolved.revision, aligned.score_num, aligned.score_den,
            resolved.success, resolved.fingerprint, flags, resolved.attempt, resolved.context, resolved.scorer,
            aligned.criterion, aligned.matched, resolved.read_from, resolved.normaliser, resolved.alignment,
            resolved.assessment, learner.identity, authority,
        )
        for learner in resolved.learners
        for aligned in resolved.competencies
    )  # fmt: skip
