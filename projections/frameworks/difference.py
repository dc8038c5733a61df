"""What one version of a framework changed against another: added, changed, retired; nothing is ever deleted."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final, NamedTuple

from projections.frameworks.documents import Competency, Framework

_OF_FRAMEWORK: Final = ("title", "version", "creator", "status", "scale", "progressions", "associations", "rubrics")


class Changed(NamedTuple):
    """A competency that both versions have, and the names of what differs in it."""

    uri: str
    fields: tuple[str, ...]


class Difference(NamedTuple):
    """What differs: competencies by IRI, sorted, and the names of what else of the framework differs."""

    added: tuple[str, ...]
    changed: tuple[Changed, ...]
    retired: tuple[str, ...]
    framework: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return any(self)


def difference(before: Framework | None, after: Framework) -> Difference:
    """Return what the later of two versions changed; without an earlier one everything was added."""
    old = {one.uri: one for one in before.competencies} if before else {}
    new = {one.uri: one for one in after.competencies}
    changed = [Changed(uri, _differing(old[uri], new[uri])) for uri in sorted(old.keys() & new.keys())]
    names = [name for name in _OF_FRAMEWORK if before and getattr(before, name) != getattr(after, name)]
    return Difference(
        tuple(sorted(new.keys() - old.keys())),
        tuple(one for one in changed if one.fields),
        tuple(sorted(old.keys() - new.keys())),
        tuple(names),
    )


def difference_shown(found: Difference) -> dict[str, Any]:
    """Return a difference as the API tells it."""
    return {
        "added": list(found.added),
        "changed": [{"uri": one.uri, "fields": list(one.fields)} for one in found.changed],
        "retired": list(found.retired),
        "framework": list(found.framework),
    }


def _differing(old: Competency, new: Competency) -> tuple[str, ...]:
    if old == new:
        return ()
    return tuple(one.name for one in fields(Competency) if getattr(old, one.name) != getattr(new, one.name))
