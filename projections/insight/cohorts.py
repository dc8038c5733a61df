"""Cohorts: how many learners of each group stand where, exactly for who may see learners, coded for who may not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from projections.insight.people import People
from projections.insight.standings import Measure
from projections.insight.suppression import (
    WITHHELD,
    Cell,
    Members,
    hidden_for,
    shares_of,
    size_of,
    union,
)
from projections.mastery.timeline import STATUSES

EVERYONE: Final = "everyone"
Told = dict[str, Any]
_HUNDREDTH: Final = Decimal("0.01")


@dataclass(frozen=True)
class Reader:
    """For whom a report is made: with `sees_learners` everything is told, else no group below `least` and no counts."""

    sees_learners: bool
    least: int


def groups_of(people: People) -> Iterable[tuple[str, str, Members]]:
    """Yield (family, name, members) of every group: everyone first."""
    yield EVERYONE, EVERYONE, people.everyone
    for family, groups in people.families.items():
        for name, members in groups.items():
            yield family, name, members


def report(people: People, measure: Measure, reader: Reader) -> list[Told]:
    """Return what a reader is told of one competency: a cell for everyone and for each group."""
    hidden: frozenset[Cell] = frozenset()
    if not reader.sees_learners:
        hidden = hidden_for(people.families, people.everyone, list(measure.statuses.values()), reader.least)
        if size_of(people.everyone) < reader.least:
            hidden |= {(EVERYONE, EVERYONE)}
    return [
        _withheld(family, name) if (family, name) in hidden else _cell(people, measure, reader, (family, name), hidden)
        for family, name, _ in groups_of(people)
    ]


def _withheld(family: str, name: str) -> Told:
    nothing = dict.fromkeys(("size", "counts", "shares", "levels", "mean", "median"))
    return {"family": family, "name": name, "withheld": True, **nothing}


def _cell(people: People, measure: Measure, reader: Reader, cell: Cell, hidden: frozenset[Cell]) -> Told:
    family, name = cell
    members = people.everyone if family == EVERYONE else people.families[family][name]
    size = size_of(members)
    counts = {status: size_of(measure.of(status) & members) for status in STATUSES}
    shares = shares_of(list(counts.values()), size)
    told: Told = {"family": family, "name": name, "withheld": False, "size": size}
    if not reader.sees_learners:
        shown = {status: share.words for status, share in zip(STATUSES, shares, strict=True)}
        averages = _coded_averages(people, measure, reader, members, hidden)
        return {**told, "counts": None, "shares": shown, "levels": None, **averages}
    levels = {level: size_of(own & members) for level, own in measure.levels.items()}
    return {
        **told,
        "counts": counts,
        "shares": {status: _percent(count, size) for status, count in counts.items()},
        "levels": {level: count for level, count in sorted(levels.items()) if count},
        **averages_of(_values(measure, members)),
    }


def _percent(count: int, size: int) -> str:
    return f"{(Decimal(100 * count) / size).to_integral_value(ROUND_HALF_UP)} %" if size else "nobody"


def _values(measure: Measure, members: Members) -> list[Decimal]:
    is_in = f"{members:b}"[::-1]
    return [value for place, value in measure.values.items() if place < len(is_in) and is_in[place] == "1"]


def averages_of(values: Iterable[Decimal]) -> dict[str, str | None]:
    """Return mean and median of rolled-up values, half up to two places; those who have none are not counted."""
    found = sorted(values)
    if not found:
        return {"mean": None, "median": None}
    middle = len(found) // 2
    median = found[middle] if len(found) % 2 else (found[middle - 1] + found[middle]) / 2
    mean = sum(found, Decimal()) / len(found)
    return {name: str(one.quantize(_HUNDREDTH, ROUND_HALF_UP)) for name, one in (("mean", mean), ("median", median))}


def _coded_averages(
    people: People, measure: Measure, reader: Reader, members: Members, hidden: frozenset[Cell]
) -> dict[str, str | None]:
    """Return mean and median unless too few have a value, or so few in a hidden rest that it could be worked out."""
    scored = people_with_values(measure) & people.everyone
    unseen = [
        union(members for name, members in groups.items() if (family, name) in hidden)
        for family, groups in people.families.items()
    ]
    few = [size_of(rest & scored & members) for rest in unseen]
    if size_of(scored & members) < reader.least or any(0 < count < reader.least for count in few):
        return {"mean": WITHHELD, "median": WITHHELD}
    return averages_of(_values(measure, members))


def people_with_values(measure: Measure) -> Members:
    """Return who has a value in a competency."""
    found = bytearray(max(measure.values, default=0) // 8 + 1)
    for place in measure.values:
        found[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(found, "little")


def named(measure: Measure, names: Mapping[str, str], cells: list[Told]) -> Told:
    """Return the report of a competency under its name."""
    return {"uri": measure.competency, "name": names.get(measure.competency, measure.competency), "groups": cells}
