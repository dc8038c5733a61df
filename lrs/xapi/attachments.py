"""What a statement says of its attachments (xAPI 1.0.3 Data 2.4.11); the data itself travels beside it."""

from __future__ import annotations

import re

from lrs.errors import Problem
from lrs.xapi.shapes import Place, array_of, check_iri, check_irl, check_language_map, object_of, refuse, text_of
from lrs.xapi.values import Json, is_sha2_hex

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105 - a token of RFC 9110, no secret
_is_content_type = re.compile(rf"{_TOKEN}/{_TOKEN}\s*(?:;[^\x00-\x1f\x7f]*)?").fullmatch


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
