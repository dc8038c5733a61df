"""The archive: what is written, what is refused, and that its replay is the database's own fold."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import re
import shutil
import subprocess
import sys
import uuid
from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from click.testing import Result as Answer
from sqlalchemy import func, select

import wsgi
from lrs.errors import InvalidRequest, NotFound
from lrs.settings import Settings
from lrs.store.engine import immediate
from lrs.xapi.decode import stored_statement
from projections.archive import local
from projections.archive.buckets import bucket_number, buckets_of, fitting_bits
from projections.archive.columns import Damaged, read_table, rows_digest
from projections.archive.export import export, extract_of
from projections.archive.manifest import Manifest, keep, manifest_of
from projections.archive.replay import Replayed, Result, finished, job_of, replay_bucket, together
from projections.archive.storage import Place, place_at, write
from projections.building.builds import Parked, park
from projections.evidence.tables import evidence
from projections.mastery.rules import INDEPENDENT_TASKS
from tests.databases import migrate, new_database
from tests.district import District, open_district
from tests.projections.archives import synthetic
from tests.projections.scenes import bare, did, digests, key_of, live_ids, post, void
from tests.projections.test_contract import story

ROOT = Path(__file__).parents[2]
QUESTIONS = re.findall(r"\n([^\n]+:)\n\n```sql\n(.*?)```", (ROOT / "docs" / "archive.md").read_text(), re.DOTALL)
CANDIDATE = json.dumps(
    {
        "id": "https://w3id.org/xapi/cairn/rules/two-independent-tasks",
        "version": 9,
        "title": "One is enough",
        "scale": {"id": "https://w3id.org/xapi/cairn/scales/beginning-developing-secure", "version": 1},
        "method": {"name": INDEPENDENT_TASKS, "n": 1},
        "kinds": ["performance_task", "portfolio", "local_summative", "state_summative", "formative"],
    }
)

ELSEWHERE = {
    **json.loads(CANDIDATE),
    "id": "https://x.example.org/rules/none",
    "competencies": ["https://x.example.org/none"],
}


@pytest.fixture(scope="module")
def log(shared_district: District) -> District:
    """A log in which everything happens, folded."""
    one = bare(shared_district)
    post(one, story())
    one.fold()
    return one


@pytest.fixture(scope="module")
def archive(log: District, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The log's archive."""
    place = place_at(str(tmp_path_factory.mktemp("archives") / "one"))
    archived(log, place)
    return place


def archived(log: District, place: Place, bits: int | None = None) -> Manifest:
    """Write a log's archive."""
    return export(log.engine, log.desk.derived, extract_of(log.desk.derived, log.log, bits), place)


def replayed(place: Place, target: Path, *rules: str) -> Replayed:
    """Replay an archive in this process."""
    job = job_of(place.url, str(target), rules)
    manifest = manifest_of(place)
    return together(manifest, local.run(job, range(len(manifest.evidence)), 1))


def test_a_replay_comes_to_the_digest_of_the_database(log: District, archive: Place, tmp_path: Path) -> None:
    found = replayed(archive, tmp_path)
    assert found.digest == digests(log)["mastery"] == manifest_of(archive).mastery
    assert found.agrees
    assert found.decisions > 0


@pytest.mark.parametrize("bits", [0, 1, 5])
def test_the_number_of_buckets_changes_nothing(log: District, bits: int, tmp_path: Path) -> None:
    place = place_at(str(tmp_path / "archive"))
    manifest = archived(log, place, bits)
    assert len(manifest.evidence) == len(manifest.statements) == 1 << bits
    assert replayed(place, tmp_path / "out").agrees


def test_both_databases_are_archived_to_the_same_rows(postgresql: Any, tmp_path: Path) -> None:
    found = []
    with new_database(postgresql) as url:
        for name, settings in (("sqlite", Settings()), ("postgresql", Settings(database_url=url))):
            own = replace(settings, data_dir=str(tmp_path / name))
            (tmp_path / name).mkdir()
            migrate(own)
            with open_district(own) as opened:
                one = bare(opened, "same")
                post(one, story())
                one.fold()
                found.append(archived(one, place_at(str(tmp_path / name / "archive")), 2))
    ours, theirs = found
    assert ours.evidence == theirs.evidence
    assert (ours.mastery, ours.acts, ours.learners, ours.competencies) == (
        theirs.mastery, theirs.acts, theirs.learners, theirs.competencies
    )  # fmt: skip


def test_all_rows_of_a_learner_are_in_one_file(archive: Place) -> None:
    manifest = manifest_of(archive)
    seen: dict[int, int] = {}
    for number, part in enumerate(manifest.evidence):
        for learner in read_table(archive, part)["learner"].to_pylist():
            assert bucket_number(learner, manifest.bits) == seen.setdefault(learner, number) == number
    assert len(seen) > 2


def test_buckets_hold_every_key_once() -> None:
    found = buckets_of(4)
    assert (found[0].first, found[-1].last) == (-(1 << 63), (1 << 63) - 1)
    assert all(one.last + 1 == after.first for one, after in pairwise(found))
    assert all(bucket_number(key, 4) == one.number for one in found for key in (one.first, one.last))


def test_more_rows_are_cut_into_more_buckets() -> None:
    assert fitting_bits(0, 0) == 3
    assert 2 ** fitting_bits(10_000_000, 0) >= 100
    assert fitting_bits(10**12, 0) == 16


def test_every_statement_is_archived_word_for_word(log: District, archive: Place) -> None:
    rows = [row for part in manifest_of(archive).statements for row in read_table(archive, part).to_pylist()]
    assert sorted(row["position"] for row in rows) == list(range(1, log.size() + 1))
    for row in rows:
        text = row["statement"].encode()
        assert hashlib.sha256(b"cairn/v1\0" + row["salt"] + text).digest() == row["commitment"]
        assert stored_statement(text)["id"] == row["statement_id"]


def test_a_voided_statement_names_the_position_that_voids_it(archive: Place) -> None:
    rows = [row for part in manifest_of(archive).statements for row in read_table(archive, part).to_pylist()]
    positions = {row["statement_id"]: row["position"] for row in rows}
    early, first_void = did("ada", "essay", 0.9, 3)["id"], void(did("ada", "essay", 0.9, 3)["id"], 64)["id"]
    assert next(row["voided_by"] for row in rows if row["statement_id"] == early) == positions[first_void]


def test_evidence_can_be_archived_without_the_statements(log: District, tmp_path: Path) -> None:
    extract = extract_of(log.desk.derived, log.log, with_statements=False)
    manifest = export(log.engine, log.desk.derived, extract, place_at(str(tmp_path / "archive")))
    assert manifest.statements == ()
    assert not (tmp_path / "archive" / "statements").exists()
    assert replayed(place_at(str(tmp_path / "archive")), tmp_path / "out").agrees


def test_what_the_database_left_out_the_replay_leaves_out(shared_district: District, tmp_path: Path) -> None:
    one = bare(shared_district)
    post(one, story())
    builds = one.runtime.ensure(one.log.log_id)
    learner, position = key_of("ada"), log_middle(one)
    with immediate(one.desk.derived).begin() as connection:
        park(connection, Parked(builds["mastery"].build_id, position, learner, "a test"))
    one.fold()
    place = place_at(str(tmp_path / "archive"))
    assert archived(one, place).left_out.learners == ((learner, position),)
    assert replayed(place, tmp_path / "out").agrees


def log_middle(log: District) -> int:
    """Return a position in the middle of a log."""
    return log.size() // 2


def test_an_archive_may_lie_wherever_fsspec_reaches(log: District) -> None:
    place = place_at(f"memory://{uuid.uuid4().hex}/archive")
    manifest = archived(log, place)
    job = job_of(place.url, None)
    assert together(manifest, local.run(job, range(len(manifest.evidence)), 1)).agrees
    assert job.target.startswith("memory://")


def test_an_archive_is_never_written_over(log: District, archive: Place) -> None:
    with pytest.raises(InvalidRequest, match="holds an archive already"):
        archived(log, archive)


def test_a_folder_with_other_files_is_refused(log: District, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidRequest, match="is not empty"):
        archived(log, place_at(str(tmp_path)))


def test_an_export_that_was_broken_off_begins_anew(
    log: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_at(str(tmp_path / "archive"))

    def broken(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("projections.archive.export.mastery_digest", broken)
        with pytest.raises(OSError, match="full"):
            archived(log, place)
    with pytest.raises(InvalidRequest, match="finished archive"):
        manifest_of(place)
    assert archived(log, place) == manifest_of(place)
    assert "unfinished" not in place.names("")


def test_a_log_of_which_nothing_is_folded_is_not_archived(shared_district: District) -> None:
    with pytest.raises(NotFound, match="cairn work"):
        extract_of(shared_district.desk.derived, bare(shared_district).log)


def test_a_changed_file_is_noticed(archive: Place, tmp_path: Path) -> None:
    shutil.copytree(archive.root, tmp_path / "copy")
    place = place_at(str(tmp_path / "copy"))
    part = max(manifest_of(place).evidence, key=lambda one: one.rows)
    path = tmp_path / "copy" / part.path
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(Damaged, match="fetch the file again"):
        replayed(place, tmp_path / "out")


def test_rows_keep_their_digest_when_they_are_packed_anew(archive: Place, tmp_path: Path) -> None:
    for part in manifest_of(archive).parts():
        table = read_table(archive, part)
        pq.write_table(table, tmp_path / "again.parquet", compression="none", row_group_size=2)
        assert rows_digest(pq.read_table(tmp_path / "again.parquet")) == part.rows_sha256
        assert table.num_rows == part.rows


def test_an_archive_of_another_format_is_refused(archive: Place, tmp_path: Path) -> None:
    write(place_at(str(tmp_path)), "manifest.json", b'{"format": "cairn-archive/0"}')
    with pytest.raises(InvalidRequest, match="reads cairn-archive/1"):
        manifest_of(place_at(str(tmp_path)))


def test_a_lost_process_loses_no_bucket(tmp_path: Path) -> None:
    url = str(tmp_path / "archive")
    manifest = synthetic(url, 64, 5)
    job = job_of(url, None)
    found: list[Result] = []
    for result in local.run(job, range(32), 2):
        if not found:
            multiprocessing.active_children()[0].kill()
        found.append(result)
    assert sorted(one.bucket for one in found) == list(range(32))
    assert together(manifest, found) == together(manifest, map(partial(replay_bucket, job), range(32)))


def test_a_replay_goes_on_where_it_was_broken_off(archive: Place, tmp_path: Path) -> None:
    manifest = manifest_of(archive)
    job = job_of(archive.url, str(tmp_path))
    first = [replay_bucket(job, number) for number in (0, 3)]
    assert finished(job) == first
    left = sorted(set(range(len(manifest.evidence))) - {0, 3})
    assert together(manifest, [*finished(job), *local.run(job, left, 1)]).agrees


def test_results_of_another_question_are_not_taken(archive: Place, tmp_path: Path) -> None:
    replay_bucket(job_of(archive.url, str(tmp_path)), 0)
    assert finished(job_of(archive.url, str(tmp_path), [CANDIDATE])) == []


def test_a_candidate_is_counted_for_every_learner_and_competency(archive: Place, tmp_path: Path) -> None:
    found = replayed(archive, tmp_path, CANDIDATE)
    assert found.agrees
    rows = [row for one in (tmp_path / "differences").iterdir() for row in pq.read_table(one).to_pylist()]
    told = Counter(row["change"] for row in rows)
    assert told["gained"] > 0
    for change in ("gained", "lost", "changed_level"):
        assert sum(own[change] for own in found.counts.values()) == told[change]
    decided = pq.read_table(tmp_path / "decisions", columns=["learner", "competency"]).to_pylist()
    counted = sum(sum(own.values()) for own in found.counts.values())
    assert counted == len({(row["learner"], row["competency"]) for row in decided})


def test_a_candidate_that_changes_nothing_says_so(archive: Place, tmp_path: Path) -> None:
    found = replayed(archive, tmp_path, json.dumps(ELSEWHERE))
    assert {change for own in found.counts.values() for change, count in own.items() if count} == {"unchanged"}


@pytest.mark.parametrize(("text", "words"), [("{", "not JSON"), ('{"method": 1}', "sound rule"), ("{}", "decides")])
def test_a_candidate_that_is_no_rule_is_refused(archive: Place, text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=words):
        replayed(archive, tmp_path, text)


def test_only_a_rule_can_be_a_candidate(archive: Place, tmp_path: Path) -> None:
    normaliser = {"id": "https://x.example.org/n", "version": 1, "title": "N", "match": {"platform": "P"}}
    text = json.dumps({**normaliser, "scaled": {"minimum": "0", "maximum": "1"}})
    with pytest.raises(InvalidRequest, match="replayed with rules"):
        replayed(archive, tmp_path, text)


@pytest.mark.parametrize(("asked", "query"), QUESTIONS, ids=[asked for asked, _ in QUESTIONS])
def test_a_question_of_the_documentation_is_answered(
    asked: str, query: str, archive: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(archive.url, None)
    if not finished(job):
        list(local.run(job, range(len(manifest_of(archive).evidence)), 1))
    monkeypatch.chdir(archive.root)
    assert answered(query) != []


def answered(query: str) -> list[Any]:
    """Return what DuckDB finds."""
    relation = duckdb.sql(query)
    assert relation is not None
    return list(relation.fetchall())


def test_sql_finds_the_evidence_that_the_database_holds(
    log: District, archive: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(archive.root)
    query = next(query for asked, query in QUESTIONS if asked.startswith("What holds now"))
    with log.desk.derived.connect() as connection:
        own = evidence.c.build_id == live_ids(connection, log)["evidence"]
        held = connection.scalar(select(func.sum(evidence.c.change)).where(own))
    assert len(answered(query)) == held


def test_the_commands_archive_and_replay(log: District, tmp_path: Path) -> None:
    target, rule = str(tmp_path / "archive"), tmp_path / "candidate.json"
    rule.write_text(CANDIDATE)
    assert f"position {log.size()}" in told(log, "export", "parquet", log.log.slug, "-o", target)
    assert "as the database's own" in told(log, "replay", target, "--processes", "1")
    answer = told(log, "replay", target, "--processes", "1", "--rule", str(rule))
    assert re.search(r"algebra: [1-9]\d* gained", answer)
    again = told(log, "replay", target, "--processes", "1", "--resume")
    assert "\n0 row(s)" in f"\n{again.lstrip()}"


def test_a_replay_that_differs_ends_with_1(log: District, tmp_path: Path) -> None:
    place = place_at(str(tmp_path / "archive"))
    keep(place, replace(archived(log, place), mastery="0" * 64))
    answer = invoked(log, "replay", place.url, "--processes", "1")
    assert answer.exit_code == 1
    assert "differ" in answer.output


def test_the_other_form_of_export_stays(log: District, tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson"
    told(log, "export", log.log.slug, "-o", str(path))
    assert len(path.read_bytes().splitlines()) > 20


def told(log: District, *words: str) -> str:
    """Run a command that goes well and return what it told."""
    answer = invoked(log, *words)
    assert answer.exit_code == 0, answer.output
    return answer.output


def invoked(log: District, *words: str) -> Answer:
    """Run a command over the log's databases."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wsgi, "desk_of", lambda _: log.desk)
        return CliRunner().invoke(wsgi.cairn, list(words))


def test_a_web_process_loads_nothing_that_reads_columns(tmp_path: Path) -> None:
    code = (
        "import sys, wsgi; from lrs.settings import Settings; "
        f"wsgi.build_app(Settings(data_dir={str(tmp_path)!r})); wsgi.command_line(); "
        "print(sorted({'pyarrow', 'fsspec', 'pandas', 'numpy', 'pyspark', 'duckdb'} & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"
