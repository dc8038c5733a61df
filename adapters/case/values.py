"""How the fields of CASE are written strictly: each reader returns the strict value, or None for what cannot be one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from projections.frameworks.documents import ASSOCIATION_TYPES

_uuid = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z")
_whole = re.compile(r"-?[0-9]{1,15}\Z")
_day = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_moment = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)(.*))?\Z")
_offset = re.compile(r"([+-][0-9]{2}):?([0-9]{2})\Z")
_extended = re.compile(r"ext:[a-zA-Z0-9._-]+\Z")
_not_in_names = re.compile(r"[^a-zA-Z0-9._-]+")

TYPES: Final = frozenset({"isChildOf", "precedes", *ASSOCIATION_TYPES})
CASE_TARGET: Final = "CASE"


def text_in(value: object) -> str | None:
    """Return a text as it is, and a number in digits."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def texts_in(value: object) -> list[str] | None:
    """Return a list of texts; a single one stands for a list."""
    found = [text_in(one) for one in (value if isinstance(value, list) else [value])]
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) else None


def uuid_in(value: object) -> str | None:
    """Return a UUID as it is written."""
    return value if isinstance(value, str) and _uuid.match(value) else None


def whole_in(value: object) -> int | None:
    """Return a whole number; exports write some as texts."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        return int(value.strip()) if _whole.match(value.strip()) else None
    return value if isinstance(value, int) else None


def number_in(value: object) -> int | float | None:
    """Return a number; exports write some as texts."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return None
    whole = whole_in(value)
    try:
        return float(Decimal(value.strip())) if whole is None else whole
    except (InvalidOperation, OverflowError):
        return None


def day_in(value: object) -> str | None:
    """Return a date, of a moment too."""
    found = _day.match(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(found[0]).isoformat() if found else None
    except ValueError:
        return None


def moment_in(value: object) -> str | None:
    """Return a date and time with an offset (RFC 3339): without an offset it is UTC."""
    found = _moment.match(value.strip()) if isinstance(value, str) else None
    if not found:
        return None
    day, clock, rest = found[1], found[2] or "00:00:00", (found[3] or "").strip()
    offset = _offset.match(rest)
    if rest not in ("", "Z", "z") and not offset:
        return None
    clock = f"{clock}:00" if clock.count(":") == 1 else clock
    made = f"{day}T{clock}{f'{offset[1]}:{offset[2]}' if offset else 'Z'}"
    try:
        datetime.fromisoformat(_to_microseconds(made))
    except ValueError:
        return None
    return made


def type_in(value: object) -> str | None:
    """Return a type of association: of CASE, or an extension's; any other name becomes an extension's."""
    if not isinstance(value, str) or not value.strip():
        return None
    word = value.strip()
    if word in TYPES or _extended.match(word):
        return word
    return f"ext:{_not_in_names.sub('-', word.removeprefix('ext:')).strip('-') or 'unnamed'}"


def link_in(value: object) -> dict[str, str] | None:
    """Return a link to an object of CASE, whose identifier is a UUID."""
    if not isinstance(value, Mapping) or uuid_in(value.get("identifier")) is None:
        return None
    identifier = str(value["identifier"])
    uri = text_in(value.get("uri")) or f"urn:uuid:{identifier}"
    return {"title": text_in(value.get("title")) or uri, "identifier": identifier, "uri": uri}


def links_in(value: object) -> list[dict[str, str]] | None:
    """Return a list of links; a single one stands for a list."""
    found = [link_in(one) for one in (value if isinstance(value, list) else [value])]
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) else None


def end_in(value: object) -> dict[str, str] | None:
    """Return an end of an association, which may lie anywhere; a bare URI stands for one."""
    body: Mapping[str, object] = value if isinstance(value, Mapping) else {"uri": value}
    uri, identifier = text_in(body.get("uri")), text_in(body.get("identifier"))
    if not uri and not identifier:
        return None
    uri = uri or f"urn:uuid:{identifier}"
    found = {"title": text_in(body.get("title")) or uri, "identifier": identifier or made_uuid(uri), "uri": uri}
    target = body.get("targetType")
    if target == CASE_TARGET or (isinstance(target, str) and _extended.match(target)):
        found["targetType"] = target
    return found


def made_uuid(name: str) -> str:
    """Return the UUID that always stands for a name: the one that the name ends with, else one that is made of it."""
    last = name[-36:]
    return last if _uuid.match(last) else str(uuid5(NAMESPACE_URL, name))


READERS: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {
        "text": text_in,
        "texts": texts_in,
        "uuid": uuid_in,
        "whole": whole_in,
        "number": number_in,
        "day": day_in,
        "moment": moment_in,
        "type": type_in,
        "link": link_in,
        "links": links_in,
        "end": end_in,
    }
)
"""The reader of each kind of field."""


def _to_microseconds(moment: str) -> str:
    return re.sub(r"(\.[0-9]{1,6})[0-9]*", lambda found: found[1].ljust(7, "0"), moment)
