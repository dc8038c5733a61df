"""Data 2.4.11: what a statement says of its attachments."""

from __future__ import annotations

from typing import Any

import pytest

from lrs.errors import Problem
from lrs.xapi.attachments import check_attachments
from tests.lrs.xapi.examples import ATTACHMENT, with_value, without

TABLE: list[tuple[str, list[Any], list[Any]]] = [
    ("/usageType", ["urn:x:y"], ["", "worksheet", 1, None]),
    ("/display", [{}, {"en": "x"}], ["x", [], {"e": "x"}, {"en": 1}]),
    ("/description", [{}, {"en": "x"}], ["x", [], {"e": "x"}, {"en": 1}]),
    (
        "/contentType",
        ["image/png", "text/plain;charset=utf-8", "application/vnd.x+json", 'a/b ; c="d \\"e\\"";', "a/b;c=d;e=f"],
        ["", "png", "text/", "/x", "a b/c", 1, "a/b\n", "a/b;c=d\r\nE: f", "a/b; c", "a/b; c=é", 'a/b; c="d', "a/b\0"],
    ),
    ("/length", [0, 2**40], [-1, 1.5, 12.0, "12", True, None]),
    ("/sha2", ["AB" * 32, "0" * 56, "0" * 96, "0" * 128], ["", "a" * 40, "g" * 64, 1]),
    ("/fileUrl", ["https://example.org/x"], ["", "x", "urn:x:y", 1]),
]
CASES = [(pointer, value, True) for pointer, accepted, _ in TABLE for value in accepted]
CASES += [(pointer, value, False) for pointer, _, refused in TABLE for value in refused]


def found(attachments: object) -> list[str]:
    reported: list[Problem] = []
    check_attachments(attachments, "", reported)  # type: ignore[arg-type]
    return [problem.pointer for problem in reported]


@pytest.mark.parametrize(("pointer", "value", "is_valid"), CASES)
def test_each_property_takes_its_values_and_no_others(pointer: str, value: object, is_valid: bool) -> None:
    reported = found([ATTACHMENT, with_value(ATTACHMENT, pointer, value)])
    assert (reported == []) == is_valid
    assert all(place.startswith(f"/1{pointer}") for place in reported)


@pytest.mark.parametrize("name", ["usageType", "display", "contentType", "length", "sha2"])
def test_these_properties_are_required(name: str) -> None:
    assert found([without(ATTACHMENT, f"/{name}")]) == [f"/0/{name}"]


@pytest.mark.parametrize("name", ["description", "fileUrl"])
def test_these_properties_may_be_left_out(name: str) -> None:
    assert found([without(ATTACHMENT, f"/{name}")]) == []


def test_attachments_are_an_array_of_objects() -> None:
    assert found([]) == []
    assert found(ATTACHMENT) == [""]
    assert found([1, "x"]) == ["/0", "/1"]
