"""The single values of xAPI: which texts are an IRI, a UUID, a language tag, a time, and how each is compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

# Texts that passed once pass again by a set look-up; long ones are not kept, so the memory has a known bound.
REMEMBERED_TEXTS = 20_000
REMEMBERED_CHARACTERS = 300

_PLAIN = r"[^\x00-\x20\x7f-\x9f\s<>\"{}|\\^`%#]*"
_IRI_TEXT = rf"{_PLAIN}(?:%[0-9A-Fa-f]{{2}}{_PLAIN})*"
_IRI = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*:(?=.){_IRI_TEXT}(?:#{_IRI_TEXT})?").fullmatch
_WEB_WITHOUT_HOST = re.compile(r"https?:(?!//[^/?#])", re.IGNORECASE).match
_NAMES_NOT_LOCATIONS = ("urn:", "tag:")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch
_ADDRESS_CHARACTER = r"[^\s@:/?#<>\"\\\x00-\x20.]"
_MBOX = re.compile(
    rf"mailto:(?:{_ADDRESS_CHARACTER}|[./])+@{_ADDRESS_CHARACTER}+(?:\.{_ADDRESS_CHARACTER}+)*"
).fullmatch
_SHA1 = re.compile(r"[0-9A-Fa-f]{40}").fullmatch
_SHA2 = re.compile(r"[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128}").fullmatch

# RFC 5646 section 2.1, in lower case; the grandfathered tags are the closed list there.
_LANGUAGE_TAG = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})"
    r"(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
    r"(?P<extensions>(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*)"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?|x(?:-[a-z0-9]{1,8})+"
    r"|en-gb-oed|i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)"
    r"|sgn-(?:be-fr|be-nl|ch-de)|art-lojban|cel-gaulish|no-(?:bok|nyn)|zh-(?:guoyu|hakka|min|min-nan|xiang)"
).fullmatch

# ISO 8601:2004 section 4.4.3.2: weeks alone, or the other units; only the last number may have a fraction.
_NUMBER = r"[0-9]+(?:[.,][0-9]+(?=[A-Z]\Z))?"
_DURATION = re.compile(
    rf"P(?:{_NUMBER}W|(?=[0-9T])(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
    rf"(?:T(?=[0-9])(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?)"
).fullmatch

_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
    r"(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
).fullmatch
_FRACTION = re.compile(r"[.,][0-9]+").search
_UNKNOWN_OFFSETS = ("-00", "-0000", "-00:00")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - an offset in the value would only slow `iso`
_FIRST_US = -62_135_596_800_000_000
_LAST_US = 253_402_300_799_999_999


def _remembering(is_valid: Callable[[str], bool]) -> Callable[[str], bool]:
    seen: set[str] = set()

    def is_valid_or_seen(text: str) -> bool:
        if text in seen:
            return True
        if not is_valid(text):
            return False
        if len(text) <= REMEMBERED_CHARACTERS:
            if len(seen) >= REMEMBERED_TEXTS:
                seen.clear()
            seen.add(text)
        return True

    is_valid_or_seen.__doc__ = is_valid.__doc__
    return is_valid_or_seen


@_remembering
def is_iri(text: str) -> bool:
    """Tell whether the text has a scheme and only characters an IRI may hold (RFC 3987, shape only)."""
    return _IRI(text) is not None


@_remembering
def is_irl(text: str) -> bool:
    """Tell whether the text is an IRI that locates: not a urn or tag, and with a host when it is for the web."""
    return is_iri(text) and not text.lower().startswith(_NAMES_NOT_LOCATIONS) and not _WEB_WITHOUT_HOST(text)


def is_uuid(text: str) -> bool:
    """Tell whether the text is a UUID in the standard form of RFC 4122, in either case."""
    return _UUID(text) is not None


@_remembering
def is_language_tag(text: str) -> bool:
    """Tell whether the text has the shape of an RFC 5646 tag, no variant or extension singleton twice."""
    found = _LANGUAGE_TAG(text.lower()) if text.isascii() else None
    if found is None:
        return False
    variants = (found["variants"] or "").split("-")[1:]
    singletons = [part for part in (found["extensions"] or "").split("-") if len(part) == 1]
    return len(set(variants)) == len(variants) and len(set(singletons)) == len(singletons)


def is_mbox(text: str) -> bool:
    """Tell whether the text is `mailto:` and one e-mail address."""
    return _MBOX(text) is not None


def is_sha1_hex(text: str) -> bool:
    """Tell whether the text is a SHA-1 in hex, in either case."""
    return _SHA1(text) is not None


def is_sha2_hex(text: str) -> bool:
    """Tell whether the text is a hash of the SHA-2 family (224, 256, 384 or 512 bits) in hex, in either case."""
    return _SHA2(text) is not None


def is_duration(text: str) -> bool:
    """Tell whether the text is an ISO 8601 duration with designators, such as PT4H35M59.14S or P4W."""
    return _DURATION(text) is not None


def timestamp_us(text: str) -> int:
    """Return the instant in whole microseconds since 1970 UTC; finer fractions are cut off.

    A timestamp without zone counts as UTC (xAPI 1.0.3 Data 4.5: a zone SHOULD be there).
    Raises ValueError, in words for the sender, for anything but a date and a time of day in ISO 8601.
    """
    if not _TIMESTAMP(text):
        raise ValueError("must be a date and time such as 2026-11-21T08:00:00.123Z")
    if text.endswith(_UNKNOWN_OFFSETS):
        raise ValueError("must not have the offset -00: write Z, or the true offset")
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise ValueError(f"must be a date and time that exists: {error}") from error
    distance = moment - (_EPOCH if moment.tzinfo else _NAIVE_EPOCH)
    us = (distance.days * 86_400 + distance.seconds) * 1_000_000 + distance.microseconds
    if not _FIRST_US <= us <= _LAST_US:
        raise ValueError("must lie between the years 1 and 9999 in UTC")
    return us


def utc_text(text: str) -> str:
    """Return a valid timestamp as the same instant in UTC, its fraction as it was written; one in UTC is left alone."""
    if text.endswith("Z") and text[10] == "T":
        return text
    fraction = _FRACTION(text)
    digits = fraction[0].replace(",", ".") if fraction else ""
    return f"{_second_text(timestamp_us(text) // 1_000_000)}{digits}Z"


def iso(us: int) -> str:
    """Return microseconds since 1970 UTC as xAPI text, always with six digits of fraction."""
    second, fraction = divmod(us, 1_000_000)
    return f"{_second_text(second)}.{fraction:06}Z"


@lru_cache(maxsize=4096)
def _second_text(second: int) -> str:
    return (_NAIVE_EPOCH + timedelta(seconds=second)).isoformat()


def key64(kind: str, text: str) -> int:
    """Return a signed 64-bit key of a text; equal texts of different kinds have different keys."""
    return _remembered_key64(kind, text) if len(text) <= REMEMBERED_CHARACTERS else _key64(kind, text)


def _key64(kind: str, text: str) -> int:
    digest = blake2b(f"{kind}\0{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


_remembered_key64 = lru_cache(maxsize=REMEMBERED_TEXTS)(_key64)
