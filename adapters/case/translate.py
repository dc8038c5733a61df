"""A CASE package as one of our framework documents, with a warning for all that was bent or left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from adapters.case import findings, rubrics
from adapters.case.package import (
    PARENT,
    PROGRESSION,
    Json,
    Link,
    Node,
    distinct,
    document_of,
    links_of,
    nodes,
    text,
    unwrapped,
    version_of,
)
from projections.documents import MOST_CHARACTERS
from projections.frameworks.documents import FACETS, STRANDS
from projections.frameworks.progression import rings

FORMAT: Final = "CASE"
NAME_WORDS: Final = 8
STRAND, FACET, SCALE = "cairn:strand", "cairn:facets", "cairn:scale"
"""What CASE has no field for stands under these names in `extensions`, of a CFItem and of the CFDocument."""


def framework_of(package: Json) -> tuple[dict[str, Any], list[str]]:
    """Return the framework document of a CFPackage (CASE 1.0 or 1.1) and, in words, all that was bent or left out.

    The document carries the package word for word. Raises InvalidRequest for a package without a CFDocument or without
    items.
    """
    opened = unwrapped(package)
    document = document_of(opened)
    rows, associations = nodes(opened, "CFItems"), nodes(opened, "CFAssociations")
    items = distinct(rows)
    links = links_of(associations, document, items)
    read, bent = rubrics.of_package(opened, links, items)
    warnings = [
        *findings.of_package(package, document),
        *findings.of_items(rows, items),
        *findings.of_associations(associations),
        *findings.of_links(links, document, items),
        *bent,
    ]
    source = {"format": FORMAT, "package": package}
    return {**heading(document), **_members(links, items), "rubrics": read, "source": source}, findings.worded(warnings)


def _members(links: list[Link], items: Mapping[str, Node]) -> dict[str, Any]:
    places = places_of(links, items)
    return {
        "competencies": [competency(item, places.get(item.uri), items) for item in items.values()],
        "progressions": [{"before": before, "after": after} for before, after in progressions_of(links)],
        "associations": list(associations_of(links)),
    }


def heading(document: Node) -> dict[str, Any]:
    """Return what the framework document says of itself."""
    creator, scale = text(document.body.get("creator")), _extension(document.body, SCALE)
    return {
        "uri": document.uri,
        "title": short(text(document.body.get("title"))) or document.uri,
        "version": short(version_of(document.body)),
        **({"creator": short(creator)} if creator else {}),
        **({"scale": dict(scale)} if isinstance(scale, Mapping) else {}),
    }


def competency(item: Node, place: Link | None, items: Mapping[str, Node]) -> dict[str, Any]:
    """Return one competency; what is optional stands there only where the package has it."""
    statement, code = short(text(item.body.get("fullStatement"))), short(text(item.body.get("humanCodingScheme")))
    name = short(text(item.body.get("abbreviatedStatement"))) or code or first_words(statement) or item.uri
    strand = _extension(item.body, STRAND)
    optional = {
        "code": code or None,
        "parent": place.destination if place and place.destination in items else None,
        "order": place.order if place else None,
        "facets": facets_of(item.body) or None,
        "strand": strand if strand in STRANDS else None,
    }
    present = {key: value for key, value in optional.items() if value is not None}
    return {"uri": item.uri, "name": name, "statement": statement or name, **present}


def facets_of(item: Json) -> list[str]:
    """Return whether an item is knowledge, a skill, an application: as our extension says, or the type of the item."""
    told = _extension(item, FACET)
    words = told if isinstance(told, list) else [text(item.get("CFItemType")).lower()]
    return [facet for facet in FACETS if facet in words]


def first_words(statement: str) -> str:
    """Return the beginning of a statement, short enough for a name."""
    words = statement.split()
    return statement if len(words) <= NAME_WORDS else " ".join(words[:NAME_WORDS]).rstrip(".,;:") + "…"


def short(words: str) -> str:
    """Return a text no longer than a framework takes; the package keeps the whole of it."""
    return words if len(words) <= MOST_CHARACTERS else words[: MOST_CHARACTERS - 1] + "…"


def places_of(links: Iterable[Link], items: Mapping[str, Node]) -> dict[str, Link]:
    """Return each item's place below its parent: its first isChildOf, without those that would close a ring."""
    first: dict[str, Link] = {}
    for link in links:
        if link.type == PARENT and link.origin in items:
            first.setdefault(link.origin, link)
    closing = {ring[-2] for ring in rings((link.origin, link.destination) for link in first.values())}
    return {uri: link for uri, link in first.items() if uri not in closing}


def progressions_of(links: Iterable[Link]) -> list[tuple[str, str]]:
    """Return the pairs of `precedes` once each; an end may lie in another framework, as long as it has a URI."""
    pairs = dict.fromkeys((link.origin, link.destination) for link in links if link.type == PROGRESSION)
    return [(before, after) for before, after in pairs if before and after]


def associations_of(links: Iterable[Link]) -> Iterator[dict[str, str]]:
    """Yield what one thing is to another, besides parents and progressions, where both ends have a URI."""
    for link in links:
        if link.type not in (PARENT, PROGRESSION) and link.origin and link.destination:
            title = {"title": short(link.title)} if link.title else {}
            yield {"type": link.type, "origin": link.origin, "destination": link.destination, **title}


def _extension(body: Json, name: str) -> object:
    extensions = body.get("extensions")
    return extensions.get(name) if isinstance(extensions, Mapping) else None
