"""A CASE package as one of our framework documents, with a warning for all that was bent or left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from adapters.case import findings
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
    rings,
    text,
    unwrapped,
    version_of,
)

NAME_WORDS: Final = 8


def framework_of(package: Json) -> tuple[dict[str, object], list[str]]:
    """Return the framework document of a CFPackage (CASE 1.0 or 1.1) and, in words, all that was bent or left out.

    Raises InvalidRequest for a package without a CFDocument or without items.
    """
    opened = unwrapped(package)
    document = document_of(opened)
    rows, associations = nodes(opened, "CFItems"), nodes(opened, "CFAssociations")
    items = distinct(rows)
    links = links_of(associations, document, items)
    places = places_of(links, items)
    framework = {
        **heading(document),
        "competencies": [competency(item, places.get(item.uri), items) for item in items.values()],
        "progressions": [{"before": before, "after": after} for before, after in progressions_of(links)],
    }
    warnings = [
        *findings.of_package(package, document),
        *findings.of_items(rows, items),
        *findings.of_associations(associations),
        *findings.of_links(links, document, items),
    ]
    return framework, findings.worded(warnings)


def heading(document: Node) -> dict[str, object]:
    """Return what the framework document says of itself."""
    creator = text(document.body.get("creator"))
    return {
        "uri": document.uri,
        "title": text(document.body.get("title")) or document.uri,
        "version": version_of(document.body),
        **({"creator": creator} if creator else {}),
    }


def competency(item: Node, place: Link | None, items: Mapping[str, Node]) -> dict[str, object]:
    """Return one competency; code, parent and order stand there only where the package has them."""
    statement, code = text(item.body.get("fullStatement")), text(item.body.get("humanCodingScheme"))
    name = text(item.body.get("abbreviatedStatement")) or code or first_words(statement) or item.uri
    optional = {
        "code": code or None,
        "parent": place.destination if place and place.destination in items else None,
        "order": place.order if place else None,
    }
    present = {key: value for key, value in optional.items() if value is not None}
    return {"uri": item.uri, "name": name, "statement": statement or name, **present}


def first_words(statement: str) -> str:
    """Return the beginning of a statement, short enough for a name."""
    words = statement.split()
    return statement if len(words) <= NAME_WORDS else " ".join(words[:NAME_WORDS]).rstrip(".,;:") + "…"


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
