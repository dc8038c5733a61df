"""A candidate rule against what holds: who gains proficiency, loses it or changes level, on the archive's evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa

from lrs.errors import InvalidRequest
from projections.archive.columns import lists_of, read_table
from projections.archive.folding import Folded
from projections.archive.laws import history_of, turns_of
from projections.archive.manifest import Manifest
from projections.archive.storage import Place
from projections.evidence.history import ActsOverTime
from projections.insight.candidates import candidate_of, with_candidate
from projections.insight.comparing import CHANGES, Difference, differences, states_of
from projections.mastery.laws import RULE_KINDS, Laws, Overrides, Rules

UNCHANGED: Final = CHANGES[-1]
DIFFERENCES: Final = pa.schema(
    [
        pa.field("learner", pa.int64()),
        pa.field("competency", pa.int64()),
        *(pa.field(name, pa.string()) for name in ("change", "status", "level", "candidate_status", "candidate_level")),
        pa.field("decisive", pa.string()),
    ]
)
"""`decisive` is the statement that the difference hangs on, null where no single one does."""

Counts = dict[str, dict[str, int]]
"""How often each change came about, by the key of the competency."""


def candidate_laws(acts: pa.Table, documents: Sequence[Mapping[str, Any]], overrides: Overrides, through: int) -> Laws:
    """Return what would be in force if these rules had been published, each in place of all versions of its own.

    Raises InvalidRequest with every problem of a document that is no rule, or not sound.
    """
    held = history_of(turns_of(acts, RULE_KINDS), through).at(through)
    for number, document in enumerate(documents, 1):
        candidate = candidate_of(document)
        if candidate.kind != "rule":
            raise InvalidRequest(
                f"the candidate is a document of kind {candidate.kind}: an archive is replayed with rules"
            )
        held = with_candidate(held, candidate, through + number)
    return Laws(Rules(ActsOverTime(through, ((1, held),))), overrides)


def read_candidate(text: str) -> Any:
    """Return the JSON of a candidate; raises InvalidRequest."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"a candidate is not JSON: {error}") from error


def compared(one: Folded, laws: Laws, through: int) -> list[Difference]:
    """Return how a learner would stand under the candidate, in every competency that anything was decided of."""
    own = laws.of(one.learner)
    after = states_of({key: state.evidence for key, state in one.states.items()}, own, through)
    keys = {row[1] for row in one.rows}
    keys |= {above for key in keys for above in own.rules.ancestors(key)}
    return differences(one.learner, one.states, after, sorted(keys))


def count(found: Iterable[Difference], counts: Counts) -> None:
    """Count each comparison, those without a difference too."""
    for one in found:
        own = counts.setdefault(str(one.competency), dict.fromkeys(CHANGES, 0))
        own[one.change] += 1


def rows_of(found: Iterable[Difference]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of what differs, in the order of the schema."""
    for learner, competency, change, before, after, decisive in found:
        if change != UNCHANGED:
            hinge = decisive.statement_id if decisive else None
            yield learner, competency, change, before.status, before.level, after.status, after.level, hinge


def totals(results: Iterable[Counts]) -> Counts:
    """Return the counts of all buckets together, in the order of the competencies' keys."""
    found: Counts = {}
    for counts in results:
        for competency, own in counts.items():
            known = found.setdefault(competency, dict.fromkeys(CHANGES, 0))
            found[competency] = {change: known[change] + own[change] for change in CHANGES}
    return dict(sorted(found.items()))


def named_counts(place: Place, manifest: Manifest, counts: Counts) -> list[tuple[str, dict[str, int]]]:
    """Return the counts by the competencies' names, those first where the candidate moves most."""
    keys, names = lists_of(read_table(place, manifest.competencies), ("competency", "name"))
    known = dict(zip(keys, names, strict=True))
    named = [(known.get(int(key), key), own) for key, own in counts.items()]
    return sorted(
        named, key=lambda one: (sum(one[1][change] for change in CHANGES if change != UNCHANGED) * -1, one[0])
    )
