"""What cannot be folded is parked alone, the same live and in a rebuild, and is folded once it can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click.testing
import pytest
from sqlalchemy import Table

import projections.evidence.fold
import projections.evidence.pieces
import projections.mastery.fold
import wsgi
from lrs.store.bulk import insert_rows
from projections.building.builds import Parked, parked_in
from projections.building.catalogue import NAMES
from projections.building.runtime import Differs, Runtime
from projections.evidence.resolve import resolve
from projections.mastery.learner import decisions_of
from tests.district import District
from tests.projections.scenes import (
    ALGEBRA,
    GEOMETRY,
    Json,
    address_of,
    aligned,
    bare,
    decided,
    did,
    digests,
    first_acts,
    folded,
    framework,
    key_of,
    live_ids,
    policy,
    post,
    shown,
    statuses,
    told,
    waiting,
)

WORK = [
    did(who, task, share, on)
    for who in ("ada", "ben", "cleo", "dan")
    for task, share, on in (("essay", 0.9, 1), ("bridge", 0.8, 2), ("exam", 0.95, 3), ("quiz", 0.7, 4))
]


def begun(district: District) -> District:
    """Return a log with the work of four learners, folded."""
    return folded(district, [*first_acts(), *WORK])


def runtime(district: District, batch: int = 7) -> Runtime:
    """Return a runtime that knows nothing yet."""
    return Runtime(district.engine, district.desk.derived, batch)


def cairn(district: District, *arguments: str) -> click.testing.Result:
    """Run the command line over the district's databases."""
    return click.testing.CliRunner().invoke(wsgi.cairn.commands["projections"], arguments, obj=district.desk)


def parked(district: District) -> list[Parked]:
    """Return what the live builds have left out."""
    with district.desk.derived.connect() as connection:
        return parked_in(connection, live_ids(connection, district).values())


# Statements


def poisoned(monkeypatch: pytest.MonkeyPatch, poison: str) -> None:
    """Let the resolution of one statement fail."""

    def failing(statement: Mapping[str, Any], *rest: Any) -> Any:
        if statement["id"] == poison:
            raise ArithmeticError("poison")
        return resolve(statement, *rest)

    monkeypatch.setattr(projections.evidence.pieces, "resolve", failing)


@pytest.mark.parametrize("batch", [1, 7, 100])
def test_a_statement_that_cannot_be_folded_is_parked_and_everything_else_goes_on(
    shared_district: District, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    poison = did("ada", "bridge", 0.8, 2)["id"]
    expected = digests(folded(shared_district, [*first_acts(), *WORK]))
    poisoned(monkeypatch, poison)
    district = folded(shared_district, [*first_acts(), *WORK], batch)
    assert [(one.position, one.reason) for one in parked(district)] == [(10, "ArithmeticError: poison")]
    assert statuses(district, "ada")["geometry"] == "insufficient_evidence"
    assert statuses(district, "ben")["geometry"] == "proficient"
    listed = cairn(district, "status").output
    assert f"parked: position 10, learner {address_of('ada')}: ArithmeticError: poison" in listed
    monkeypatch.undo()
    with pytest.raises(Differs):
        runtime(district).rebuild(district.log.log_id, NAMES)
    assert runtime(district).rebuild(district.log.log_id, NAMES, accept=True).digests == expected
    assert parked(district) == []


def test_the_learner_of_a_parked_statement_is_flagged_stale(
    shared_district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned(monkeypatch, did("ada", "bridge", 0.8, 2)["id"])
    district = begun(shared_district)
    reader = district.client("all/read")
    flags = {
        who: reader.get(f"/api/v1/learners/{address_of(who)}/mastery").get_json()["learner"]["stale"]
        for who in ("ada", "ben")
    }
    assert flags == {"ada": True, "ben": False}


def test_an_act_that_touches_a_parked_statement_is_folded_all_the_same(
    shared_district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, other = did("ada", "lab", 0.9, 1), did("ben", "lab", 0.9, 1)
    poisoned(monkeypatch, lab["id"])
    district = folded(shared_district, [*first_acts(), lab, other])
    told(district, aligned("lab", ALGEBRA, on=5))
    assert statuses(district, "ben")["algebra"] == "insufficient_evidence"
    assert waiting(district) == []


def test_a_statement_that_fails_only_under_a_later_act_is_parked_and_not_the_act(
    shared_district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, other = did("ada", "lab", 0.9, 1), did("ben", "lab", 0.9, 1)
    district = folded(shared_district, [*first_acts(), lab, other])
    poisoned(monkeypatch, lab["id"])
    told(district, aligned("lab", ALGEBRA, on=5))
    assert [one.position for one in parked(district)] == [district.size() - 2]
    assert statuses(district, "ben")["algebra"] == "insufficient_evidence"
    assert waiting(district) == [("unaligned", lab["id"])]


@pytest.mark.parametrize("batch", [1, 7])
def test_a_statement_that_can_be_folded_by_now_is_taken_in_when_parked_ones_are_retried(
    shared_district: District, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    expected = digests(folded(shared_district, [*first_acts(), *WORK]))
    poisoned(monkeypatch, did("ada", "bridge", 0.8, 2)["id"])
    district = folded(shared_district, [*first_acts(), *WORK], batch)
    still = cairn(district, "retry", district.log.slug, "--processes", "1")
    assert still.exit_code == 1
    assert f"parked: position 10, learner {address_of('ada')}: ArithmeticError: poison" in still.output
    monkeypatch.undo()
    folded_now = cairn(district, "retry", district.log.slug, "--processes", "1")
    assert folded_now.exit_code == 0
    assert f"folded: position 10, learner {address_of('ada')}: ArithmeticError: poison" in folded_now.output
    assert digests(district) == expected


# Learners


POISON = shown("cleo", GEOMETRY, "poison", 0.9, 9)
LATER = [
    shown("ada", GEOMETRY, "another", 0.2, 10), shown("cleo", GEOMETRY, "another", 0.2, 10), framework("2", on=9),
    did("cleo", "essay", 0.1, 11, revision=4), did("dan", "exam", 0.1, 11, revision=4), policy(2, 30),
]  # fmt: skip


def poisoned_learner(monkeypatch: pytest.MonkeyPatch, poison: Json = POISON) -> None:
    """Let the decisions fail for whoever has this evidence."""

    def failing(changes: Mapping[int, Iterable[Any]], *rest: Any) -> Any:
        if any(one.evidence.statement_id == poison["id"] for own in changes.values() for one in own):
            raise ArithmeticError("poison")
        return decisions_of(changes, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(projections.mastery.fold, "decisions_of", failing)


def test_a_learner_who_cannot_be_decided_is_parked_and_the_others_go_on(
    shared_district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district = begun(shared_district)
    before = statuses(district, "cleo")
    poisoned_learner(monkeypatch)
    told(district, POISON, *LATER)
    assert parked(district) == [
        Parked(parked(district)[0].build_id, district.size() - len(LATER), key_of("cleo"), "ArithmeticError: poison")
    ]
    assert len(decided(district, "ada", "geometry")) == 3
    assert len(decided(district, "cleo", "geometry")) == 2
    assert (
        before
        == statuses(district, "cleo")
        == {"algebra": "proficient", "geometry": "proficient", "ratios": "no_evidence"}
    )


@pytest.mark.parametrize(("batch", "far"), [(1, 10**9), (7, 10**9), (100, 10**9), (4, 1)])
def test_who_cannot_be_decided_is_left_out_from_one_position_on_however_the_log_is_cut(
    shared_district: District, monkeypatch: pytest.MonkeyPatch, batch: int, far: int
) -> None:
    statements = [*first_acts(), *WORK[:6], POISON, *WORK[6:], *LATER]
    poisoned_learner(monkeypatch)
    expected = folded(shared_district, statements, 3)
    monkeypatch.setattr("projections.run.FAR", far)
    district = folded(shared_district, statements, batch)
    assert digests(district) == digests(expected)
    assert [one[1:] for one in parked(district)] == [(15, key_of("cleo"), "ArithmeticError: poison")]


@pytest.mark.parametrize("size", [3, 1_000])
def test_a_rebuild_leaves_out_the_same_as_the_live_build(
    shared_district: District, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("projections.building.units.POSITIONS_A_UNIT", size)
    poisoned_learner(monkeypatch)
    district = folded(shared_district, [*first_acts(), *WORK, POISON, *LATER])
    before = [one[1:] for one in parked(district)]
    expected = digests(district)
    assert runtime(district).verify(district.log.log_id) == expected
    assert runtime(district).rebuild(district.log.log_id, NAMES).digests == expected
    assert [one[1:] for one in parked(district)] == before
    assert digests(district) == expected


def test_a_learner_who_can_be_decided_by_now_is_taken_in_when_parked_ones_are_retried(
    shared_district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = [*first_acts(), *WORK, POISON, *LATER]
    expected = digests(folded(shared_district, statements))
    poisoned_learner(monkeypatch)
    district = folded(shared_district, statements)
    worker = runtime(district, 100)
    post(district, [did("ben", "quiz", 0.9, 12)])
    worker.catch_up(district.log.log_id)
    left_out = digests(district)
    assert [one.learner for one in worker.retry(district.log.log_id).parked] == [key_of("cleo")]
    assert digests(district) == left_out
    monkeypatch.undo()
    assert [one.learner for one in runtime(district).retry(district.log.log_id).folded] == [key_of("cleo")]
    runtime(district).verify(district.log.log_id)
    post(district, [did("cleo", "essay", 1, 13, revision=5)])
    worker.catch_up(district.log.log_id)
    everything = folded(
        shared_district, [*statements, did("ben", "quiz", 0.9, 12), did("cleo", "essay", 1, 13, revision=5)]
    )
    assert digests(district) == digests(everything)
    assert digests(district) != expected


# What no learner is to blame for


def test_a_batch_that_fails_for_no_statements_reason_is_narrowed_down(
    shared_district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = [did("ada", "essay", 0.9, 1), did("ben", "unknown", 1, 1), did("ben", "essay", 0.9, 2)]
    district = bare(shared_district)
    post(district, [*first_acts(), *work])
    monkeypatch.setattr(
        projections.evidence.fold,
        "insert_rows",
        lambda connection, table, rows: _insert_unless_at(connection, table, rows, position=10),
    )
    runtime(district, 100).catch_up(district.log.log_id)
    assert [(one.position, one.learner) for one in parked(district)] == [(10, 0)]
    assert statuses(district, "ben")["algebra"] == "insufficient_evidence"


def _insert_unless_at(connection: Any, table: Table, rows: Any, position: int) -> None:
    if table.name == "quarantine" and any(row[2] == position for row in rows):
        raise ValueError("the database does not take this row")
    insert_rows(connection, table, rows)


def test_a_unit_that_fails_for_no_learners_reason_is_folded_position_by_position(
    shared_district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district = begun(shared_district)
    expected = digests(district)
    monkeypatch.setattr("projections.building.filling.fold_unit", _failing)
    assert runtime(district).rebuild(district.log.log_id, NAMES).digests == expected


def _failing(*_: Any) -> bool:
    raise ValueError("for no learner's reason")
