"""What of a CASE package was bent or left out, in words for the person who imports it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from adapters.case.package import (
    PARENT,
    PROGRESSION,
    UNDATED,
    Json,
    Link,
    Node,
    iri,
    names_of,
    order_of,
    text,
    type_of,
    unwrapped,
    version_of,
)
from adapters.case.values import TYPES
from projections.documents import MOST_CHARACTERS
from projections.frameworks.progression import rings

RINGS_SHOWN: Final = 5
STEPS_SHOWN: Final = 12
Trap = tuple[str, Callable[[Json], bool]]

NO_IRI: Final = "no uri that is an IRI; the identifier stands for it"
DOCUMENT_TRAPS: Final[tuple[Trap, ...]] = (
    ("CFPackageURI is a string where CASE has an object", lambda body: isinstance(body.get("CFPackageURI"), str)),
    ("no title; the uri stands for it", lambda body: not text(body.get("title"))),
    (NO_IRI, lambda body: not iri(body.get("uri"))),
    ("neither version nor lastChangeDateTime; taken as undated", lambda body: version_of(body) == UNDATED),
)
ITEM_TRAPS: Final[tuple[Trap, ...]] = (
    ("educationalLevel is a misspelt educationLevel and is not read", lambda body: "educationalLevel" in body),
    ("fullStatement is longer than a framework takes; cut", lambda body: is_too_long(body.get("fullStatement"))),
    ("CFItemType is null", lambda body: body.get("CFItemType", "") is None),
    ("no fullStatement; the name stands for it", lambda body: not text(body.get("fullStatement"))),
    ("no abbreviatedStatement; code or first words name it", lambda body: not text(body.get("abbreviatedStatement"))),
    (NO_IRI, lambda body: not iri(body.get("uri"))),
)
ASSOCIATION_TRAPS: Final[tuple[Trap, ...]] = (
    ("no associationType; left out", lambda body: not type_of(body)),
    ("associationType is not of CASE; taken as one of an extension", lambda body: is_renamed(body)),
    ("sequenceNumber is a string where CASE has a number", lambda body: isinstance(body.get("sequenceNumber"), str)),
    (
        "sequenceNumber is no whole number and is not read",
        lambda body: body.get("sequenceNumber") is not None and order_of(body) is None,
    ),
)


class Finding(NamedTuple):
    """One thing that was bent or left out, and the JSON pointer to its place in the package."""

    text: str
    place: str


def worded(found: Iterable[Finding]) -> list[str]:
    """Return one line for each kind of finding, with its first place and how many more there are."""
    places: dict[str, list[str]] = {}
    for finding in found:
        places.setdefault(finding.text, []).append(finding.place)
    more = {words: f" and {len(where) - 1} more" if len(where) > 1 else "" for words, where in places.items()}
    return [f"{words} ({where[0]}{more[words]})" for words, where in places.items()]


def of_package(package: Json, document: Node) -> Iterator[Finding]:
    """Yield what is unusual about the package as a whole."""
    if unwrapped(package) is not package:
        yield Finding("CASE has no CFPackage around a package; what is in it was read", "/CFPackage")
    yield from trapped([document], DOCUMENT_TRAPS)


def of_items(rows: Iterable[Node], items: Mapping[str, Node]) -> Iterator[Finding]:
    """Yield what was bent in the items that are kept, and those left out: nameless, or with an earlier one's name."""
    yield from trapped(items.values(), ITEM_TRAPS)
    kept = {item.place for item in items.values()}
    for row in rows:
        if row.place not in kept:
            words = "identifier or uri of an earlier item" if names_of(row) else "neither identifier nor uri"
            yield Finding(f"item with {words}; left out", row.place)


def of_associations(associations: Sequence[Node]) -> Iterator[Finding]:
    """Yield what was bent in the associations."""
    yield from trapped(associations, ASSOCIATION_TRAPS)


def of_links(links: Sequence[Link], document: Node, items: Mapping[str, Node]) -> Iterator[Finding]:
    """Yield what is unusual about parents and progressions."""
    yield from dangling(links, document, items)
    yield from unusual_parents(links, items)
    yield from ringed(links, PARENT, "cut at its last step")
    yield from ringed(links, PROGRESSION, "kept as it is")


def trapped(rows: Iterable[Node], traps: Sequence[Trap]) -> Iterator[Finding]:
    """Yield each trap that each of these objects shows."""
    return (Finding(words, row.place) for words, shows in traps for row in rows if shows(row.body))


def is_renamed(association: Json) -> bool:
    """Tell whether an association's type is none of CASE 1.0 or 1.1, and so goes on as one of an extension."""
    written = text(association.get("associationType"))
    return bool(written) and written not in TYPES and type_of(association) != written


def is_too_long(words: object) -> bool:
    """Tell whether a text is longer than a framework takes; the whole of it stays in the package."""
    return len(text(words)) > MOST_CHARACTERS


def dangling(links: Iterable[Link], document: Node, items: Mapping[str, Node]) -> Iterator[Finding]:
    """Yield the associations with an end that the package does not hold."""
    inside = {PARENT: items.keys() | {document.uri}, PROGRESSION: items.keys()}
    outcome = {PARENT: "left out", PROGRESSION: "kept where the end has a uri"}
    for link in links:
        if link.type in inside and (link.origin not in items or link.destination not in inside[link.type]):
            yield Finding(f"{link.type} with an end outside the package; {outcome[link.type]}", link.place)
        if link.type not in inside and not (link.origin and link.destination):
            yield Finding(f"{link.type} with an end that has no uri; left out", link.place)


def unusual_parents(links: Iterable[Link], items: Mapping[str, Node]) -> Iterator[Finding]:
    """Yield each parent after an item's first, and the items with none."""
    children: set[str] = set()
    for link in links:
        if link.type == PARENT and link.origin in children:
            yield Finding(f"{PARENT} of an item that has a parent already; left out", link.place)
        if link.type == PARENT:
            children.add(link.origin)
    yield from (
        Finding(f"item without {PARENT}; it stands at the top", items[uri].place)
        for uri in items
        if uri not in children
    )


def ringed(links: Iterable[Link], kind: str, outcome: str) -> Iterator[Finding]:
    """Yield the rings in one type of association, each with its chain; of many, the first few."""
    places = {(link.origin, link.destination): link.place for link in links if link.type == kind}
    for ring in islice(rings(places), RINGS_SHOWN):
        chain = [*ring[:STEPS_SHOWN], "…", ring[-1]] if len(ring) > STEPS_SHOWN else ring
        yield Finding(f"{kind} runs in a ring, {outcome}: {' → '.join(chain)}", places[ring[-2], ring[-1]])
