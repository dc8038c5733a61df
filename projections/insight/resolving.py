"""Which statements a candidate alignment or normaliser touches, and what those would be evidence of under it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias, cast

from lrs.store.search import at, voided_among
from lrs.xapi.decode import stored_statement
from projections.building.builds import parked_in
from projections.evidence import touched as touching
from projections.evidence.evidence import Evidence
from projections.evidence.fold import acts_at
from projections.evidence.pieces import Piece as Row
from projections.evidence.pieces import held_of
from projections.insight.candidates import Candidate, act_of, with_candidate
from projections.run import Run

Piece: TypeAlias = tuple[int, Evidence]
"""A piece of evidence with its competency."""

Pieces: TypeAlias = Mapping[int, Sequence[Piece]]
"""Evidence by learner."""

_FIRST = Row._fields.index("position")
_BEHIND = _FIRST + len(Evidence._fields)
_evidence: Final = cast("Callable[[tuple[Any, ...]], Evidence]", Evidence._make)


def touched(run: Run, candidate: Candidate, after: int, through: int) -> list[int]:
    """Return the positions at after < position <= through that the candidate may make evidence of something else."""
    own = replace(run, build_id=run.upstream["evidence"])
    before = acts_at(run.connection, own.build_id, through)
    found = touching.touched(
        own, act_of(candidate, through), before, with_candidate(before, candidate, through), through + 1
    )
    left_out = {one.position for one in parked_in(run.connection, [own.build_id])}
    return sorted(position for position in found - left_out if after < position <= through)


def resolved_anew(run: Run, candidate: Candidate, positions: Sequence[int], through: int) -> Pieces:
    """Return what the statements at these positions, rising, are evidence of under the candidate, by learner."""
    acts = with_candidate(acts_at(run.connection, run.upstream["evidence"], through), candidate, through)
    voids = voided_among(run.log_connection, run.log_id, positions[0] - 1, positions[-1])
    found: dict[int, list[Piece]] = {}
    for one in at(run.log_connection, run.log_id, positions):
        if one.body is None or voids.get(one.position, through + 1) <= through:
            continue
        held, _ = held_of(one, stored_statement(one.body), acts)
        for row in held.pieces:
            found.setdefault(row.learner, []).append((row.competency, _evidence(row[_FIRST:_BEHIND])))
    return found
