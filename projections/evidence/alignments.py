"""The alignment table: which alignment holds for an activity at a moment, by its own IRI or by a pattern.

Of the alignments that had begun by then the one of the highest version counts, then the one set last. One of the
activity's own IRI comes before any pattern, and a longer pattern before a shorter one; what ends there, ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from projections.documents import Act


class Dated(Protocol):
    """A document that is for what happened in a span of time; None: without that end."""

    effective_from: int | None
    effective_until: int | None


def has_ended(document: Dated, moment: int) -> bool:
    """Whether a document is no longer for what happened at a moment, in microseconds."""
    return document.effective_until is not None and document.effective_until <= moment


def begun(acts: Sequence[Act], moment: int) -> Act | None:
    """Return the last of these acts, of which those that count more come later, that had begun at a moment.

    It takes the place of those before it for good: where it has ended, they do not come back.
    """
    for act in acts[::-1]:
        document: Dated = act.document
        if document.effective_from is None or document.effective_from <= moment:
            return act
    return None


def in_turn(acts: Iterable[Act], name_of: Callable[[Any], str]) -> dict[str, list[Act]]:
    """Return the acts by the name of what they are about; those that count more come later."""
    found: dict[str, list[Act]] = {}
    for act in sorted(acts, key=lambda act: (act.document.version, *act.order)):
        found.setdefault(name_of(act.document), []).append(act)
    return found


def prefixes(iri: str) -> Iterator[str]:
    """Yield what a pattern for this IRI can begin with, the longest first."""
    for place in range(len(iri) - 1, 0, -1):
        if iri[place] in "/=":
            yield iri[: place + 1]


class Alignments:
    """All alignments that were set and not taken back."""

    def __init__(self, acts: Iterable[Act]) -> None:
        found = in_turn(acts, lambda one: str(one.activity))
        self._exact = {activity: own for activity, own in found.items() if not activity.endswith("*")}
        self._open = {activity[:-1]: own for activity, own in found.items() if activity.endswith("*")}
        self._parts: dict[str, list[str]] = {}
        for activity in found:
            whole, mark, _ = activity.partition("?")
            if mark:
                self._parts.setdefault(whole, []).append(activity)

    def at(self, activity: str, moment: int) -> Act | None:
        """Return the alignment that holds for an activity at a moment, in microseconds; None where it is ended."""
        own = self._exact.get(activity)
        act = begun(own, moment) if own else None
        if act is None and self._open:
            act = self._by_pattern(activity, moment)
        return None if act is None or has_ended(act.document, moment) or not act.document.competencies else act

    def _by_pattern(self, activity: str, moment: int) -> Act | None:
        chains = (self._open[start] for start in prefixes(activity) if start in self._open)
        return next((act for act in (begun(chain, moment) for chain in chains) if act is not None), None)

    def names(self, activity: str) -> bool:
        """Whether an alignment was ever set for this activity, by its own IRI or by a pattern inside of its whole."""
        whole = activity.partition("?")[0]
        return activity in self._exact or any(
            start in self._open and len(start) > len(whole) for start in prefixes(activity)
        )

    def of_parts(self, whole: str, moment: int) -> frozenset[str]:
        """Return the competencies that parts of an activity (its IRI, `?` and more) are aligned to at a moment."""
        acts = (begun(self._exact.get(one) or self._open[one[:-1]], moment) for one in self._parts.get(whole, ()))
        held = (act for act in acts if act is not None and not has_ended(act.document, moment))
        return frozenset(iri for act in held for iri in act.document.competencies)

    def naming(self, competencies: Iterable[str]) -> list[str]:
        """Return the activities and patterns that are or were aligned to one of these competencies, sorted."""
        wanted = set(competencies)
        chains = [*self._exact.values(), *self._open.values()]
        acts = (act for chain in chains for act in chain)
        return sorted({act.document.activity for act in acts if not wanted.isdisjoint(act.document.competencies)})
