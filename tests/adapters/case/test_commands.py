"""Frameworks by the command line: adopted once, newer versions with what they change, compared, handed on."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click.testing
import pytest

import wsgi
from lrs.errors import CairnError, InvalidRequest
from projections.mastery.scales import DEFAULT_SCALE_DOCUMENT
from tests.adapters.case.test_translate import item, package
from tests.district import District

SCALE = f"{DEFAULT_SCALE_DOCUMENT['id']}@{DEFAULT_SCALE_DOCUMENT['version']}"
EARLY, LATE = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"


def dated(number: int, changed: str = EARLY, **more: Any) -> dict[str, Any]:
    return item(number, lastChangeDateTime=changed, **more)


def write(folder: Path, *items: dict[str, Any], changed: str = EARLY) -> str:
    found = package(*items)
    found["CFDocument"]["lastChangeDateTime"] = changed
    for place, association in enumerate(found["CFAssociations"]):
        association |= {"identifier": f"10000000-0000-4000-8000-{place:012d}", "lastChangeDateTime": EARLY}
    path = folder / "package.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    return str(path)


def run(district: District, command: str, *words: str) -> click.testing.Result:
    slug = district.log.slug
    return click.testing.CliRunner().invoke(
        wsgi.cairn.commands["framework"], [command, slug, *words], obj=district.desk
    )


def ran(district: District, command: str, *words: str) -> str:
    result = run(district, command, *words)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(district: District, command: str, *words: str) -> str:
    result = run(district, command, *words)
    assert isinstance(result.exception, CairnError), result.output
    return str(result.exception)


def test_a_framework_is_adopted_once_and_again_only_when_something_is_newer(district: District, tmp_path: Path) -> None:
    source = write(tmp_path, dated(10), dated(11))
    assert "adopted: 2 competencies" in ran(district, "adopt", source, "--scale", SCALE)
    size = district.size()
    assert "nothing appended" in ran(district, "adopt", source)
    assert district.size() == size
    newer = write(tmp_path, dated(10, LATE, notes="new"), dated(12), changed=LATE)
    assert "adopted: 2 competencies; 1 added, 1 changed, 1 retired" in ran(district, "adopt", newer)
    assert district.size() == size + 1


def test_an_older_package_is_refused_and_the_way_back_is_told(district: District, tmp_path: Path) -> None:
    ran(district, "adopt", write(tmp_path, dated(10, LATE), changed=LATE), "--draft")
    told = refused(district, "adopt", write(tmp_path, dated(10)))
    assert "is older" in told
    assert "void the adoption" in told


def test_without_levels_a_framework_is_refused_with_the_list_and_may_be_a_draft(
    district: District, tmp_path: Path
) -> None:
    source = write(tmp_path, *(dated(number) for number in range(10, 23)))
    told = refused(district, "adopt", source)
    assert "13 of 13 competencies have no levels" in told
    assert "and 3 more" in told
    assert "--scale ID@VERSION" in told
    ran(district, "adopt", source, "--draft")
    assert "draft" in ran(district, "list")
    assert "adopted: 13 competencies; 0 added, 0 changed, 0 retired" in ran(
        district, "adopt", source, "--live", "--scale", SCALE
    )
    assert "live" in ran(district, "list")


@pytest.mark.parametrize(
    "scale", ["https://example.org/none@1", SCALE.replace("@1", "@99"), "https://example.org/none"]
)
def test_a_scale_that_is_not_published_is_refused(district: District, tmp_path: Path, scale: str) -> None:
    told = refused(district, "adopt", write(tmp_path, dated(10)), "--scale", scale)
    assert "scale" in told


def test_a_difference_is_told_and_nothing_is_appended(district: District, tmp_path: Path) -> None:
    assert "not adopted yet: 1 competencies" in ran(district, "diff", write(tmp_path, dated(10)))
    ran(district, "adopt", write(tmp_path, dated(10), dated(11)), "--draft")
    size = district.size()
    told = ran(district, "diff", write(tmp_path, dated(10, LATE, notes="x"), dated(12)))
    assert [line for line in told.splitlines() if not line.startswith(" ")] == ["added: 1", "changed: 1", "retired: 1"]
    assert "Name 11" in told
    assert district.size() == size


def test_what_is_exported_and_imported_elsewhere_is_exported_in_the_same_bytes(
    district: District, shared_district: District, tmp_path: Path
) -> None:
    source = write(tmp_path, dated(10, educationalLevel="06"), dated(11))
    ran(district, "adopt", source, "--draft")
    (name, *_) = ran(district, "list").split()
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    ran(district, "export", name, "-o", str(first))
    elsewhere = shared_district.with_new_log(f"{district.log.slug}e")
    ran(elsewhere, "adopt", str(first), "--draft")
    ran(elsewhere, "export", name.rpartition("/")[2], "-o", str(second))
    assert first.read_bytes() == second.read_bytes()


def test_a_framework_that_is_not_adopted_cannot_be_exported(district: District) -> None:
    told = refused(district, "export", "https://example.org/none")
    assert "cairn framework list" in told


def test_a_framework_document_of_our_own_is_adopted_as_it_is(district: District, tmp_path: Path) -> None:
    own = {
        "uri": "https://example.org/own",
        "title": "Own",
        "version": "1",
        "competencies": [{"uri": "https://example.org/own/1", "name": "One", "statement": "Can do one."}],
    }
    path = tmp_path / "own.json"
    path.write_text(json.dumps(own))
    assert "adopted: 1 competencies" in ran(district, "adopt", str(path), "--scale", SCALE)
    assert "https://example.org/own  live " in ran(district, "list")


def test_a_document_of_our_own_with_flaws_is_refused_with_all_of_them(district: District, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"competencies": [{"uri": "no iri"}]}))
    result = run(district, "adopt", str(path))
    assert isinstance(result.exception, InvalidRequest)
    assert {"/title", "/uri", "/competencies/0/uri"} <= {one.pointer for one in result.exception.problems}


def test_2500_items_of_five_megabytes_are_adopted_in_under_two_seconds(district: District, tmp_path: Path) -> None:
    source = write(tmp_path, *(dated(number, notes="More words. " * 120) for number in range(10, 2510)))
    assert Path(source).stat().st_size > 5_000_000
    begin = time.process_time()
    assert "adopted: 2500 competencies" in ran(district, "adopt", source, "--scale", SCALE)
    assert time.process_time() - begin < 2


def test_a_draft_of_the_next_version_is_not_exported_in_the_place_of_the_live_one(
    district: District, tmp_path: Path
) -> None:
    ran(district, "adopt", write(tmp_path, dated(10)), "--scale", SCALE)
    ran(district, "adopt", write(tmp_path, dated(10, LATE), dated(11, LATE), changed=LATE), "--draft")
    (name, status, *_) = ran(district, "list").split()
    assert status == "draft"
    assert len(json.loads(ran(district, "export", name))["CFItems"]) == 1
