"""The objects of a CASE package, read liberally: what each names, which URI it goes by, where it points."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

from adapters.case.values import type_in
from lrs.errors import InvalidRequest, Problem
from lrs.xapi.values import is_iri

Json = Mapping[str, object]

PARENT: Final = "isChildOf"
PROGRESSION: Final = "precedes"
UNDATED: Final = "undated"
WHOLE: Final = re.compile(r"[0-9]{1,9}")


class Node(NamedTuple):
    """One object of the package: its JSON pointer, and the URI under which it goes on (empty when it names none)."""

    place: str
    uri: str
    body: Json


class Link(NamedTuple):
    """One association; an end outside the package keeps its URI, or is empty; `title` is that of the destination."""

    place: str
    type: str
    origin: str
    destination: str
    order: int | None
    title: str


def unwrapped(package: Json) -> Json:
    """Return the object that holds the CFDocument, whether or not a CFPackage stands around it."""
    inner = package.get("CFPackage")
    return inner if "CFDocument" not in package and isinstance(inner, Mapping) else package


def document_of(package: Json) -> Node:
    """Return the package's CFDocument; raises InvalidRequest when there is none."""
    body = package.get("CFDocument")
    uri = uri_of(body) if isinstance(body, Mapping) else ""
    if not isinstance(body, Mapping) or not uri:
        fix = "give the CFDocument with its identifier and uri, as the whole CFPackage has it"
        raise InvalidRequest("This is not a CASE package.", [Problem("/CFDocument", fix)])
    return Node("/CFDocument", uri, body)


def nodes(package: Json, key: str) -> list[Node]:
    """Return the objects of one of the package's lists; what is no object stands there empty."""
    rows = package.get(key)
    bodies = [row if isinstance(row, Mapping) else {} for row in rows] if isinstance(rows, list) else []
    return [Node(f"/{key}/{index}", uri_of(body), body) for index, body in enumerate(bodies)]


def distinct(rows: Iterable[Node]) -> dict[str, Node]:
    """Return the items by URI; of two with the same identifier or URI the first is kept.

    Raises InvalidRequest when no item is left.
    """
    items: dict[str, Node] = {}
    taken: set[str] = set()
    for row in rows:
        names = names_of(row)
        if names and taken.isdisjoint(names):
            items[row.uri] = row
        taken |= names
    if not items:
        fix = "give at least one CFItem with an identifier and uri: export the CFPackage, not the CFDocument alone"
        raise InvalidRequest("The CASE package has no items.", [Problem("/CFItems", fix)])
    return items


def links_of(associations: Iterable[Node], document: Node, items: Mapping[str, Node]) -> list[Link]:
    """Return the associations that have a type, in the package's order."""
    known = {name: node.uri for node in (document, *items.values()) for name in names_of(node)}
    return [
        Link(
            association.place,
            type_of(association.body),
            end(association.body.get("originNodeURI"), known),
            end(association.body.get("destinationNodeURI"), known),
            order_of(association.body),
            title_of(association.body.get("destinationNodeURI")),
        )
        for association in associations
        if type_of(association.body)
    ]


def end(node: object, known: Mapping[str, str]) -> str:
    """Return the URI of an association's end, which is an object in CASE and a bare URI in some exports."""
    body = node if isinstance(node, Mapping) else {"uri": node, "identifier": text(node).rpartition("/")[2]}
    identifier, uri = text(body.get("identifier")), text(body.get("uri"))
    return known.get(identifier.lower()) or known.get(uri.lower()) or iri(uri)


def title_of(node: object) -> str:
    """Return the title of an association's end, where it has one."""
    return text(node.get("title")) if isinstance(node, Mapping) else ""


def names_of(node: Node) -> set[str]:
    """Return all names under which an association may point to this object."""
    return {name.lower() for name in (text(node.body.get("identifier")), node.uri) if name}


def uri_of(body: Json) -> str:
    """Return the object's own URI, else one made of its identifier, else nothing."""
    identifier = text(body.get("identifier"))
    return iri(body.get("uri")) or (f"urn:uuid:{quote(identifier, errors='replace')}" if identifier else "")


def type_of(association: Json) -> str:
    """Return the association's type; what is no type of CASE is one of an extension."""
    return type_in(association.get("associationType")) or ""


def order_of(association: Json) -> int | None:
    """Return the place among siblings; CASE has a number, exports have strings."""
    number = text(association.get("sequenceNumber"))
    return int(number) if WHOLE.fullmatch(number) else None


def version_of(document: Json) -> str:
    """Return what tells this state of the framework from another."""
    return text(document.get("version")) or text(document.get("lastChangeDateTime")) or UNDATED


def text(value: object) -> str:
    """Return a string or number as text without outer spaces; anything else is no text."""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def iri(value: object) -> str:
    """Return the text if it is an absolute IRI, else nothing."""
    found = text(value)
    return found if is_iri(found) else ""
