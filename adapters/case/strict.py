"""A CASE package of any making → one of CASE 1.1 to the letter, and always in the same bytes.

What the standard has no place for goes on under `extensions` of the object that it stood in; what cannot be an object
of the standard at all goes on under those of the package. So a strict package that is read again stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from adapters.case.package import Json, Node, distinct, document_of, names_of, nodes, text, unwrapped, uri_of
from adapters.case.schema import CLASSES, ELSEWHERE, EXTENSIONS, EXTENSIONS_LISTED, REQUIRED, Each
from adapters.case.values import READERS, end_in, made_uuid, moment_in

CASE_VERSION: Final = "1.1"
UNREAD: Final = "cairn:unread"
LISTS: Final = ("CFItems", "CFAssociations", "CFRubrics")
_LINK: Final = frozenset({"title", "identifier", "uri"})
_LINKED: Final = {"link": _LINK, "links": _LINK, "end": _LINK | {"targetType"}}

Strict = dict[str, Any]


def strict_bytes(package: Strict) -> bytes:
    """Return the bytes of a strict package: the same package has the same bytes."""
    return msgspec.json.encode(package)


def strict_package(package: Json, moment: str) -> Strict:
    """Return a package as CASE 1.1 wants it, lists in the order that they came in.

    `moment` (RFC 3339) stands for a lastChangeDateTime that neither an object nor the document has. Raises
    InvalidRequest for a package without a CFDocument or without items.
    """
    opened = unwrapped(package)
    document = document_of(opened)
    changed = moment_in(document.body.get("lastChangeDateTime")) or moment
    items = distinct(nodes(opened, "CFItems"))
    first = strict("CFDocument", {**document.body, "caseVersion": CASE_VERSION}, changed)
    members = [strict("CFItem", item.body, changed) for item in items.values()]
    ends = dict(_ends(zip((document, *items.values()), (first, *members), strict=True)))
    associations, unfit = _associations(opened, ends, changed)
    rubrics = [strict("CFRubric", row.body, changed) for row in nodes(opened, "CFRubrics") if row.body]
    found: Strict = {"CFDocument": first, "CFItems": members, "CFAssociations": associations}
    if isinstance(opened.get("CFDefinitions"), Mapping):
        found["CFDefinitions"] = strict("CFDefinitions", opened["CFDefinitions"], changed)  # type: ignore[arg-type]
    if rubrics:
        found["CFRubrics"] = rubrics
    return _with_extensions(found, opened, {"CFItems": _left_out(opened, items.values()), "CFAssociations": unfit})


def strict(name: str, body: Json, moment: str) -> Strict:
    """Return one object of the standard: known fields as they must be, in their order, and all else as extensions."""
    fields = CLASSES[name]
    found: Strict = {}
    left: Strict = {}
    for key, value in body.items():
        if value is None or key in ELSEWHERE or key == EXTENSIONS:
            continue
        kind = fields.get(key)
        made = None if kind is None else _read(kind, value, moment)
        if made is not None:
            found[key] = made
        if made is None or _says_more(kind, value):
            left[key] = value
    if name in REQUIRED:
        _complete(name, found, body, moment)
        if body.get("uri") not in (None, found["uri"]):
            left["uri"] = body["uri"]
    ordered = {key: found[key] for key in fields if key in found}
    extensions = _extended(name, body.get(EXTENSIONS), left)
    return {**ordered, EXTENSIONS: extensions} if extensions else ordered


def _read(kind: str | Each, value: object, moment: str) -> object:
    if isinstance(kind, Each):
        rows = value if isinstance(value, list) else []
        return [strict(kind.name, row, moment) for row in rows if isinstance(row, Mapping)] or None
    return READERS[kind](value)


def _says_more(kind: str | Each | None, value: object) -> bool:
    """Whether the value says something that its strict form has no room for."""
    rows = value if isinstance(value, list) else [value]
    if isinstance(kind, Each):
        return not all(isinstance(row, Mapping) for row in rows)
    if kind not in _LINKED:
        return False
    return any(isinstance(row, Mapping) and row.keys() - _LINKED[kind] for row in rows)


def _complete(name: str, found: Strict, body: Json, moment: str) -> None:
    """Fill in what the standard requires and the object does not have."""
    uri = found["uri"] = uri_of(body) or f"urn:uuid:{_seeded(name, found)}"
    found.setdefault("identifier", made_uuid(text(body.get("identifier")) or uri))
    title = found.get("title") or uri
    words = found.get("abbreviatedStatement") or found.get("humanCodingScheme") or uri
    fallbacks = {
        "creator": "Unknown", "title": title, "fullStatement": words, "description": title, "hierarchyCode": "",
        "licenseText": "", "lastChangeDateTime": moment,
    }  # fmt: skip
    for key in REQUIRED[name]:
        if key in fallbacks:
            found.setdefault(key, fallbacks[key])


def _seeded(name: str, found: Strict) -> str:
    """Return a UUID for an object that names itself by nothing: made of what it says."""
    return made_uuid(f"{name} {msgspec.json.encode(found, order='sorted').decode()}")


def _ends(pairs: Iterable[tuple[Node, Strict]]) -> Iterable[tuple[str, dict[str, str]]]:
    """Yield every name by which an association may point to an object of the package, and how it points strictly."""
    for node, made in pairs:
        title = made.get("title") or made.get("humanCodingScheme") or made.get("fullStatement") or made["uri"]
        for name in names_of(node):
            yield name, {"title": title, "identifier": made["identifier"], "uri": made["uri"]}


def _associations(package: Json, ends: Mapping[str, dict[str, str]], moment: str) -> tuple[list[Strict], list[object]]:
    """Return the associations, and those that cannot be any: without a type or without an end."""
    made: list[Strict] = []
    unfit: list[object] = []
    for row, raw in zip(nodes(package, "CFAssociations"), _rows(package, "CFAssociations"), strict=True):
        body = {**row.body}
        for key in ("originNodeURI", "destinationNodeURI"):
            body[key] = _pointed(body.get(key), ends)
        one = strict("CFAssociation", body, moment)
        if all(key in one for key in REQUIRED["CFAssociation"]):
            made.append(one)
        else:
            unfit.append(raw)
    return made, unfit


def _pointed(value: object, ends: Mapping[str, dict[str, str]]) -> object:
    """Return an end of an association, by its strict name where it lies in the package; else as it is."""
    read = end_in(value)
    if read is None:
        return value
    body: Json = value if isinstance(value, Mapping) else {"identifier": read["uri"].rpartition("/")[2]}
    known = ends.get(text(body.get("identifier")).lower()) or ends.get(read["uri"].lower())
    if known is None:
        return value
    return {**(body if isinstance(value, Mapping) else {}), **known, "title": text(body.get("title")) or known["title"]}


def _left_out(package: Json, kept: Iterable[Node]) -> list[object]:
    places = {node.place for node in kept}
    rows = _rows(package, "CFItems")
    return [raw for index, raw in enumerate(rows) if f"/CFItems/{index}" not in places]


def _rows(package: Json, key: str) -> list[object]:
    rows = package.get(key)
    return rows if isinstance(rows, list) else []


def _with_extensions(found: Strict, package: Json, unread: Mapping[str, list[object]]) -> Strict:
    """Return the package with all that was not read under its extensions."""
    known = {"CFDocument", "CFDefinitions", EXTENSIONS, *LISTS}
    left = {key: value for key, value in package.items() if key not in known and value is not None}
    rows = {key: some for key, some in unread.items() if some}
    extensions = _extended("CFPackage", package.get(EXTENSIONS), {**left, **({UNREAD: rows} if rows else {})})
    return {**found, EXTENSIONS: extensions} if extensions else found


def _extended(name: str, present: object, left: Strict) -> object:
    """Return the extensions of an object with what was left of it, under a name that is free."""
    if name in EXTENSIONS_LISTED:
        rows = present if isinstance(present, list) else [present] if isinstance(present, Mapping) else []
        listed = [row for row in rows if isinstance(row, Mapping)]
        return [*listed, left] if left else listed
    found: Strict = dict(present) if isinstance(present, Mapping) else {EXTENSIONS: present} if present else {}
    for key, value in left.items():
        free = key
        while free in found and found[free] != value:
            free += "_"
        found[free] = value
    return found
