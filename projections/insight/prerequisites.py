"""What comes before what: gaps that were left behind, and who is ready for a competency or what each still needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from projections.frameworks.progression import order_of
from projections.insight.standings import Measure
from projections.insight.suppression import Members
from projections.registry import Acts


class Prerequisites(NamedTuple):
    """Which competencies come right before each, and the rings that were left open: each a chain back to its start."""

    before: Mapping[str, tuple[str, ...]]
    rings: tuple[tuple[str, ...], ...]


class Gap(NamedTuple):
    """Learners who have begun a competency, or even mastered it, and are not proficient in what comes right before."""

    before: str
    after: str
    members: Members


class Readiness(NamedTuple):
    """Of those who are not proficient in a competency: who is ready for it, and who still needs which one before."""

    ready: Members
    needs: Mapping[str, Members]


def prerequisites(acts: Acts) -> Prerequisites:
    """Return what comes right before each live competency; a progression with an end elsewhere asks for nothing."""
    before: dict[str, list[str]] = {}
    rings: list[tuple[str, ...]] = []
    for act in acts.frameworks.values():
        found = order_of(act.document).rings
        rings += found
        closing = {ring[-2:] for ring in found}
        for one in act.document.progressions:
            is_known = one.before in acts.competencies and one.after in acts.competencies
            if is_known and (one.before, one.after) not in closing:
                before.setdefault(one.after, []).append(one.before)
    return Prerequisites({after: tuple(sorted(set(own))) for after, own in sorted(before.items())}, tuple(rings))


def gaps(asked: Prerequisites, measures: Mapping[str, Measure], everyone: Members) -> list[Gap]:
    """Return every gap that somebody has, in the order of the competencies."""
    found = [
        Gap(before, after, begun(measures[after]) & ~measures[before].of("proficient") & everyone)
        for after, befores in asked.before.items()
        for before in befores
    ]
    return [one for one in found if one.members]


def begun(measure: Measure) -> Members:
    """Return who has any evidence that counts in a competency."""
    return measure.of("insufficient_evidence") | measure.of("not_yet") | measure.of("proficient")


def readiness(asked: Prerequisites, measures: Mapping[str, Measure], everyone: Members, competency: str) -> Readiness:
    """Return who is ready for a competency, and for each one before it who needs that first."""
    open_ = everyone & ~measures[competency].of("proficient")
    befores: Sequence[str] = asked.before.get(competency, ())
    needs = {before: open_ & ~measures[before].of("proficient") for before in befores}
    ready = open_
    for lacking in needs.values():
        ready &= ~lacking
    return Readiness(ready, {before: lacking for before, lacking in needs.items() if lacking})
