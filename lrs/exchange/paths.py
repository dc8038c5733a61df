"""Paths into a statement, and its values as the cells of a table. Pure.

A path is dotted (`actor.account.name`) or, where a key holds a dot as those of extensions do, a JSON pointer (RFC 6901:
`/result/extensions/https:~1~1example.org~1x`). A number counts in an array, from 0.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from lrs.errors import InvalidRequest
from lrs.xapi.values import Json

Path: TypeAlias = tuple[str, ...]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would run a cell that begins so."""


def path_of(text: str) -> Path:
    """Return the steps of a path; raises InvalidRequest for one that leads nowhere."""
    if text.startswith("/"):
        return tuple(one.replace("~1", "/").replace("~0", "~") for one in text[1:].split("/"))
    steps = tuple(text.split("."))
    if not all(steps):
        raise InvalidRequest(
            f"{text!r} is no path; write it as actor.account.name, or as /result/score/scaled where a key has a dot"
        )
    return steps


def value_at(statement: Json, path: Path) -> Json:
    """Return what stands at a path; None where nothing does."""
    value = statement
    for one in path:
        if isinstance(value, dict):
            value = value.get(one)
        elif isinstance(value, list) and one.isdecimal() and int(one) < len(value):
            value = value[int(one)]
        else:
            return None
    return value


def cell(value: Json) -> str:
    """Return a value as a cell: a text guarded against being run as a formula, anything else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return msgspec.json.encode(value).decode()
