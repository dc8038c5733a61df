"""What an adoption is to the one before it: the same, older, or newer with what it changes."""

from __future__ import annotations

import copy
from typing import Any

from adapters.case.adoption import compared
from adapters.case.translate import framework_of
from tests.adapters.case.test_translate import item, link, node, package

EARLY, LATE = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00Z"


def adopted(*items: dict[str, Any], changed: str = EARLY, **more: Any) -> dict[str, Any]:
    found = package(
        *items, links=(link("precedes", 10, 10, identifier=node(50)["identifier"], lastChangeDateTime=EARLY),)
    )
    found["CFDocument"]["lastChangeDateTime"] = changed
    return {**framework_of(found)[0], **more}


def dated(number: int, changed: str = EARLY, **more: Any) -> dict[str, Any]:
    return item(number, lastChangeDateTime=changed, **more)


def test_the_same_package_again_is_the_same_however_its_times_are_written() -> None:
    again = adopted(dated(10, "2026-01-01T01:00:00+01:00"), changed="2026-01-01T00:00:00Z")
    found = compared(adopted(dated(10)), again)
    assert (found.is_same, found.is_older) == (True, False)


def test_a_newer_item_is_a_change() -> None:
    found = compared(adopted(dated(10), dated(11)), adopted(dated(10, LATE, notes="x"), dated(12)))
    assert (found.is_same, found.is_older) == (False, False)
    assert found.changes == {
        "since": "3", "added": [node(12)["uri"]], "changed": [node(10)["uri"]], "retired": [node(11)["uri"]],
    }  # fmt: skip


def test_a_package_with_nothing_as_new_is_older() -> None:
    assert compared(adopted(dated(10, LATE)), adopted(dated(10))).is_older


def test_the_same_package_with_another_status_or_scale_is_not_the_same() -> None:
    scale = {"id": "https://example.org/scale", "version": 1}
    assert not compared(adopted(dated(10), status="draft"), adopted(dated(10), status="live")).is_same
    assert not compared(adopted(dated(10)), adopted(dated(10), scale=scale)).is_same


def test_what_differs_though_its_time_does_not_is_counted() -> None:
    found = compared(adopted(dated(10)), adopted(dated(10, fullStatement="Other.")))
    assert (found.is_same, found.unmarked) == (True, 1)


def test_without_times_the_words_decide() -> None:
    before = adopted(item(10))
    assert compared(before, copy.deepcopy(before)).is_same
    assert not compared(before, adopted(item(10, fullStatement="Other."))).is_same


def test_a_framework_of_our_own_is_compared_whole() -> None:
    own = {"uri": "https://example.org/f", "title": "F", "version": "1", "competencies": [{"uri": "x", "name": "y"}]}
    assert compared(own, {**own, "changes": {"since": "0"}}).is_same
    assert not compared(own, {**own, "title": "G"}).is_same
