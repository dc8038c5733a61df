"""A rebuild in units: shared among processes, killed and resumed, and told how long it will take."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

import projections.building.filling
from lrs.store.engine import is_postgresql
from projections.building.builds import Build, builds
from projections.building.catalogue import NAMES
from projections.building.crew import Crew
from projections.building.folding import Folding
from projections.building.runtime import Runtime
from projections.building.units import Filled, filled, fold_unit, ranges, units_of
from projections.building.upkeep import told_progress
from projections.run import EVERYBODY
from tests.district import District
from tests.projections.scenes import did, digests, first_acts, folded, live_ids, post, statuses

ROOT = Path(__file__).parents[2]
LEARNERS = [f"learner {number}" for number in range(24)]
WORK = [did(who, task, 0.9, on) for who in LEARNERS for task, on in (("essay", 1), ("exam", 2))]


@pytest.fixture(autouse=True)
def _small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.building.units.POSITIONS_A_UNIT", 6)


def runtime(district: District, processes: int = 1) -> Runtime:
    """Return a runtime that knows nothing yet."""
    return Runtime(district.engine, district.desk.derived, 100, processes=processes)


def begun(district: District) -> District:
    """Return a log with the work of many learners, folded."""
    return folded(district, [*first_acts(), *WORK])


def unfinished(district: District) -> dict[str, Build]:
    """Return the builds of a rebuild that was not finished."""
    with district.desk.derived.connect() as connection:
        found = builds(connection, district.log.log_id)
    return {one.projection: one for one in found if one.state == "building"}


def test_the_ranges_of_the_units_hold_every_key_once() -> None:
    for count in (1, 2, 3, 7, 4096):
        found = ranges(count)
        assert len(found) == count
        assert (found[0].first, found[-1].last) == EVERYBODY
        assert all(one.last + 1 == after.first for one, after in pairwise(found))


def test_a_rebuild_shared_by_processes_gives_the_live_digests(shared_district: District) -> None:
    district = begun(shared_district)
    before = digests(district)
    told: list[tuple[str, int, int]] = []
    found = runtime(district, 2).rebuild(district.log.log_id, NAMES, lambda *one: told.append(one))
    assert found.digests == before == digests(district)
    units = [total for name, _, total in told if name == "mastery"]
    assert units[0] == district.size() // 6 + 1
    assert told[-1][0] == "comparing"


def test_what_is_killed_goes_on_where_it_stopped(shared_district: District) -> None:
    district = begun(shared_district)
    before = digests(district)
    _rebuild_until_killed(district, units=4)
    stopped = unfinished(district)
    with district.desk.derived.connect() as connection:
        finished = [one.finished for one in units_of(connection, stopped["mastery"].build_id)]
    assert stopped["evidence"].position == district.size()
    assert sum(one is not None for one in finished) == 4
    assert digests(district) == before
    post(district, [did("eve", "essay", 0.9, 5), did("eve", "exam", 0.9, 6)])
    folded_now: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projections.building.filling, "fold_unit", _noting(folded_now))
        found = runtime(district).rebuild(district.log.log_id, NAMES).digests
    assert found == digests(district)
    assert folded_now[: len(finished) - 4] == [place for place, one in enumerate(finished) if one is None]
    assert statuses(district, "eve")["algebra"] == "proficient"
    with district.desk.derived.connect() as connection:
        assert live_ids(connection, district) == {name: one.build_id for name, one in stopped.items()}


def _noting(numbers: list[int]) -> Callable[..., bool]:
    def noted(folding: Folding, projection: str, build_id: int, upstream: Any, number: int) -> bool:
        numbers.append(number)
        return fold_unit(folding, projection, build_id, upstream, number)

    return noted


KILLED = """
import os, signal, sys
import projections.building.filling, projections.building.units
from lrs.store.engine import open_engine
from projections.building.catalogue import NAMES
from projections.building.runtime import Runtime

log_url, url, log_id, left = sys.argv[1], sys.argv[2], int(sys.argv[3]), [int(sys.argv[4])]
projections.building.units.POSITIONS_A_UNIT = 6
fold_unit = projections.building.filling.fold_unit

def folded(*given):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return fold_unit(*given)

projections.building.filling.fold_unit = folded
Runtime(open_engine(log_url), open_engine(url), 100).rebuild(log_id, NAMES)
"""


def _rebuild_until_killed(district: District, units: int) -> None:
    """Rebuild in a process that kills itself when it has folded so many units."""
    urls = [one.url.render_as_string(hide_password=False) for one in (district.engine, district.desk.derived)]
    command = [sys.executable, "-c", KILLED, *urls, str(district.log.log_id), str(units)]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def test_a_rebuild_begins_afresh_when_that_is_asked_for_or_others_are_named(shared_district: District) -> None:
    district = begun(shared_district)
    _rebuild_until_killed(district, units=1)
    stopped = unfinished(district)
    runtime(district).rebuild(district.log.log_id, ["credit"])
    assert unfinished(district) == {}
    _rebuild_until_killed(district, units=1)
    again = unfinished(district)
    assert again["mastery"].build_id > stopped["mastery"].build_id
    runtime(district).rebuild(district.log.log_id, NAMES, fresh=True)
    with district.desk.derived.connect() as connection:
        assert live_ids(connection, district)["mastery"] > again["mastery"].build_id


# How far it is


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Filled(0, 40, None), ", 0 of 40 (0 %)"),
        (Filled(10, 40, 3661.2), ", 10 of 40 (25 %), 1:01:01 left"),
        (Filled(0, 0, None), ", 0 of 0 (0 %)"),
    ],
)
def test_the_progress_of_a_build_is_told_in_words(found: Filled, told: str) -> None:
    assert told_progress(found) == told


def test_the_time_left_follows_from_the_pace_since_somebody_went_on(shared_district: District) -> None:
    one = Build(-1, 1, "evidence", "building", position=600, since=5_000_000, since_position=100)
    with shared_district.desk.derived.connect() as connection:
        assert filled(connection, one, 1_600, now=15_000_000) == Filled(600, 1_600, 20.0)
        assert filled(connection, one._replace(position=100), 1_600, now=15_000_000).seconds_left is None


def test_the_units_of_an_unfinished_build_say_how_far_it_is(shared_district: District) -> None:
    district = begun(shared_district)
    _rebuild_until_killed(district, units=3)
    one = unfinished(district)["mastery"]
    with district.desk.derived.connect() as connection:
        found = filled(connection, one, district.size(), now=0)
    assert (found.done, found.total) == (3, district.size() // 6 + 1)
    assert found.seconds_left is not None
    assert found.seconds_left > 0


# The crew


def double(_folding: Folding, number: int, folder: str) -> int:
    """Return twice a number; the first process that is given 3 is killed."""
    mark = Path(folder) / "killed"
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def killed(_folding: Folding, *_: Any) -> None:
    """Kill the process that works."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_work_of_a_process_that_is_lost_is_done_again(postgresql: Engine, tmp_path: Path) -> None:
    with Crew(Folding(postgresql, postgresql, 1), 2) as crew:
        found = sorted(crew.each(double, [(number, str(tmp_path)) for number in range(8)]))
    assert found == [2 * number for number in range(8)]
    assert (tmp_path / "killed").exists()


def test_a_crew_that_is_lost_again_and_again_gives_up(postgresql: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.building.crew.MOST_LOSSES", 1)
    with Crew(Folding(postgresql, postgresql, 1), 2) as crew, pytest.raises(BrokenProcessPool):
        list(crew.each(killed, [(1,)]))


def test_on_sqlite_a_crew_is_the_process_itself(shared_district: District) -> None:
    folding = runtime(shared_district)
    with Crew(folding, 4) as crew:
        if not is_postgresql(folding.engine):
            assert list(crew.each(lambda _, number: (number, os.getpid()), [(1,)])) == [(1, os.getpid())]
        assert (crew.processes == 1) is not is_postgresql(folding.engine)
