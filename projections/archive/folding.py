"""One bucket's evidence → its learners' decisions: the mastery room's own fold, over rows that come out of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import compress, groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias, cast

import pyarrow as pa

from projections.archive.buckets import Bucket
from projections.archive.columns import lists_of
from projections.archive.manifest import LeftOut
from projections.evidence.evidence import Evidence
from projections.mastery.laws import Laws
from projections.mastery.learner import decisions_of
from projections.mastery.timeline import Change, State

Row: TypeAlias = tuple[Any, ...]
"""A learner's and a competency's key, and what a decision says, in the order of the table `decision`."""

COLUMNS: Final = ("learner", "competency", "cause", "change", "reason", *Evidence._fields)

# The constructor of a named tuple is a Python function; there are two for each row.
_made_change: Final = cast("Callable[[tuple[Any, ...]], Change]", partial(tuple.__new__, Change))
_made_evidence: Final = cast("Callable[[tuple[Any, ...]], Evidence]", partial(tuple.__new__, Evidence))


class Folded(NamedTuple):
    """One learner's decisions, and what is known of each competency behind the last of them."""

    learner: int
    rows: list[Row]
    states: dict[int, State]


def decisions_in(evidence: pa.Table, bucket: Bucket, laws: Laws, left: LeftOut, through: int) -> Iterator[Folded]:
    """Yield the decisions of each learner of a bucket, up to a position.

    `evidence` holds whole learners, in the order (learner, competency, cause, seq), which is that of the files.
    """
    stale = dict(left.learners)
    for learner, changes in learners_with(_rows(evidence, left.positions), bucket, laws):
        until = min(through, stale.get(learner, through + 1) - 1)
        if until < through:
            changes = {key: [one for one in own if one.cause <= until] for key, own in changes.items()}
        states: dict[int, State] = {}
        found = decisions_of(changes, laws.of(learner), 0, until, states)
        yield Folded(learner, [(learner, competency, *one) for competency, one in found], states)


def learners_with(
    rows: Iterable[tuple[int, int, Change]], bucket: Bucket, laws: Laws
) -> Iterator[tuple[int, Mapping[int, list[Change]]]]:
    """Yield each learner with the changes of evidence by competency; who is only overridden comes last."""
    waiting = {one for one in laws.overrides.changes if bucket.first <= one <= bucket.last}
    for learner, group in groupby(rows, key=itemgetter(0)):
        changes: dict[int, list[Change]] = {}
        for _, competency, change in group:
            changes.setdefault(competency, []).append(change)
        waiting.discard(learner)
        yield learner, changes
    for learner in sorted(waiting):
        yield learner, {}


def _rows(evidence: pa.Table, parked: tuple[int, ...]) -> Iterator[tuple[int, int, Change]]:
    learner, competency, cause, change, reason, *facts = lists_of(evidence, COLUMNS)
    pieces = map(_made_evidence, zip(*facts, strict=True))
    changes = map(_made_change, zip(cause, change, reason, pieces, strict=True))
    rows = zip(learner, competency, changes, strict=True)
    if not parked:
        return rows
    left = frozenset(parked)
    return compress(rows, [one not in left for one in cause])
