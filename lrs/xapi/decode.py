"""From bytes to statements and back, so that the text that was sent stays the text that is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from itertools import count, repeat
from typing import Any

import msgspec

from lrs.errors import InvalidJson, Problem
from lrs.xapi.shapes import Place, report, shown
from lrs.xapi.values import Json, utc_text

DEEPEST_NESTING = 100
_WHITESPACE = b" \t\r\n"
_NOT_IN_UTC = re.compile(rb'"timestamp"\s*:\s*"(?![^"]{10}T[^"]*Z")').search
_TOO_DEEP = f"nested deeper than {DEEPEST_NESTING} levels: flatten it"

_value = msgspec.json.Decoder().decode
_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encoded = msgspec.json.Encoder().encode


class _Pairs(tuple[tuple[str, object], ...]):
    """A JSON object as its members in order, so that a key that stands twice is still seen twice."""

    __slots__ = ()


def statements_of(body: bytes) -> list[tuple[bytes, Json]]:
    """Return each statement of a POST or PUT body as its exact text and its decoded value.

    A lone object is one statement; an array is as many as it has elements, of whatever type.
    Raises InvalidJson with every place where the text is not strict JSON that any database can keep.
    """
    malformed: list[Problem] = []
    pointers = (f"/{position}" for position in count()) if is_batch(body) else repeat("")
    found = [read(bytes(text), pointer, malformed) for text, pointer in zip(texts_of(body), pointers, strict=False)]
    refuse_malformed(malformed)
    return [one for one in found if one is not None]


def is_batch(body: bytes) -> bool:
    """Whether a body is an array of statements, and not one alone."""
    return body.lstrip(_WHITESPACE)[:1] == b"["


def texts_of(body: bytes) -> Sequence[bytes | msgspec.Raw]:
    """Return the exact text of each statement of a body, not looked into yet; raises InvalidJson."""
    text = body.strip(_WHITESPACE)
    if text.startswith(b"["):
        return _raw_elements(text)
    if text.startswith(b"{"):
        return [text]
    raise InvalidJson("The body is not a statement.", [Problem("", _why_no_statement(text))])


def read(text: bytes, pointer: str, malformed: list[Problem]) -> tuple[bytes, Json] | None:
    """Return a statement's text with its value; None, and a problem more, when it is not JSON at all."""
    try:
        value = _value(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        malformed.append(Problem(pointer, _why_malformed(error)))
        return None
    if _is_suspect(text, value):
        malformed.extend(_deep_problems(text, value, pointer))
    return text, value


def refuse_malformed(malformed: Sequence[Problem]) -> None:
    """Raise InvalidJson when there is any problem."""
    if malformed:
        raise InvalidJson("The body is not well-formed JSON.", malformed)


def stored_statement(body: bytes) -> dict[str, Any]:
    """Return a stored statement, decoded: it was validated when it came in."""
    statement: dict[str, Any] = _value(body)
    return statement


def decode(raw: bytes) -> Json:
    """Return the value of JSON text that was checked before it was stored."""
    value: Json = _value(raw)
    return value


def completed(raw: bytes, additions: Mapping[str, bytes], without: Collection[str] = ()) -> bytes:
    """Return the statement's text with the additions, raw JSON values, in front.

    Top-level members named in `without`, or added anew, are left out; nested text stays as it is, byte for byte.
    """
    members = _members(raw)
    added = [_encoded(name) + b":" + value for name, value in additions.items()]
    if not any(name in members for name in (*additions, *without)):
        rest = memoryview(raw.strip(_WHITESPACE))[1:]
        return b"".join((b"{", b",".join(added), b"," if added and members else b"", rest))
    kept = [
        _encoded(name) + b":" + bytes(value)
        for name, value in members.items()
        if name not in additions and name not in without
    ]
    return b"{" + b",".join(added + kept) + b"}"


def in_utc(raw: bytes) -> bytes:
    """Return a stored text with the timestamp of its statement, and of a SubStatement in it, in UTC (2.0 4.2.7).

    All the rest stays as it is, byte for byte; so does a text that has no timestamp with another offset.
    """
    if b"\\u" not in raw and not _NOT_IN_UTC(raw):
        return raw
    members = _members(raw)
    changed: dict[str, bytes] = {}
    if "timestamp" in members:
        changed["timestamp"] = _encoded(utc_text(_value(members["timestamp"])))
    if "object" in members and _value(members["object"]).get("objectType") == "SubStatement":
        changed["object"] = in_utc(bytes(members["object"]))
    return completed(raw, changed)


def _raw_elements(text: bytes) -> Sequence[bytes | msgspec.Raw]:
    try:
        elements: list[msgspec.Raw] = _elements(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidJson("The body is not well-formed JSON.", [Problem("", _why_malformed(error))]) from error
    return elements


def _is_suspect(raw: bytes, value: Json) -> bool:
    """Tell whether the text is too deep, or may hold a NUL or a repeated key; asking costs little."""
    if raw.count(b"{") + raw.count(b"[") > DEEPEST_NESTING and _depth(value) > DEEPEST_NESTING:
        return True
    if b"\\" in raw and b"\\u0000" in raw:
        return True
    again = _encoded(value)
    return again != raw and _quotes(again) != _quotes(raw)


def _quotes(text: bytes) -> int:
    """Return how many quotes open or close a text: a repeated key has gone from what was decoded, and so differs."""
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return text.count(b'"')


def _deep_problems(raw: bytes, value: Json, pointer: str) -> list[Problem]:
    if _depth(value) > DEEPEST_NESTING:
        return [Problem(pointer, _TOO_DEEP)]
    problems: list[Problem] = []
    _check_texts(json.loads(raw, object_pairs_hook=_Pairs, parse_int=str, parse_float=str), pointer, problems)
    return problems


def _depth(value: Json) -> int:
    level: list[Json] = [value]
    depth = 0
    while level := [part for part in level if isinstance(part, (dict, list))]:
        depth += 1
        level = [child for part in level for child in (part.values() if isinstance(part, dict) else part)]
    return depth


def _check_texts(value: object, place: Place, problems: list[Problem]) -> None:
    """Report each key that stands twice in its object, and each text with a NUL."""
    if isinstance(value, _Pairs):
        _check_pairs(value, place, problems)
    elif isinstance(value, list):
        for position, element in enumerate(value):
            _check_texts(element, (place, position), problems)
    elif isinstance(value, str) and "\0" in value:
        report(problems, place, "holds the character U+0000, which not every database can keep: take it out")


def _check_pairs(pairs: _Pairs, place: Place, problems: list[Problem]) -> None:
    seen = set()
    for key, member in pairs:
        if key in seen:
            report(problems, (place, key), f"the key {shown(key)} stands here twice: keep one of them")
        seen.add(key)
        _check_texts(key, place, problems)
        _check_texts(member, (place, key), problems)


def _why_no_statement(text: bytes) -> str:
    if text.startswith(b"\xef\xbb\xbf"):
        return "starts with a byte order mark: send plain UTF-8 without it"
    if not text:
        return "is empty: send one statement, or an array of statements"
    try:
        _value(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _why_malformed(error)
    return "must be one statement (an object) or an array of statements"


def _why_malformed(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return _TOO_DEEP
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8: {error.reason}"
    if isinstance(error, msgspec.ValidationError):
        return "holds a number too large to keep: write it smaller, or as a string"
    if "truncated" in str(error):
        return "is not JSON: it ends too early, or a \\u escape is half of a surrogate pair"
    return f"is not JSON: {str(error).removeprefix('JSON is malformed: ')}"
