"""What a statement says of its attachments (xAPI 1.0.3 Data 2.4.11); the data itself travels beside it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from lrs.errors import Problem
from lrs.xapi.parts import Valid
from lrs.xapi.shapes import Place, array_of, check_iri, check_irl, check_language_map, object_of, refuse, text_of
from lrs.xapi.values import Json, is_sha2_hex

SIGNATURE: Final = "http://adlnet.gov/expapi/attachments/signature"
"""The usageType of a signature (Data 2.6)."""

# RFC 9110 sections 5.6.6 and 8.3.1, in ASCII: a media type goes into a header as it is, so no line can end in it.
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105 - a token of RFC 9110, no secret
_QUOTED = r'"(?:[\t !#-\[\]-~]|\\[\t !-~])*"'
_is_content_type = re.compile(
    rf"{_TOKEN}/{_TOKEN}(?:[ \t]*;[ \t]*(?:{_TOKEN}=(?:{_TOKEN}|{_QUOTED}))?)*[ \t]*"
).fullmatch
_BY_DIGITS = {56: hashlib.sha224, 64: hashlib.sha256, 96: hashlib.sha384, 128: hashlib.sha512}


def _check_length(value: Json, place: Place, problems: list[Problem]) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        refuse(problems, place, "a whole number of bytes, 0 or more", value)


check_attachments = array_of(
    object_of(
        {
            "usageType": check_iri,
            "display": check_language_map,
            "description": check_language_map,
            "contentType": text_of(_is_content_type, "an internet media type, such as text/plain"),
            "length": _check_length,
            "sha2": text_of(is_sha2_hex, "a SHA-2 in hex digits"),
            "fileUrl": check_irl,
        },
        required=("usageType", "display", "contentType", "length", "sha2"),
    )
)


def hasher(sha2: str) -> Any:
    """Return a new hash of the kind that a SHA-2 in hex is of, told by its length."""
    return _BY_DIGITS[len(sha2)](usedforsecurity=True)


def declares_any(statement: Valid) -> bool:
    """Tell whether a valid statement may declare attachments; quicker than to look for each."""
    return "attachments" in statement or "attachments" in statement["object"]


def declared(statement: Valid) -> list[tuple[str, Valid]]:
    """Return every attachment that a valid statement declares, its SubStatement's too, with the pointer to each."""
    found = [(f"/attachments/{place}", one) for place, one in enumerate(statement.get("attachments", ()))]
    target = statement["object"]
    if target.get("objectType") == "SubStatement" and "attachments" in target:
        found += [(f"/object/attachments/{place}", one) for place, one in enumerate(target["attachments"])]
    return found


def unmet(statement: Valid, pointer: str, received: Collection[str] | None) -> list[Problem]:
    """Return a problem for every attachment that has neither a fileUrl nor data among the hashes received.

    Communication 1.5.2; `received` is None for a body of type application/json, which can carry no data.
    """
    fix = _AS_JSON if received is None else _AS_MULTIPART
    return [
        Problem(f"{pointer}{place}", fix.format(sha2=one["sha2"]))
        for place, one in declared(statement)
        if "fileUrl" not in one and one["sha2"].lower() not in (received or ())
    ]


_AS_JSON = "has no fileUrl: send the request as multipart/mixed, with the data of this attachment in a part of its own"
_AS_MULTIPART = (
    "has no fileUrl and no data: add a part with the header X-Experience-API-Hash: {sha2}, or name a fileUrl"
)


def content_types(statement: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return (sha2 as it is written, content type) of each attachment of a stored statement, by hash in lower case."""
    found: dict[str, tuple[str, str]] = {}
    for _, one in declared(statement):
        found.setdefault(one["sha2"].lower(), (one["sha2"], one["contentType"]))
    return found
