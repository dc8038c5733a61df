"""What is asked of the past: by position or by time, of a learner or a decision, and by which index it is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Select, select, text

from lrs.store.engine import is_postgresql
from lrs.store.search import at
from lrs.xapi.values import iso
from projections.evidence.tables import evidence
from projections.mastery.tables import decision
from tests.district import District
from tests.projections.scenes import (
    address_of,
    did,
    first_acts,
    folded,
    key_of,
    live_ids,
    standings,
    statuses,
    told,
    void,
)

WORK = [did("ada", "essay", 0.9, 1), did("ada", "exam", 0.9, 2), did("ben", "essay", 0.9, 3)]
BEGUN = len(first_acts())


@pytest.fixture(scope="module")
def log(shared_district: District) -> District:
    """A log in which a learner becomes proficient, and then a statement is taken back."""
    one = folded(shared_district, [*first_acts(), *WORK])
    told(one, void(WORK[1]["id"]))
    return one


def ask(log: District, path: str, as_of: object) -> Any:
    """Return the answer to a question as of a position or a time."""
    return log.client("all/read").get(path, {"as_of": str(as_of)})


def stored(log: District, position: int) -> str:
    """Return the time at which the statement at a position was stored."""
    with log.engine.connect() as connection:
        return iso(at(connection, log.log.log_id, [position])[0].stored)


@pytest.mark.parametrize(
    ("position", "algebra"),
    [(BEGUN + 1, "insufficient_evidence"), (BEGUN + 2, "proficient"), (BEGUN + 4, "insufficient_evidence")],
)
def test_a_learner_is_told_as_at_a_position(log: District, position: int, algebra: str) -> None:
    assert statuses(log, "ada", position)["algebra"] == algebra


def test_a_stored_time_stands_for_the_last_position_stored_by_then(log: District) -> None:
    path = f"/api/v1/learners/{address_of('ada')}/mastery"
    last = ask(log, path, BEGUN + 3).get_json()
    by_time = ask(log, path, stored(log, BEGUN + 3)).get_json()
    assert by_time["as_of"]["position"] == BEGUN + 3
    assert by_time["frameworks"] == last["frameworks"]
    before = datetime.fromisoformat(stored(log, 1)) - timedelta(microseconds=1)
    assert ask(log, path, before.astimezone(UTC).isoformat()).status_code == 404


def test_a_position_behind_the_newest_is_the_newest(log: District) -> None:
    path = f"/api/v1/learners/{address_of('ada')}/mastery"
    assert ask(log, path, 10**6).get_json()["as_of"]["position"] == BEGUN + 4


def test_a_learner_who_came_later_is_not_known_yet(log: District) -> None:
    path = f"/api/v1/learners/{address_of('ben')}/mastery"
    assert ask(log, path, BEGUN + 2).status_code == 404
    assert ask(log, path, BEGUN + 3).status_code == 200


def test_a_decision_is_found_from_its_position_on_and_in_force_until_the_next(log: District) -> None:
    name = standings(log, "ada", BEGUN + 2)["algebra"]["decision"]
    path = f"/api/v1/decisions/{name}"
    assert ask(log, path, BEGUN + 1).status_code == 404
    held, ended = ask(log, path, BEGUN + 3).get_json(), ask(log, path, BEGUN + 4).get_json()
    assert held["status"] == ended["status"] == "proficient"
    assert held["superseded_by"] is None
    assert ended["superseded_by"] == standings(log, "ada")["algebra"]["decision"]


def test_what_neither_a_position_nor_a_time_is_refused(log: District) -> None:
    answer = ask(log, f"/api/v1/learners/{address_of('ada')}/mastery", "yesterday")
    assert answer.status_code == 400
    assert "give a position" in answer.get_json()["problems"][0]["message"]


# How it is found


def plan(log: District, query: Select[Any]) -> str:
    """Return how the database finds the rows of a query, were the tables long."""
    sql = str(query.compile(dialect=log.desk.derived.dialect, compile_kwargs={"literal_binds": True}))
    with log.desk.derived.connect() as connection:
        if is_postgresql(connection):
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        word = "EXPLAIN" if is_postgresql(connection) else "EXPLAIN QUERY PLAN"
        return "\n".join(" ".join(map(str, row)) for row in connection.execute(text(f"{word} {sql}")))


def test_a_learners_decisions_and_evidence_as_of_a_position_are_found_by_an_index(log: District) -> None:
    with log.desk.derived.connect() as connection:
        ids = live_ids(connection, log)
    made, rows = decision.c, evidence.c
    own = made.build_id == ids["mastery"], made.learner == key_of("ada"), made.position <= 5
    work = rows.build_id == ids["evidence"], rows.learner == key_of("ada"), rows.cause <= 5
    for query in (select(decision).where(*own), select(evidence).where(*work)):
        found = plan(log, query)
        assert "Index" in found or "INDEX" in found
        assert "learner" in found
