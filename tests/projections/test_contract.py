"""What every projection in the catalogue keeps, without being listed: how it is folded changes nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, func, select

import projections.building.folding
from lrs.settings import Settings
from projections.building.catalogue import NAMES, PROJECTIONS, Projection, with_downstream
from projections.building.digest import told_query
from projections.building.runtime import Runtime
from projections.building.units import ranges
from projections.run import Run
from tests.databases import migrate, new_database
from tests.district import District, open_district
from tests.projections.scenes import (
    ALGEBRA,
    ALIGNMENT_EXTENSION,
    GEOMETRY,
    RATIOS,
    Json,
    aligned,
    bare,
    did,
    digests,
    first_acts,
    fold_in_turns,
    folded,
    forget,
    framework,
    learner,
    live_ids,
    new_runtimes,
    normaliser,
    policy,
    post,
    rule,
    shown,
    void,
)

Digests = dict[str, str]

NEVER, ALWAYS = 10**9, 1


def story() -> list[Json]:
    """Return a log in which everything happens that can end, begin or move a row, often twice in a row."""
    early, late = did("ada", "essay", 0.9, 3), did("ada", "exam", 0.8, 1)
    lab = did("ben", "lab", 0.85, 4)
    scaled = did("cleo", "essay", 0, 5, result={"score": {"scaled": -0.5}}, context={"platform": "Moodle"})
    group = did("dan", "bridge", 0.9, 6, actor={"objectType": "Group", "member": [learner("dan"), learner("eve")]})
    doomed, first_void = did("ben", "bridge", 0.95, 2), void(did("ben", "bridge", 0.95, 2)["id"])
    named = did("dan", "poem", 0.8, 7, context={"extensions": {ALIGNMENT_EXTENSION: {"statements": [RATIOS]}}})
    extra_rule = rule(1, 20, "rule/extra", id="https://district.example.org/rules/extra", competencies=[GEOMETRY])
    lab_alignment, second = aligned("lab", ALGEBRA, on=8), policy(2, 30, {"competency_at_level": _secure(GEOMETRY)})
    return [
        did("ben", "quiz", 1, 0), scaled, lab, named, *first_acts(),
        early, late, group, first_void, doomed,
        did("ada", "bridge", 0.7, 8), did("ada", "bridge", 0.95, 9, revision=2),
        {**early, "id": "ffffffff-0000-4000-8000-000000000001"},
        lab_alignment, aligned("lab", GEOMETRY, on=9), void(lab["id"], 61),
        normaliser("Moodle", "-1"), framework("2", (ALGEBRA, GEOMETRY), 10), did("eve", "unknown", 1, 10),
        extra_rule, did("ada", "exam", 0.95, 11, revision=3), rule(2, 21, method={"name": "highest"}),
        shown("ben", RATIOS, "model", 0.8, 12), framework("3", (ALGEBRA, GEOMETRY, RATIOS), 13),
        shown("ben", RATIOS, "model-2", 0.9, 14), shown("cleo", ALGEBRA, "model", 0.9, 15),
        second, void(extra_rule["id"], 62), aligned("essay", on=16), did("cleo", "exam", 0.9, 17),
        void(second["id"], 63), aligned("essay", ALGEBRA, RATIOS, on=18), void(early["id"], 64),
        void(lab_alignment["id"], 65), shown("dan", ALGEBRA, "model", 0.3, 19),
    ]  # fmt: skip


def _secure(competency: str) -> Json:
    return {"competency": competency, "level": "Secure"}


@pytest.fixture(scope="module")
def log(shared_district: District) -> District:
    """A log with the story, in which nothing is folded yet."""
    one = bare(shared_district)
    post(one, story())
    return one


def fold_anew(log: District, runtimes: Iterator[Runtime], far: int = NEVER, sizes: tuple[int, ...] = ()) -> Digests:
    """Fold the log from its beginning, stopping at the sizes, and return every projection's digest."""
    forget(log)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("projections.run.FAR", far)
        for size in (*sizes, log.size()):
            fold_in_turns(log, runtimes, size)
    return digests(log)


def in_batches(log: District, batch: int) -> Iterator[Runtime]:
    """Return one worker that folds in batches of this size."""
    return cycle([Runtime(log.engine, log.desk.derived, batch)])


@pytest.fixture(scope="module")
def expected(log: District) -> Digests:
    """The digests of a fold position by position."""
    return fold_anew(log, in_batches(log, 1))


@pytest.mark.parametrize("table", [table for one in PROJECTIONS for table in one.tables], ids=str)
def test_every_table_of_a_projection_is_written_and_covered_by_the_digest(
    log: District, expected: Digests, table: Table
) -> None:
    fold_anew(log, in_batches(log, 100))
    name = next(one.name for one in PROJECTIONS if table in one.tables)
    with log.desk.derived.connect() as connection:
        build_id = live_ids(connection, log)[name]
        rows = connection.scalar(select(func.count()).select_from(table).where(table.c.build_id == build_id)) or 0
        assert sum(1 for _ in connection.execute(told_query(table, build_id))) == rows > 0


@pytest.mark.parametrize("batch", [2, 7, 100])
def test_the_size_of_a_batch_changes_nothing(log: District, expected: Digests, batch: int) -> None:
    assert fold_anew(log, in_batches(log, batch)) == expected


@pytest.mark.parametrize("batch", [1, 7])
def test_a_restart_after_each_batch_changes_nothing(log: District, expected: Digests, batch: int) -> None:
    assert fold_anew(log, new_runtimes(log, batch)) == expected


def test_two_workers_in_turns_change_nothing(log: District, expected: Digests) -> None:
    workers = [next(new_runtimes(log, batch)) for batch in (5, 3)]
    assert fold_anew(log, cycle(workers)) == expected


def test_reading_key_by_key_gives_the_rows_that_reading_by_position_gives(log: District, expected: Digests) -> None:
    assert fold_anew(log, in_batches(log, 4), far=ALWAYS) == expected


@pytest.mark.parametrize("step", [3, 11])
def test_reading_key_by_key_goes_on_where_a_position_was_reached(log: District, expected: Digests, step: int) -> None:
    sizes = tuple(range(step, log.size(), step))
    assert fold_anew(log, new_runtimes(log, 4), far=ALWAYS, sizes=sizes) == expected
    assert fold_anew(log, in_batches(log, 4), far=2 * step, sizes=sizes) == expected


def test_a_replay_into_a_new_build_gives_the_same_digests(log: District, expected: Digests) -> None:
    fold_anew(log, in_batches(log, 7))
    runtime = next(new_runtimes(log, 11))
    assert runtime.verify(log.log.log_id) == expected
    assert runtime.rebuild(log.log.log_id, NAMES).digests == expected
    assert digests(log) == expected


@pytest.mark.parametrize("projection", PROJECTIONS, ids=NAMES)
def test_a_batch_that_fails_once_loses_nothing(
    projection: Projection,
    log: District,
    expected: Digests,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failures: list[int] = []

    def failing(run: Run, after: int, through: int) -> None:
        projection.fold(run, after, through)
        if after >= log.size() // 2 and not failures:
            failures.append(through)
            raise ValueError("once")

    _replace(monkeypatch, projection._replace(fold=failing))
    assert fold_anew(log, in_batches(log, 5)) == expected
    assert failures


def _replace(monkeypatch: pytest.MonkeyPatch, projection: Projection) -> None:
    others = tuple(projection if one.name == projection.name else one for one in PROJECTIONS)
    monkeypatch.setattr(projections.building.folding, "PROJECTIONS", others)
    monkeypatch.setattr("tests.projections.scenes.PROJECTIONS", others)


@pytest.mark.parametrize("positions", [4, 1_000])
def test_a_rebuild_in_units_of_learners_of_any_size_gives_the_same_digests(
    log: District, expected: Digests, positions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold_anew(log, in_batches(log, 100))
    monkeypatch.setattr("projections.building.units.POSITIONS_A_UNIT", positions)
    for name in NAMES:
        rebuilt = next(new_runtimes(log, 11)).rebuild(log.log.log_id, [name])
        assert rebuilt.digests == {one: expected[one] for one in with_downstream([name])}


@pytest.mark.parametrize("projection", [one for one in PROJECTIONS if one.is_by_learner], ids=lambda one: one.name)
def test_the_rows_of_some_learners_are_those_of_everybody_kept_to_them(
    log: District, expected: Digests, projection: Projection
) -> None:
    fold_anew(log, in_batches(log, 100))
    size = log.size()
    with log.desk.derived.connect() as connection, log.engine.connect() as log_connection:
        ids = live_ids(connection, log)
        whole = _rows(connection, projection, ids[projection.name])
        upstream = {name: ids[name] for name in projection.upstream}
        found: list[tuple[Any, ...]] = []
        for number, learners in enumerate(ranges(5), 1):
            run = Run(connection, log_connection, log.log.log_id, -number, upstream, learners=learners)
            projection.fold(run, 0, size)
            own = _rows(connection, projection, -number)
            assert all(learners.first <= row[1] <= learners.last for row in own)
            found += own
        connection.rollback()
    assert sorted(found, key=repr) == sorted(whole, key=repr)


def _rows(connection: Connection, projection: Projection, build_id: int) -> list[tuple[Any, ...]]:
    return [
        (table.name, *row)
        for table in projection.tables
        for row in connection.execute(told_query(table, build_id).order_by(*table.primary_key))
    ]


@pytest.fixture(scope="module")
def orders(shared_district: District) -> list[District]:
    """The story in the order in which it happened, and in others."""
    found = [folded(shared_district, story())]
    for seed in range(3):
        one = story()
        random.Random(seed).shuffle(one)
        found.append(folded(shared_district, one, 100))
    return found


@pytest.mark.parametrize("projection", PROJECTIONS, ids=NAMES)
def test_what_holds_in_the_end_is_the_same_in_any_order_of_arrival(
    orders: list[District], projection: Projection
) -> None:
    first, *others = [_held(one, projection) for one in orders]
    assert first
    assert all(one == first for one in others)


def _held(district: District, projection: Projection) -> list[tuple[Any, ...]]:
    with district.desk.derived.connect() as connection:
        return sorted(projection.held(connection, live_ids(connection, district)), key=repr)


def test_both_databases_come_to_the_same_digests(postgresql: Any, tmp_path: Path) -> None:
    found = []
    with new_database(postgresql) as url:
        for number, settings in enumerate((Settings(), Settings(database_url=url))):
            own = _in(settings, tmp_path / str(number))
            migrate(own)
            with open_district(own) as opened:
                one = bare(opened)
                post(one, story())
                fold_in_turns(one, in_batches(one, 7))
                found.append(digests(one))
    assert found[0] == found[1]


def _in(settings: Settings, folder: Path) -> Settings:
    folder.mkdir()
    return Settings(data_dir=str(folder), database_url=settings.database_url)
