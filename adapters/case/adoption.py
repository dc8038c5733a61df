"""What an adoption of a framework is to the one before it: the same, older, or newer with what it changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection

from adapters.case.package import Json, text, unwrapped
from adapters.case.schema import CLASSES
from adapters.case.values import moment_in
from lrs.store.search import Window, page
from lrs.xapi.decode import stored_statement
from lrs.xapi.query import Query
from projections.documents import Document
from projections.profile import ADOPTED, PUBLISHED, extension

MOST_VERSIONS: Final = 1_000
_FRAMEWORK: Final = extension("framework")
_SCALE: Final = extension("scale")


class Adopted(NamedTuple):
    """One adoption as the log has it, its document whole; `timestamp` is in microseconds."""

    position: int
    timestamp: int
    statement_id: str
    document: dict[str, Any]


class Compared(NamedTuple):
    """How a framework stands to the adoption before it.

    `is_same`: every object has the lastChangeDateTime that it had, and status and levels are the same too. `is_older`:
    nothing in it is as new as the newest there. `unmarked` counts the objects that differ though their time does not.
    """

    is_same: bool
    is_older: bool
    unmarked: int
    changes: dict[str, Any]


def adoptions(connection: Connection, log_id: int, uri: str | None = None) -> list[Adopted]:
    """Return the adoptions of a framework, or of all, that are not voided, in the order of their moments."""
    found = page(connection, log_id, Query(verb=ADOPTED, activity=uri), Window(), MOST_VERSIONS)
    told = [(one, stored_statement(one.body)) for one in found if one.body is not None]
    adopted = [
        Adopted(one.position, one.timestamp, str(statement["id"]), statement["result"]["extensions"][_FRAMEWORK])
        for one, statement in told
        if statement["verb"]["id"] == ADOPTED and uri in (None, statement["object"]["id"])
    ]
    return sorted(adopted, key=lambda one: (one.timestamp, one.statement_id))


def is_published(connection: Connection, log_id: int, scale: Document) -> bool:
    """Whether the version of a scale that a framework names stands in the log, not voided."""
    found = page(connection, log_id, Query(verb=PUBLISHED, activity=scale["id"]), Window(), MOST_VERSIONS)
    documents = [
        stored_statement(one.body)["result"]["extensions"].get(_SCALE) for one in found if one.body is not None
    ]
    return any(one is not None and (one["id"], one["version"]) == (scale["id"], scale["version"]) for one in documents)


def compared(before: Document, after: Document) -> Compared:
    """Return how a framework document stands to the one that was adopted before it."""
    old, new = dict(_objects(before)), dict(_objects(after))
    same_levels = all(before.get(name) == after.get(name) for name in ("status", "scale"))
    is_same = same_levels and {name: _state(one) for name, one in old.items()} == {
        name: _state(one) for name, one in new.items()
    }
    both = old.keys() & new.keys()
    unmarked = [name for name in both if _state(old[name]) == _state(new[name]) and old[name] != new[name]]
    newest = [max(map(_moment, found.values()), default="") for found in (old, new)]
    return Compared(is_same, newest[1] < newest[0], len(unmarked), changes(before, after))


def changes(before: Document, after: Document) -> dict[str, Any]:
    """Return what an adoption says of itself: which competencies it adds, changes and retires, IRIs sorted.

    A competency is changed when it, or the item that it was translated from, differs in anything.
    """
    old, new = ({one["uri"]: one for one in document["competencies"]} for document in (before, after))
    items = [_items(document) for document in (before, after)]
    both = old.keys() & new.keys()
    changed = [uri for uri in both if old[uri] != new[uri] or items[0].get(uri) != items[1].get(uri)]
    return {
        "since": before["version"],
        "added": sorted(new.keys() - old.keys()),
        "changed": sorted(changed),
        "retired": sorted(old.keys() - new.keys()),
    }


def _items(document: Document) -> dict[str, Json]:
    return {text(one.get("uri")): one for place, one in _objects(document) if place[0] == "CFItems"}


def _objects(document: Document) -> Iterator[tuple[tuple[str, str], Json]]:
    """Yield every object of the package that names itself, by its list and identifier; without one, the framework."""
    source = document.get("source")
    if not isinstance(source, Mapping):
        yield ("framework", document["uri"]), {key: one for key, one in document.items() if key != "changes"}
        return
    package = unwrapped(source["package"])
    definitions = package.get("CFDefinitions")
    yield ("CFDocument", ""), package["CFDocument"]  # type: ignore[misc]  # a framework is made of nothing else
    for within, names in (
        (package, ("CFItems", "CFAssociations", "CFRubrics")),
        (definitions, CLASSES["CFDefinitions"]),
    ):
        for name in names:
            rows = within.get(name) if isinstance(within, Mapping) else None
            for place, row in enumerate(rows if isinstance(rows, list) else ()):
                if isinstance(row, Mapping):
                    yield (name, text(row.get("identifier")) or str(place)), row


def _state(one: Json) -> str:
    """Return what tells a state of an object from another: when it was changed last, else all that it says."""
    return _moment(one) or msgspec.json.encode(one, order="sorted").decode()


def _moment(one: Json) -> str:
    """Return an object's last change in UTC, so that texts compare as moments do; empty where it names none."""
    written = moment_in(one.get("lastChangeDateTime"))
    return f"{datetime.fromisoformat(written).timestamp():020.6f}" if written else ""
