"""Comparing builds: their digests, shared out among a crew, and the rows in which they differ."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from projections.building.builds import Build
from projections.building.catalogue import tables_of
from projections.building.crew import Crew
from projections.building.digest import (
    Difference,
    Keys,
    Span,
    added,
    buckets,
    differences,
    no_rows,
    parts,
)
from projections.building.folding import Folding, Progress

POSITIONS_A_PART: Final = 50_000
POSITIONS_AT_ONCE: Final = 20_000

Sums = Mapping[int, list[int]]
"""The buckets of some builds, by build."""


class Differs(Exception):
    """A rebuild came to other rows than the live build: nothing was swapped; `differences` are some of the rows."""

    def __init__(self, projection: str, places: Sequence[int], found: Sequence[Difference]) -> None:
        rows = "".join(f"\n  {one}" for one in found)
        super().__init__(
            f"{projection}: the rebuild differs from the live build in {len(places)} of 256 buckets; the live build "
            f"stays. If the fold was changed on purpose, rebuild with --accept. Some rows that differ:{rows}"
        )
        self.projection = projection
        self.places = tuple(places)
        self.differences = tuple(found)


def sums_of(crew: Crew, chosen: Collection[Build], span: Span, progress: Progress) -> dict[int, list[int]]:
    """Return the buckets of builds over a span that they have all reached, counted by the crew in parts."""
    through = span.through or 0
    count = (through - span.after) // POSITIONS_A_PART + 1
    tasks = [
        (one.build_id, one.projection, place, span, keys)
        for one in chosen
        for place, table in enumerate(tables_of(one.projection))
        for keys in (parts(table, through, count) if count > 1 else [None])
    ]
    found = {one.build_id: no_rows() for one in chosen}
    for done, (build_id, sums) in enumerate(crew.each(part_of_sums, tasks), 1):
        found[build_id] = added(found[build_id], sums)
        progress("comparing", done, len(tasks))
    return found


def part_of_sums(
    folding: Folding, build_id: int, projection: str, place: int, span: Span, keys: Keys | None
) -> tuple[int, list[int]]:
    """Return a build and the buckets of a part of one of its tables; the parts' sums add up to the whole's."""
    with folding.engine.connect() as connection:
        return build_id, buckets(connection, build_id, [tables_of(projection)[place]], span, keys)


def check(connection: Connection, new: Mapping[str, Build], live: Mapping[str, Build], sums: Sums, span: Span) -> None:
    """Raise Differs where the new builds' buckets over a span are not the live ones'."""
    for name, one in new.items():
        pairs = zip(sums[one.build_id], sums[live[name].build_id], strict=True)
        places = [place for place, (left, right) in enumerate(pairs) if left != right]
        if places:
            tables = tables_of(name)
            raise Differs(
                name, places, differences(connection, live[name].build_id, one.build_id, tables, places, span)
            )


def together(sums: Sums, more: Sums) -> dict[int, list[int]]:
    """Return the buckets of two spans together, for the builds of the second."""
    return {build_id: added(sums.get(build_id, no_rows()), found) for build_id, found in more.items()}
