"""Statements to test with, and small changes to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

ANN: dict[str, Any] = {
    "objectType": "Agent",
    "name": "Ann",
    "account": {"homePage": "https://sis.example.org", "name": "s-1042"},
}
BEN: dict[str, Any] = {"objectType": "Agent", "mbox": "mailto:ben@School.Example.org"}
CLASS: dict[str, Any] = {
    "objectType": "Group",
    "name": "7b",
    "openid": "https://id.example.org/7b",
    "member": [ANN, BEN],
}
PAIR: dict[str, Any] = {"objectType": "Group", "member": [ANN, BEN]}
COURSE: dict[str, Any] = {
    "id": "https://learn.example.org/courses/fractions",
    "definition": {"name": {"en-GB": "Fractions", "de": "Brüche"}},
}
QUIZ: dict[str, Any] = {
    "objectType": "Activity",
    "id": "https://learn.example.org/quizzes/fractions-3",
    "definition": {
        "name": {"en-GB": "Halves and thirds", "de": "Halbe und Drittel"},
        "description": {"en-GB": "Which is more?", "de": "Was ist mehr?"},
        "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
        "moreInfo": "https://learn.example.org/about/fractions-3",
        "interactionType": "choice",
        "correctResponsesPattern": ["half"],
        "choices": [
            {"id": "half", "description": {"en-GB": "one half", "de": "ein Halb"}},
            {"id": "third", "description": {"en-GB": "one third", "de": "ein Drittel"}},
        ],
        "extensions": {"https://learn.example.org/x/level": None},
    },
}
REFERENCE: dict[str, Any] = {"objectType": "StatementRef", "id": "0F5D1B2C-9A76-4E3F-8B21-6C7D8E9F0A1B"}
ATTACHMENT: dict[str, Any] = {
    "usageType": "https://learn.example.org/usage/worksheet",
    "display": {"en-GB": "Worksheet", "de": "Arbeitsblatt"},
    "description": {"en-GB": "Her working", "de": "Ihr Rechenweg"},
    "contentType": "text/plain; charset=utf-8",
    "length": 12,
    "sha2": "a" * 64,
    "fileUrl": "https://files.example.org/worksheet.txt",
}


def least() -> dict[str, Any]:
    """The smallest statement that is valid."""
    return {
        "actor": {"mbox": "mailto:ann@example.org"},
        "verb": {"id": "https://w3id.org/xapi/dod-isd/verbs/answered"},
        "object": {"id": "https://learn.example.org/quizzes/fractions-3"},
    }


def full() -> dict[str, Any]:
    """A statement that uses every property of 1.0.3."""
    return deepcopy(
        {
            "id": "6b1d7c52-0f0e-4f5c-9d0b-2f4f6a1c3e58",
            "actor": ANN,
            "verb": {
                "id": "http://adlnet.gov/expapi/verbs/answered",
                "display": {"en-GB": "answered", "de": "antwortete"},
            },
            "object": QUIZ,
            "result": {
                "score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10},
                "success": True,
                "completion": False,
                "response": "half",
                "duration": "PT1M12.5S",
                "extensions": {"https://learn.example.org/x/tries": [1, None, {}]},
            },
            "context": {
                "registration": "F3A0C2D4-5B6E-4789-8A1B-2C3D4E5F6071",
                "instructor": BEN,
                "team": CLASS,
                "contextActivities": {"parent": [COURSE], "grouping": [], "category": COURSE, "other": [COURSE]},
                "revision": "3",
                "platform": "Slate",
                "language": "en-GB",
                "statement": REFERENCE,
                "extensions": {"https://learn.example.org/x/room": ""},
            },
            "timestamp": "2026-11-20T09:30:00.250+01:00",
            "stored": "2026-11-20T08:30:01Z",
            "authority": PAIR,
            "version": "1.0.3",
            "attachments": [ATTACHMENT],
        }
    )


def nested() -> dict[str, Any]:
    """A statement about a SubStatement that has all a SubStatement may have."""
    inner = full()
    for name in ("id", "stored", "authority", "version"):
        del inner[name]
    return {**least(), "object": {"objectType": "SubStatement", **inner}}


def with_value(statement: dict[str, Any], pointer: str, value: object) -> dict[str, Any]:
    """Return a copy with the value put at the pointer; an array grows when the position is its length."""
    copy = deepcopy(statement)
    holder, key = _holder(copy, pointer)
    if isinstance(holder, list) and int(key) == len(holder):
        holder.append(value)
    else:
        holder[int(key) if isinstance(holder, list) else key] = value
    return copy


def without(statement: dict[str, Any], pointer: str) -> dict[str, Any]:
    """Return a copy that lacks what stands at the pointer."""
    copy = deepcopy(statement)
    holder, key = _holder(copy, pointer)
    del holder[int(key) if isinstance(holder, list) else key]
    return copy


def text(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _holder(whole: Any, pointer: str) -> tuple[Any, str]:
    *path, key = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in path:
        whole = whole[int(part) if isinstance(whole, list) else part]
    return whole, key


def places(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every place in a statement with what stands there; nothing inside of extensions."""
    yield pointer, value
    if pointer.endswith("/extensions") or not isinstance(value, (dict, list)):
        return
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        yield from places(part, f"{pointer}/{key}")
