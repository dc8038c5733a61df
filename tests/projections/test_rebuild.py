"""Rebuilding beside the live build, what is refused there, and the way back."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import click.testing
import pytest
from sqlalchemy import Table, update

import projections.building.rebuilding
import wsgi
from lrs.store.engine import immediate
from projections.building.builds import builds
from projections.building.catalogue import NAMES
from projections.building.runtime import Differs, NothingRetired, Overtaken, Runtime
from projections.credit.tables import credit_decision
from projections.mastery.tables import decision
from tests.district import District
from tests.projections.scenes import (
    address_of,
    did,
    digests,
    first_acts,
    folded,
    live_ids,
    post,
    statuses,
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
    assert runtime(district, 1000).rebuild(district.log.log_id, NAMES).digests == before
    with district.desk.derived.connect() as connection:
        new = live_ids(connection, district)
    assert all(new[name] > old[name] for name in NAMES)
    assert digests(district) == before


def test_what_stands_on_a_rebuilt_projection_is_rebuilt_with_it(shared_district: District) -> None:
    district = begun(shared_district)
    assert list(runtime(district).rebuild(district.log.log_id, ["mastery"]).digests) == ["mastery", "credit", "audit"]
    assert list(runtime(district).rebuild(district.log.log_id, ["audit"]).digests) == ["audit"]


def test_the_log_goes_on_after_a_rebuild(shared_district: District) -> None:
    district = begun(shared_district)
    worker = runtime(district)
    worker.catch_up(district.log.log_id)
    runtime(district).rebuild(district.log.log_id, NAMES)
    post(district, [did("eve", "essay", 0.9, 5), did("eve", "exam", 0.9, 6)])
    worker.catch_up(district.log.log_id)
    assert statuses(district, "eve")["algebra"] == "proficient"
    runtime(district).verify(district.log.log_id)


def test_readers_never_see_an_empty_or_partial_map_while_builds_are_swapped(shared_district: District) -> None:
    district = begun(shared_district)
    reader = district.client("all/read")
    path = f"/api/v1/learners/{address_of('ada')}/mastery"
    whole = reader.get(path).get_json()["frameworks"]
    seen: list[Any] = []
    is_done = threading.Event()

    def poll() -> None:
        while not is_done.is_set():
            seen.append(reader.get(path).get_json())

    polling = [threading.Thread(target=poll) for _ in range(3)]
    for one in polling:
        one.start()
    for number in range(3):
        post(district, [did("eve", "essay", 0.5, number)])
        runtime(district, 3).rebuild(district.log.log_id, NAMES)
        runtime(district, 3).roll_back(district.log.log_id)
    is_done.set()
    for one in polling:
        one.join()
    assert len(seen) > 10
    assert all(one.get("frameworks") == whole for one in seen)


def test_statements_that_arrive_during_a_rebuild_are_in_it(
    shared_district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district = begun(shared_district)
    late = [did("eve", "essay", 0.9, 5), did("eve", "exam", 0.9, 6)]
    meanwhile(monkeypatch, lambda: post(district, late))
    found = runtime(district).rebuild(district.log.log_id, NAMES).digests
    assert statuses(district, "eve")["algebra"] == "proficient"
    assert found == digests(district)


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen once, between the comparison of the builds and the swap."""
    settled, done = projections.building.rebuilding._settled, list[bool]()

    def interrupted(*given: Any, **named: Any) -> Any:
        found = settled(*given, **named)
        if not done:
            done.append(True)
            happens()
        return found

    monkeypatch.setattr(projections.building.rebuilding, "_settled", interrupted)


def test_a_rebuild_ends_when_another_one_begins_afresh(
    shared_district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district = begun(shared_district)
    before = digests(district)
    meanwhile(monkeypatch, lambda: runtime(district).rebuild(district.log.log_id, NAMES, fresh=True))
    with pytest.raises(Overtaken):
        runtime(district).rebuild(district.log.log_id, NAMES)
    assert digests(district) == before
    assert states(district) == ["retired"] * len(NAMES) + ["live"] * len(NAMES)


def test_a_rebuild_ends_when_what_is_live_is_swapped_meanwhile(
    shared_district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district = begun(shared_district)
    runtime(district).rebuild(district.log.log_id, NAMES)
    before = digests(district)
    meanwhile(monkeypatch, lambda: runtime(district).rebuild(district.log.log_id, ["credit"], fresh=True))
    with pytest.raises(Overtaken):
        runtime(district).rebuild(district.log.log_id, ["audit"])
    assert digests(district) == before


def test_a_check_does_not_disturb_a_rebuild(shared_district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    district = begun(shared_district)
    before = digests(district)
    meanwhile(monkeypatch, lambda: runtime(district).verify(district.log.log_id))
    assert runtime(district).rebuild(district.log.log_id, NAMES).digests == before


def states(district: District) -> list[str]:
    """Return the states of all builds of the log, oldest first."""
    with district.desk.derived.connect() as connection:
        return [one.state for one in builds(connection, district.log.log_id)]


def test_a_check_leaves_nothing_behind(shared_district: District) -> None:
    district = begun(shared_district)
    assert runtime(district).verify(district.log.log_id) == digests(district)
    assert states(district) == ["live"] * len(NAMES)


# The way back


def test_a_rollback_goes_back_to_the_builds_before_brought_up_to_date(shared_district: District) -> None:
    district = begun(shared_district)
    tampered(district, credit_decision, "credit", leaves=b"[]")
    wrong = digests(district)
    right = runtime(district).rebuild(district.log.log_id, NAMES, accept=True)
    assert right.replaced == wrong
    post(district, [did("eve", "essay", 0.9, 5), did("eve", "exam", 0.9, 6)])
    back = runtime(district).roll_back(district.log.log_id)
    assert back.digests == digests(district)
    assert back.digests["credit"] != back.replaced["credit"]
    assert back.digests["mastery"] == back.replaced["mastery"]
    assert statuses(district, "eve")["algebra"] == "proficient"
    assert runtime(district).roll_back(district.log.log_id).digests == back.replaced
    assert runtime(district).verify(district.log.log_id) == back.replaced


def test_a_rollback_takes_back_as_many_projections_as_the_rebuild_made(shared_district: District) -> None:
    district = begun(shared_district)
    runtime(district).rebuild(district.log.log_id, ["credit"])
    assert list(runtime(district).roll_back(district.log.log_id).digests) == ["credit", "audit"]


def test_without_a_retired_build_there_is_no_way_back(shared_district: District) -> None:
    district = begun(shared_district)
    with pytest.raises(NothingRetired, match="until the next or a prune"):
        runtime(district).roll_back(district.log.log_id)


def test_the_retired_builds_are_kept_until_the_next_rebuild_or_a_prune(shared_district: District) -> None:
    district = begun(shared_district)
    for _ in range(2):
        runtime(district).rebuild(district.log.log_id, NAMES)
        assert states(district) == ["retired"] * len(NAMES) + ["live"] * len(NAMES)
    dropped = cairn(district, "prune", district.log.slug).output
    assert dropped.count("retired") == len(NAMES)
    assert states(district) == ["live"] * len(NAMES)


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
    assert runtime(district).rebuild(district.log.log_id, NAMES, accept=True).digests == before
    assert digests(district) == before


def test_the_commands_show_refuse_and_accept(shared_district: District) -> None:
    district = begun(shared_district)
    tampered(district, decision, "mastery", level="Beginning")
    slug = district.log.slug
    refused = cairn(district, "verify", slug, "--processes", "1")
    assert refused.exit_code == 1
    assert any(f"decision learner {address_of(who)}, competency" in refused.output for who in ("ada", "ben", "cleo"))
    assert cairn(district, "rebuild", slug, "--processes", "1").exit_code == 1
    swapped = cairn(district, "rebuild", slug, "--accept", "--processes", "1")
    assert swapped.exit_code == 0
    assert "(before: " in swapped.output
    assert re.search(r"folding paused for \d+ ms, reading never", swapped.output)
    accepted = cairn(district, "verify", slug, "--processes", "1")
    assert accepted.exit_code == 0
    assert digests(district)["mastery"] in accepted.output
    assert cairn(district, "rollback", slug, "--processes", "1").exit_code == 0
    assert cairn(district, "prune", slug).exit_code == 0
    nothing = cairn(district, "rollback", slug)
    assert nothing.exit_code == 1
    assert "no retired build is kept" in nothing.output
