"""Rebuilding beside the live build, what is refused there, and what could not be folded at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import click.testing
import pytest
from sqlalchemy import Table, update

import projections.evidence.fold
import projections.mastery.fold
import wsgi
from lrs.store.bulk import insert_rows
from lrs.store.engine import immediate
from projections.builds import builds, parked_in
from projections.catalogue import NAMES
from projections.credit.tables import credit_decision
from projections.evidence.resolve import resolve
from projections.mastery.tables import decision
from projections.mastery.timeline import decisions
from projections.runtime import Differs, Overtaken, Runtime
from tests.district import District
from tests.projections.scenes import (
    ALGEBRA,
    GEOMETRY,
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


def tampered(district: District, table: Table, name: str, **values: Any) -> None:
    """Change the rows of a live build behind the fold's back."""
    with immediate(district.desk.derived).begin() as connection:
        own = table.c.build_id == live_ids(connection, district)[name]
        connection.execute(update(table).where(own, *(table.c[one].is_not(None) for one in values)).values(values))


def cairn(district: District, *arguments: str) -> click.testing.Result:
    """Run the command line over the district's databases."""
    return click.testing.CliRunner().invoke(wsgi.cairn.commands["projections"], arguments, obj=district.desk)


# The swap


def test_a_rebuild_gives_the_live_digests_and_takes_the_live_builds_place(shared_district: District) -> None:
    district = begun(shared_district)
    before = digests(district)
    with district.desk.derived.connect() as connection:
        old = live_ids(connection, district)
    assert runtime(district, 1000).rebuild(district.log.log_id, NAMES) == before
    with district.desk.derived.connect() as connection:
        new = live_ids(connection, district)
    assert all(new[name] > old[name] for name in NAMES)
    assert digests(district) == before


def test_what_stands_on_a_rebuilt_projection_is_rebuilt_with_it(shared_district: District) -> None:
    district = begun(shared_district)
    assert list(runtime(district).rebuild(district.log.log_id, ["mastery"])) == ["mastery", "credit", "audit"]
    assert list(runtime(district).rebuild(district.log.log_id, ["audit"])) == ["audit"]


def test_the_log_goes_on_after_a_rebuild(shared_district: District) -> None:
    district = begun(shared_district)
    worker = runtime(district)
    worker.catch_up(district.log.log_id)
    runtime(district).rebuild(district.log.log_id, NAMES)
    post(district, [did("eve", "essay", 0.9, 5), did("eve", "exam", 0.9, 6)])
    worker.catch_up(district.log.log_id)
    assert statuses(district, "eve")["algebra"] == "proficient"
    runtime(district).verify(district.log.log_id)


def test_a_reader_never_sees_an_empty_or_partial_map_during_a_rebuild(shared_district: District) -> None:
    district = begun(shared_district)
    reader = district.client("all/read")
    path = f"/api/v1/learners/{address_of('ada')}/mastery"
    whole = reader.get(path).get_json()
    seen, is_done = [], threading.Event()

    def poll() -> None:
        while not is_done.is_set():
            seen.append(reader.get(path).get_json())

    polling = threading.Thread(target=poll)
    polling.start()
    for _ in range(3):
        runtime(district, 3).rebuild(district.log.log_id, NAMES)
    is_done.set()
    polling.join()
    assert len(seen) > 3
    assert all(one["frameworks"] == whole["frameworks"] for one in seen)


def test_statements_that_arrive_during_a_rebuild_are_in_it(
    shared_district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district = begun(shared_district)
    late = [did("eve", "essay", 0.9, 5), did("eve", "exam", 0.9, 6)]
    sums = Runtime._sums

    def arriving(self: Runtime, *given: Any, **named: Any) -> Any:
        post(district, late)
        return sums(self, *given, **named)

    monkeypatch.setattr(Runtime, "_sums", arriving)
    found = runtime(district).rebuild(district.log.log_id, NAMES)
    assert statuses(district, "eve")["algebra"] == "proficient"
    assert found == digests(district)


def test_a_rebuild_ends_when_another_one_begins(shared_district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    district = begun(shared_district)
    before = digests(district)
    other, sums = runtime(district), Runtime._sums

    def overtaken(self: Runtime, *given: Any, **named: Any) -> Any:
        if self is not other:
            other.verify(district.log.log_id)
        return sums(self, *given, **named)

    monkeypatch.setattr(Runtime, "_sums", overtaken)
    with pytest.raises(Overtaken):
        runtime(district).rebuild(district.log.log_id, NAMES)
    assert digests(district) == before


def test_a_check_leaves_nothing_behind(shared_district: District) -> None:
    district = begun(shared_district)
    assert runtime(district).verify(district.log.log_id) == digests(district)
    with district.desk.derived.connect() as connection:
        assert [one.state for one in builds(connection, district.log.log_id)] == ["live"] * len(NAMES)


# Rows that differ


@pytest.mark.parametrize("check", [Runtime.verify, lambda one, log_id: one.rebuild(log_id, NAMES)])
def test_rows_that_differ_are_refused_and_listed(
    shared_district: District, check: Callable[[Runtime, int], dict[str, str]]
) -> None:
    district = begun(shared_district)
    tampered(district, decision, "mastery", level="Beginning")
    before = digests(district)
    with pytest.raises(Differs) as error:
        check(runtime(district), district.log.log_id)
    assert error.value.projection == "mastery"
    found = error.value.differences
    assert 0 < len(found) <= 20
    assert {one.table for one in found} == {"decision"}
    assert {one.side for one in found} == {"other values in the rebuild"}
    learners = {address_of(who) for who in ("ada", "ben", "cleo", "dan")}
    assert {one.key.split(",")[0].removeprefix("learner ") for one in found} <= learners
    assert digests(district) == before


def test_rows_that_differ_are_swapped_when_that_is_accepted(shared_district: District) -> None:
    district = begun(shared_district)
    before = digests(district)
    tampered(district, credit_decision, "credit", leaves=b"[]")
    assert digests(district) != before
    assert runtime(district).rebuild(district.log.log_id, NAMES, accept=True) == before
    assert digests(district) == before


def test_the_commands_show_refuse_and_accept(shared_district: District) -> None:
    district = begun(shared_district)
    tampered(district, decision, "mastery", level="Beginning")
    slug = district.log.slug
    refused = cairn(district, "verify", slug)
    assert refused.exit_code == 1
    assert any(f"decision learner {address_of(who)}, competency" in refused.output for who in ("ada", "ben", "cleo"))
    assert cairn(district, "rebuild", slug).exit_code == 1
    assert cairn(district, "rebuild", slug, "--accept").exit_code == 0
    accepted = cairn(district, "verify", slug)
    assert accepted.exit_code == 0
    assert digests(district)["mastery"] in accepted.output


# What cannot be folded


def poisoned(monkeypatch: pytest.MonkeyPatch, poison: str) -> None:
    """Let the resolution of one statement fail."""

    def failing(statement: Mapping[str, Any], *rest: Any) -> Any:
        if statement["id"] == poison:
            raise ArithmeticError("poison")
        return resolve(statement, *rest)

    monkeypatch.setattr(projections.evidence.fold, "resolve", failing)


@pytest.mark.parametrize("batch", [1, 7, 100])
def test_a_statement_that_cannot_be_folded_is_parked_and_everything_else_goes_on(
    shared_district: District, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    poison = did("ada", "bridge", 0.8, 2)["id"]
    expected = digests(folded(shared_district, [*first_acts(), *WORK]))
    poisoned(monkeypatch, poison)
    district = folded(shared_district, [*first_acts(), *WORK], batch)
    with district.desk.derived.connect() as connection:
        parked = parked_in(connection, live_ids(connection, district).values())
    assert [(one.position, one.reason) for one in parked] == [(10, "ArithmeticError: poison")]
    assert statuses(district, "ada")["geometry"] == "insufficient_evidence"
    assert statuses(district, "ben")["geometry"] == "proficient"
    listed = cairn(district, "status").output
    assert f"parked: position 10, learner {address_of('ada')}: ArithmeticError: poison" in listed
    monkeypatch.undo()
    with pytest.raises(Differs):
        runtime(district).rebuild(district.log.log_id, NAMES)
    assert runtime(district).rebuild(district.log.log_id, NAMES, accept=True) == expected
    with district.desk.derived.connect() as connection:
        assert parked_in(connection, live_ids(connection, district).values()) == []


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
    with district.desk.derived.connect() as connection:
        parked = parked_in(connection, live_ids(connection, district).values())
    assert [one.position for one in parked] == [district.size() - 2]
    assert statuses(district, "ben")["algebra"] == "insufficient_evidence"
    assert waiting(district) == [("unaligned", lab["id"])]


@pytest.mark.parametrize("far", [1, 10**9])
def test_a_learner_who_cannot_be_decided_is_parked_and_the_others_go_on(
    shared_district: District, monkeypatch: pytest.MonkeyPatch, far: int
) -> None:
    poison, district = shown("cleo", GEOMETRY, "poison", 0.9, 9), begun(shared_district)
    before = statuses(district, "cleo")

    def failing(state: Any, changes: Any, *rest: Any) -> Any:
        if any(one.evidence.statement_id == poison["id"] for one in changes):
            raise ArithmeticError("poison")
        return decisions(state, changes, *rest)

    monkeypatch.setattr(projections.mastery.fold, "decisions", failing)
    monkeypatch.setattr("projections.run.FAR", far)
    more = [shown(who, GEOMETRY, "another", 0.2, 10) for who in ("ada", "cleo")]
    told(district, poison, framework("2", on=9), *more)
    with district.desk.derived.connect() as connection:
        parked = parked_in(connection, live_ids(connection, district).values())
    assert {one.learner for one in parked} == {key_of("cleo")}
    assert len(decided(district, "ada", "geometry")) == 3
    assert len(decided(district, "cleo", "geometry")) == 2
    assert before == {"algebra": "proficient", "geometry": "proficient", "ratios": "no_evidence"}


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
    with district.desk.derived.connect() as connection:
        parked = parked_in(connection, live_ids(connection, district).values())
    assert [(one.position, one.learner) for one in parked] == [(10, 0)]
    assert statuses(district, "ben")["algebra"] == "insufficient_evidence"


def _insert_unless_at(connection: Any, table: Table, rows: Any, position: int) -> None:
    if table.name == "quarantine" and any(row[2] == position for row in rows):
        raise ValueError("the database does not take this row")
    insert_rows(connection, table, rows)
