"""Windows and expiry go by the evidence's own time when they are stored, and by the view's time when they are read."""

from __future__ import annotations

import pytest

from tests.district import District
from tests.projections.scenes import (
    Json,
    decided,
    did,
    first_acts,
    folded,
    outcome,
    rule,
    standings,
)

RECENT = {"method": {"name": "highest"}, "window_days": 30}
EXPIRING = {"method": {"name": "highest"}, "expires_after_days": 20}


def begun(district: District, terms: Json, *statements: Json) -> District:
    """Return a log under a rule with a window or an expiry, folded; its work lies before the moment of storing."""
    return folded(district, [*first_acts(), rule(2, -5, **terms), *statements])


@pytest.mark.parametrize("terms", [RECENT, EXPIRING])
def test_what_is_stored_goes_by_the_newest_evidence(shared_district: District, terms: Json) -> None:
    district = begun(shared_district, terms, did("ada", "essay", 0.9, 1))
    record = decided(district, "ada", "algebra")[-1]
    assert (record["status"], record["verified"]) == ("proficient", True)
    assert record["lapses"] is not None


@pytest.mark.parametrize("terms", [RECENT, EXPIRING])
def test_a_reader_is_told_that_time_alone_changed_it(shared_district: District, terms: Json) -> None:
    district = begun(shared_district, terms, did("ada", "essay", 0.9, -200))
    record, one = decided(district, "ada", "algebra")[-1], standings(district, "ada")["algebra"]
    assert record["status"] == "proficient"
    assert (record["now"]["lapsed"], one["lapsed"]) == (True, True)
    assert one["status"] == record["now"]["status"] == "insufficient_evidence"
    assert one["decided"]["status"] == "proficient"


def test_newer_evidence_pushes_older_out_of_the_window(shared_district: District) -> None:
    district = begun(shared_district, RECENT, did("ada", "essay", 0.9, 1), did("ada", "exam", 0.3, 40))
    record = decided(district, "ada", "algebra")[-1]
    assert record["status"] == "not_yet"
    assert [one["reason"] for one in record["excluded"]] == ["outside_window"]


def test_a_window_ends_in_the_same_outcome_in_any_order_of_arrival(shared_district: District) -> None:
    work = [did("ada", "essay", 0.9, 1), did("ada", "exam", 0.3, 40), did("ada", "bridge", 0.8, 20)]
    found = {outcome(begun(shared_district, RECENT, *one)) for one in (work, work[::-1], [work[1], work[0], work[2]])}
    assert len(found) == 1


def test_a_rule_takes_hold_with_the_evidence_of_its_first_day(shared_district: District) -> None:
    """A version holds for a competency once its evidence reaches the day from which the version is effective."""
    strict = rule(2, 0, method={"name": "independent_tasks", "n": 3}, effective_from="2026-09-11")
    district = folded(shared_district, [*first_acts(), strict, did("ada", "essay", 0.9, 1), did("ada", "exam", 0.9, 2)])
    before = decided(district, "ada", "algebra")[-1]
    assert (before["rule"]["version"], before["status"]) == (1, "proficient")
    assert before["lapses"] == "2026-09-11T00:00:00.000000Z"
    later = folded(
        shared_district,
        [
            *first_acts(),
            strict,
            *(did("ada", task, 0.9, on) for task, on in (("essay", 1), ("exam", 2), ("bridge", 30))),
        ],
    )
    assert decided(later, "ada", "algebra")[-1]["rule"]["version"] == 2


def test_a_new_version_shows_at_reading_from_its_first_day_on(shared_district: District) -> None:
    strict = rule(2, 0, method={"name": "independent_tasks", "n": 3}, effective_from="2026-09-11")
    district = folded(shared_district, [*first_acts(), strict, did("ada", "essay", 0.9, 1), did("ada", "exam", 0.9, 2)])
    one = standings(district, "ada")["algebra"]
    assert (one["status"], one["lapsed"]) == ("insufficient_evidence", True)
