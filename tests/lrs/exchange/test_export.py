"""`cairn export`: whole statements in the log's order, as lines or as a table."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import msgspec
import pytest

from lrs.exchange import selection
from lrs.store.log import erase_body
from tests.district import District, ids, statement
from tests.lrs.exchange.receiver import lines, posted, ran, run

VOIDED = "http://adlnet.gov/expapi/verbs/voided"


def exported(district: District, *options: str) -> list[dict[str, object]]:
    """Return the statements that an export writes to standard output."""
    return lines(ran(district, "export", district.log.slug, *options))


def table(district: District, *options: str) -> list[list[str]]:
    """Return the rows of an export as CSV."""
    text = ran(district, "export", district.log.slug, "--format", "csv", *options)
    return list(csv.reader(io.StringIO(text)))


def test_an_export_is_what_get_answers_statement_by_statement(district: District) -> None:
    posted(district, 3, timestamp="2026-03-01T08:00:00+01:00")
    posted(district, 2, context={"contextActivities": {"parent": {"id": "https://tool.example.org/course"}}})
    assert exported(district) == district.someone.found(ascending="true")


def test_a_statement_over_several_lines_goes_on_one(district: District) -> None:
    pretty = msgspec.json.format(msgspec.json.encode(statement()), indent=2)
    district.someone.post(pretty)
    assert exported(district) == district.someone.found(ascending="true")


def test_the_pieces_of_a_large_log_join_without_a_gap(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = ids(posted(district, 25)) + ids(posted(district, 1, verb="rare"))
    monkeypatch.setattr(selection, "SPAN", 4)
    assert ids(exported(district))[-26:] == sent
    assert ids(exported(district, "--verb", "http://adlnet.gov/expapi/verbs/rare")) == sent[-1:]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("verb", "http://adlnet.gov/expapi/verbs/passed"),
        ("activity", "https://tool.example.org/this"),
        ("agent", '{"account":{"homePage":"https://sis.example.org","name":"ada"}}'),
    ],
)
def test_a_filter_selects_what_get_finds(district: District, option: str, value: str) -> None:
    district.someone.post([statement("ada"), statement(verb="passed"), statement(about="this"), statement()])
    found = exported(district, f"--{option}", value)
    assert len(found) == 1
    assert found == district.someone.found(**{option: value})


def test_since_is_exclusive_and_until_inclusive(district: District) -> None:
    posted(district, 4)
    stored = [str(one["stored"]) for one in exported(district)]
    assert [one["stored"] for one in exported(district, "--since", stored[1], "--until", stored[3])] == stored[2:4]


def test_voided_statements_are_left_out_unless_asked_for(district: District) -> None:
    gone, kept = posted(district, 2)
    void = statement(verb="voided", object={"objectType": "StatementRef", "id": gone["id"]})
    district.someone.post(void)
    assert set(ids(exported(district))) & {gone["id"], kept["id"], void["id"]} == {kept["id"], void["id"]}
    assert gone["id"] in ids(exported(district, "--voided"))


def test_an_erased_statement_has_nothing_to_export(district: District) -> None:
    sent = posted(district, 2)
    with district.engine.begin() as connection:
        erase_body(connection, district.log.log_id, district.size())
    assert ids(exported(district))[-1] == sent[0]["id"]


def test_columns_are_paths_and_position_is_one(district: District) -> None:
    more = {"score": {"scaled": -0.5}, "response": "=cmd", "extensions": {"https://e.org/x.y": "a,b"}}
    sent = statement("ada", result=more)
    district.someone.post(sent)
    columns = ["position,id,result.score.scaled", "result.response", "/result/extensions/https:~1~1e.org~1x.y", "verb"]
    options = [part for one in columns for part in ("--columns", one)]
    header, *_, last = table(district, *options)
    assert header == [part for one in columns for part in one.split(",")]
    assert last[:5] == [str(district.size()), sent["id"], "-0.5", "'=cmd", "a,b"]
    assert msgspec.json.decode(last[5]) == sent["verb"]


def test_a_table_without_columns_has_the_usual_ones(district: District) -> None:
    sent = statement("ada", result={"success": True})
    district.someone.post(sent)
    header, *_, last = table(district)
    row = dict(zip(header, last, strict=True))
    assert (row["id"], row["actor.account.name"], row["result.success"]) == (sent["id"], "ada", "true")


def test_a_file_named_gz_is_zipped_and_appears_whole(district: District, tmp_path: Path) -> None:
    posted(district, 2)
    path = tmp_path / "log.ndjson.gz"
    ran(district, "export", district.log.slug, "-o", str(path))
    assert lines(gzip.decompress(path.read_bytes())) == exported(district)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "options", [("--columns", "id"), ("--format", "xml"), ("--since", "yesterday"), ("--verb", "no iri")]
)
def test_what_cannot_be_exported_is_refused_in_words(district: District, options: tuple[str, ...]) -> None:
    assert run(district, "export", district.log.slug, *options).exit_code != 0
