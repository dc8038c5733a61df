"""Which earlier statements an act touches: those that may be evidence of something else from it on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import select, union

from lrs.retrieval import positions_about
from lrs.store.search import with_id
from lrs.xapi.values import key64
from projections.evidence import tables
from projections.evidence.assessments import activities_of
from projections.evidence.identity import moved
from projections.registry import Act, Acts, changed_targets
from projections.run import Run

CHUNK: Final = 1_000


def touched(run: Run, act: Act, before: Acts, after: Acts, cause: int) -> set[int]:
    """Return the positions before `cause` that are to be resolved anew because of an act that came or went.

    All rows of the build must be written. A position too many costs time and changes nothing.
    """
    return _FINDERS[act.kind](run, act, before, after, cause)


def reason_of(kind: str) -> str:
    """Return the word for why a row ends that an act of this kind touched."""
    return _REASONS.get(kind, "realigned")


def _by_alignment(run: Run, act: Act, _before: Acts, _after: Acts, cause: int) -> set[int]:
    activity = act.document.activity
    return _about(run, {activity, activity.partition("?")[0]}, cause)


def _by_assessment(run: Run, act: Act, before: Acts, after: Acts, cause: int) -> set[int]:
    """Return the positions about any activity of any version: a task may have moved from one to another."""
    versions = [one for acts in (before, after) for one in acts.assessments.versions(act.document.id)]
    return _about(run, {activity for one in versions for activity in activities_of(one)}, cause)


def _by_framework(run: Run, _act: Act, before: Acts, after: Acts, cause: int) -> set[int]:
    """Return the positions that speak of a competency that became, or is no longer, one that can be evidenced."""
    changed = changed_targets(before, after)
    criteria = [id_ for id_, one in (before.criteria | after.criteria).items() if one.competency in set(changed)]
    if any(one.document.alignments for one in after.normalisers):
        return _all(run)
    found = positions_about(run.log_connection, run.log_id, changed, cause, related=True)
    found |= _about(run, after.alignment_table.naming(changed), cause)
    return found | _mentioning(run, [*changed, *criteria, *_changed_criteria(before, after)])


def _by_rubric(run: Run, _act: Act, before: Acts, after: Acts, _cause: int) -> set[int]:
    return _mentioning(run, _changed_criteria(before, after))


def _changed_criteria(before: Acts, after: Acts) -> list[str]:
    old, new = before.criteria, after.criteria
    return sorted(id_ for id_ in old.keys() | new.keys() if old.get(id_) != new.get(id_))


def _by_normaliser(run: Run, *_: object) -> set[int]:
    """Return every position: no index knows which statements a normaliser is for."""
    return _all(run)


def _by_identity(run: Run, _act: Act, before: Acts, after: Acts, _cause: int) -> set[int]:
    """Return the positions of the evidence of all whose learner is another one now."""
    found: set[int] = set()
    rows = tables.evidence.c
    for keys in _chunks(sorted(moved(before.identities, after.identities))):
        query = select(rows.position).distinct().where(rows.build_id == run.build_id, rows.learner.in_(keys))
        found.update(run.connection.scalars(query.order_by(rows.position)))
    return found


def _by_excusal(run: Run, act: Act, _before: Acts, _after: Acts, _cause: int) -> set[int]:
    found = with_id(run.log_connection, run.log_id, act.document.statement_id)
    return set() if found is None else {found[0].position}


_Finder = Callable[[Run, Act, Acts, Acts, int], set[int]]
_FINDERS: Final[Mapping[str, _Finder]] = {
    "framework": _by_framework,
    "rubric": _by_rubric,
    "alignment": _by_alignment,
    "normaliser": _by_normaliser,
    "assessment": _by_assessment,
    "identity": _by_identity,
    "excusal": _by_excusal,
}
RESOLVED_BY: Final = frozenset(_FINDERS)
"""The kinds of act that say what a statement is evidence of."""

_REASONS: Final = {
    "normaliser": "renormalised",
    "rubric": "renormalised",
    "assessment": "reassessed",
    "identity": "relinked",
    "excusal": "excused",
}


def _about(run: Run, names: Iterable[str], cause: int) -> set[int]:
    """Return the positions about these activities, and about all that these patterns stand for."""
    wanted = set(names)
    activities = {one for one in wanted if not one.endswith("*")}
    for pattern in sorted(wanted - activities):
        activities |= _beginning(run, pattern[:-1])
    return positions_about(run.log_connection, run.log_id, sorted(activities), cause, related=False)


def _beginning(run: Run, start: str) -> set[str]:
    """Return the activities seen so far whose IRI begins so; to SQLite's LIKE upper case is lower case."""
    columns = tables.activity.c
    is_like = columns.iri.startswith(start, autoescape=True)
    query = select(columns.iri).where(columns.build_id == run.build_id, is_like).order_by(columns.activity)
    return {iri for iri in run.connection.scalars(query) if iri.startswith(start)}


def _all(run: Run) -> set[int]:
    rows, unused = tables.evidence.c, tables.quarantine.c
    both = union(
        select(rows.position).where(rows.build_id == run.build_id),
        select(unused.position).where(unused.build_id == run.build_id),
    )
    return set(run.connection.scalars(both.order_by("position")))


def _mentioning(run: Run, iris: Sequence[str]) -> set[int]:
    found: set[int] = set()
    columns = tables.mention.c
    for chunk in _chunks(sorted(set(iris))):
        keys = [key64("mention", iri) for iri in chunk]
        query = select(columns.position).where(columns.build_id == run.build_id, columns.key.in_(keys))
        found.update(run.connection.scalars(query.order_by(columns.position)))
    return found


def _chunks(items: Sequence[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
