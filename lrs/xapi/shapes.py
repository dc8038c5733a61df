"""The checks that every part of a statement is built of: each reports every problem it finds.

A check takes a value, its place and the list of problems so far. Small checks are combined by `object_of` and
`array_of`, so that a part of a statement reads as the table that the specification prints for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import TypeAlias

import msgspec

from lrs.errors import Problem
from lrs.xapi.values import Json, is_iri, is_irl, is_language_tag, is_uuid, timestamp_us

# A place is the pointer to the whole, or a pair of a place and a key in it. Pairs are cheap, and most places are
# never shown: only a problem needs its pointer spelled out.
Place: TypeAlias = "tuple[Place, str | int] | str"
Check: TypeAlias = Callable[[Json, Place, list[Problem]], None]
Table: TypeAlias = Mapping[str, Check]

_LONGEST_SHOWN = 60
_LONGEST_REMEMBERED = 800
_MOST_REMEMBERED = 4_096
_encoded = msgspec.json.Encoder().encode
# Looking for what was meant is slow; a body of nothing but unknown keys must not buy hours of it.
_MOST_SUGGESTIONS = 50


def object_of(checks: Table, required: Sequence[str] = ()) -> Check:
    """Return the check of an object that has only these members, each by its own check, and all required ones."""
    check_of = dict(checks).get

    def check(value: Json, place: Place, problems: list[Problem]) -> None:
        if not isinstance(value, dict):
            refuse(problems, place, "an object", value)
            return
        for key, member in value.items():
            check_member = check_of(key)
            if check_member is not None:
                check_member(member, (place, key), problems)
            else:
                _report_unknown(problems, place, key, checks)
        for key in required:
            if key not in value:
                report(problems, (place, key), "missing")

    return check


def remembered(check: Check) -> Check:
    """Return the same check with a memory of what it found valid: senders repeat their verbs, actors and activities.

    Only for a check whose answer follows from the value alone. What has no problem has none at any place.
    """
    valid: set[bytes] = set()

    def check_once(value: Json, place: Place, problems: list[Problem]) -> None:
        try:
            text = _encoded(value)
        except (OverflowError, RecursionError):
            check(value, place, problems)
            return
        if text in valid:
            return
        count = len(problems)
        check(value, place, problems)
        if len(problems) == count and len(text) <= _LONGEST_REMEMBERED:
            if len(valid) >= _MOST_REMEMBERED:
                valid.clear()
            valid.add(text)

    return check_once


def array_of(check_element: Check) -> Check:
    """Return the check of an array, each element by the given check."""

    def check(value: Json, place: Place, problems: list[Problem]) -> None:
        if not isinstance(value, list):
            refuse(problems, place, "an array", value)
            return
        for position, element in enumerate(value):
            check_element(element, (place, position), problems)

    return check


def text_of(is_valid: Callable[[str], object], wanted: str) -> Check:
    """Return the check of a string of one format; `wanted` names it, with its article."""

    def check(value: Json, place: Place, problems: list[Problem]) -> None:
        if not isinstance(value, str) or not is_valid(value):
            refuse(problems, place, wanted, value)

    return check


def word_of(words: Sequence[str]) -> Check:
    """Return the check of a string that is one of a few words, in exactly their case."""
    return text_of(frozenset(words).__contains__, choice(words))


def check_string(value: Json, place: Place, problems: list[Problem]) -> None:
    """Any string will do, the empty one too."""
    if not isinstance(value, str):
        refuse(problems, place, "a string", value)


def check_boolean(value: Json, place: Place, problems: list[Problem]) -> None:
    """Only true and false themselves: no number, no text."""
    if not isinstance(value, bool):
        refuse(problems, place, "true or false", value)


def check_number(value: Json, place: Place, problems: list[Problem]) -> None:
    """Any JSON number; a number in a string is none."""
    if not is_number(value):
        refuse(problems, place, "a number", value)


def check_timestamp(value: Json, place: Place, problems: list[Problem]) -> None:
    """Data 4.5, as `timestamp_us` reads it."""
    if not isinstance(value, str):
        refuse(problems, place, "a timestamp in a string", value)
        return
    try:
        timestamp_us(value)
    except ValueError as error:
        report(problems, place, f"{error} (found {shown(value)})")


def check_language_map(value: Json, place: Place, problems: list[Problem]) -> None:
    """Data 4.2: keys are RFC 5646 language tags, values are strings."""
    if not isinstance(value, dict):
        refuse(problems, place, 'a language map, such as {"en": "text"}', value)
        return
    for tag, text in value.items():
        if not is_language_tag(tag):
            report(problems, (place, tag), f"the key must be an RFC 5646 language tag, {_tag_like(tag)}")
        if not isinstance(text, str):
            refuse(problems, (place, tag), "a string", text)


def check_extensions(value: Json, place: Place, problems: list[Problem]) -> None:
    """Data 4.1: keys are IRIs; nothing is asked of the values."""
    if not isinstance(value, dict):
        refuse(problems, place, "an object of extensions", value)
        return
    for key in value:
        if not is_iri(key):
            report(problems, (place, key), "the key must be an IRI with a scheme")


check_iri = text_of(is_iri, "an IRI with a scheme, such as https://example.org/activity")
check_irl = text_of(is_irl, "an IRL that can be followed, such as https://example.org/page")
check_uuid = text_of(is_uuid, "a UUID in standard form, such as 2c6b2a1e-7f53-4c8e-9d43-0a4d9b1c5e77")


def check_language_tag(value: Json, place: Place, problems: list[Problem]) -> None:
    """Data 2.4.6.1: an RFC 5646 language tag."""
    if not isinstance(value, str) or not is_language_tag(value):
        refuse(problems, place, f"an RFC 5646 language tag, {_tag_like(value)}", value)


def _tag_like(value: Json) -> str:
    """Return an example of a language tag, for a locale such as en_US the tag itself."""
    meant = value.replace("_", "-") if isinstance(value, str) and "_" in value else ""
    return f'here "{meant}"' if meant and is_language_tag(meant) else "such as en-GB"


def is_number(value: Json) -> bool:
    """Tell whether a JSON value is a number; true and false are none."""
    return type(value) in (int, float)


def report(problems: list[Problem], place: Place, message: str) -> None:
    """Add a problem to those found so far."""
    problems.append(Problem(pointer_to(place), message))


def refuse(problems: list[Problem], place: Place, wanted: str, value: Json) -> None:
    """Add the problem of a value of the wrong type or format; `wanted` names the right one."""
    fix = ": leave the property out instead" if value is None else ""
    report(problems, place, f"must be {wanted}, not {shown(value)}{fix}")


def pointer_to(place: Place) -> str:
    """Return the JSON pointer (RFC 6901) of a place."""
    if isinstance(place, str):
        return place
    whole, key = place
    return f"{pointer_to(whole)}/{escaped(str(key))}"


def escaped(key: str) -> str:
    """Return a key as one part of a JSON pointer (RFC 6901 section 3)."""
    return key.replace("~", "~0").replace("/", "~1")


def nearest(word: str, known: Collection[str]) -> str | None:
    """Return the known word that was probably meant, if one is near: case and joints count for nothing."""
    plain = {name.lower().replace("_", ""): name for name in known}
    lowered = word[:_LONGEST_SHOWN].lower().replace("_", "").replace("-", "")
    close = get_close_matches(lowered, plain, 1, 0.8)
    return plain[close[0]] if close else None


def shown(value: Json) -> str:
    """Return a value as it may stand in a message: short, and never a whole object."""
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= _LONGEST_SHOWN else f'"{value[: _LONGEST_SHOWN - 3]}..."'
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"the number {value!r}"[:_LONGEST_SHOWN]


def choice(words: Sequence[str]) -> str:
    """Return words as a choice in English: "a", "b" or "c"."""
    quoted = [f'"{word}"' for word in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if quoted[1:] else quoted)


def _report_unknown(problems: list[Problem], place: Place, key: str, known: Collection[str]) -> None:
    near = nearest(key, known) if len(problems) < _MOST_SUGGESTIONS else None
    fix = f'did you mean "{near}"?' if near else "xAPI has no such property here; remove it, or use extensions"
    report(problems, (place, key), f"unknown: {fix}")
