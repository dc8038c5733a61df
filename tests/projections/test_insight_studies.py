"""Studies that are kept, files of them, and what those are told who may not see learners."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import wsgi
from lrs.store.engine import immediate
from lrs.xapi.values import key64
from projections import acts
from projections.insight import studies
from projections.insight.cohorts import averages_of
from projections.insight.commands import study_jobs
from projections.insight.comparing import CHANGES, Difference, Side
from projections.insight.findings import findings, names_of
from projections.insight.people import People
from projections.insight.roster import Placed
from projections.insight.what_if import Answer
from projections.mastery.rule_documents import DEFAULT_RULE_DOCUMENT
from tests.district import Client, District, said
from tests.projections.scenes import (
    ALGEBRA,
    FRAMEWORK,
    ORIGIN,
    REGISTRAR,
    address_of,
    aligned,
    did,
    first_acts,
    fixed_id,
    folded,
    learner,
    told,
)
from tests.projections.scenes import act as published

Json = dict[str, Any]
CANDIDATE = {
    **DEFAULT_RULE_DOCUMENT,
    "id": f"{ORIGIN}/rules/candidate",
    "framework": FRAMEWORK,
    "method": {"name": "independent_tasks", "n": 1},
}


def enrolled(who: str, school: str) -> Json:
    document = {"id": f"{ORIGIN}/roster/{who}", "learner": learner(who), "school": school}
    return published(acts.enrol(document, REGISTRAR), -5, f"enrolment/{who}")


def pupils(school: str, count: int) -> list[str]:
    return [f"{school.lower()}{number}" for number in range(count)]


def grown(schools: dict[str, int]) -> list[Json]:
    """Return enrolments, and a first task for everybody; every second one does another and is proficient."""
    found: list[Json] = []
    for school, count in schools.items():
        for place, who in enumerate(pupils(school, count)):
            found += [enrolled(who, school), did(who, "essay", 0.9, 2)]
            found += [did(who, "poster", 0.9, 3)] * (place % 2)
    return found


SCHOOLS = {"North": 40, "South": 12, "East": 8, "West": 11}


@pytest.fixture(scope="module")
def county(shared_district: District) -> District:
    """The four schools of DOMAIN section 6, one study in them."""
    one = folded(shared_district, [*first_acts(), aligned("poster", ALGEBRA), *grown(SCHOOLS)], batch=500)
    ask(one.client("all/read"), "one task")
    return one


def ask(client: Client, name: str, candidate: Json = CANDIDATE, **more: Any) -> Any:
    body = json.dumps({"name": name, "candidate": candidate, **more}).encode()
    return client.ask("POST", "/api/v1/studies", None, body, Content_Type="application/json")


def cells(client: Client) -> dict[str, Json]:
    found = said(client.get("/api/v1/cohorts", {"competency": ALGEBRA}))
    return {cell["name"]: cell for cell in found["competencies"][0]["groups"]}


# Studies


def test_a_small_study_is_answered_at_once_and_kept(county: District) -> None:
    found = said(county.client("all/read").get("/api/v1/studies/one task"))
    totals = found["found"]["totals"]
    assert found["state"] == "done"
    assert (totals["learners"], totals["gained"], totals["lost"]) == (71, 36, 0)


def test_every_grouping_adds_up_to_the_totals(county: District) -> None:
    found = said(county.client("all/read").get("/api/v1/studies/one task"))["found"]
    for family in ("competency", "school", "grade", "subgroup"):
        for change in ("compared", *CHANGES):
            assert sum(one[change] for one in found[f"by_{family}"]) == found["totals"][change]


def test_every_group_names_the_learners_whom_it_counts(county: District) -> None:
    found = said(county.client("all/read").get("/api/v1/studies/one task"))["found"]
    for one in found["by_school"]:
        assert len(one["learners"]["gained"]) == one["gained"]


def test_the_changes_name_the_evidence_that_decides(county: District) -> None:
    found = said(county.client("all/read").get("/api/v1/studies/one task/changes", {"limit": 500}))["changes"]
    one = next(one for one in found if one["learner"] == address_of("north0") and one["competency"] == ALGEBRA)
    assert one["decisive"]["statement_id"] == fixed_id("north0/essay/0.9/2/0")


def test_asking_again_gives_the_same_bytes(county: District) -> None:
    client = county.client("all/read")
    first = client.get("/api/v1/studies/one task/export/study.json").data
    with immediate(county.desk.derived).begin() as connection:
        studies.forget(connection, county.log.log_id, "one task")
    assert ask(client, "one task").status_code == 201
    assert client.get("/api/v1/studies/one task/export/study.json").data == first


def test_a_name_stands_for_one_question(county: District) -> None:
    client = county.client("all/read")
    assert ask(client, "one task").status_code == 201
    assert ask(client, "one task", through=5).status_code == 409


def test_a_study_beyond_the_log_is_refused(county: District) -> None:
    answer = ask(county.client("all/read"), "future", through=county.size() + 1)
    assert answer.status_code == 400
    assert [one["pointer"] for one in said(answer)["problems"]] == ["/through"]


def test_an_unsound_study_is_refused_with_every_problem(county: District) -> None:
    answer = ask(county.client("all/read"), "unsound", {**CANDIDATE, "kinds": ["guess"], "more": 1})
    assert [one["pointer"] for one in said(answer)["problems"]] == ["/candidate/kinds/0", "/candidate/more"]


def test_a_large_study_is_left_to_the_worker(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.insight.study_resources.SMALL", 0)
    one = folded(district, [*first_acts(), did("ann", "essay", 0.9, 2)])
    client = one.client("all/read")
    assert ask(client, "large").status_code == 202
    ((work, _),) = study_jobs(one.desk)
    until = time.monotonic() + 60
    while said(client.get("/api/v1/studies/large"))["state"] != "done" and time.monotonic() < until:
        work()
    assert said(client.get("/api/v1/studies/large"))["found"]["totals"]["gained"] == 1


def test_the_command_asks_keeps_and_writes_a_study(county: District, tmp_path: Path) -> None:
    path = tmp_path / "candidate.json"
    path.write_text(json.dumps(CANDIDATE), encoding="utf-8")
    run(
        county,
        "projections",
        "what-if",
        county.log.slug,
        str(path),
        "--name",
        "cli",
        "-o",
        str(tmp_path),
        "--processes",
        "1",
    )
    lines = list(csv.DictReader(io.StringIO((tmp_path / "changes.csv").read_text(encoding="utf-8"))))
    totals = json.loads((tmp_path / "study.json").read_bytes())["totals"]
    assert len(lines) == totals["gained"] + totals["lost"] + totals["changed_level"]
    assert "cli\tdone" in run(county, "studies", "list", county.log.slug)


def run(county: District, name: str, *arguments: str) -> str:
    result = CliRunner().invoke(wsgi.cairn.commands[name], arguments, obj=county.desk)
    assert result.exit_code == 0, result.output
    return result.output


# Who may not see learners


def test_an_analyst_is_told_40_and_12_and_neither_8_nor_11(county: District) -> None:
    found = cells(county.client("aggregates/read"))
    assert {name: cell["size"] for name, cell in found.items()} == {
        "everyone": 71, "North": 40, "South": 12, "East": None, "West": None,
    }  # fmt: skip
    assert found["East"]["withheld"] is found["West"]["withheld"] is True


def test_an_analyst_is_told_shares_and_no_counts(county: District) -> None:
    north = cells(county.client("aggregates/read"))["North"]
    assert north["counts"] is None
    assert north["shares"]["proficient"] == "50 %"


def test_an_analyst_may_not_narrow_a_cohort_or_look_back(county: District) -> None:
    client = county.client("aggregates/read")
    for query in ({"school": "North"}, {"as_of": "3"}, {"subgroup": "x"}):
        assert client.get("/api/v1/cohorts", query).status_code == 403


@pytest.mark.parametrize("path", ["/learners", "/cohorts/gaps", "/studies/one task/changes", "/quarantine"])
def test_an_analyst_sees_no_learners(county: District, path: str) -> None:
    assert county.client("aggregates/read").get(f"/api/v1{path}").status_code == 403


def test_an_analyst_is_told_a_study_in_shares_without_learners(county: District) -> None:
    answer = county.client("aggregates/read").get("/api/v1/studies/one task")
    schools = {one["name"]: one for one in said(answer)["found"]["by_school"]}
    assert schools["North"]["shares"]["gained"] == "50 %"
    assert {name for name, one in schools.items() if one["withheld"]} == {"East", "West"}
    assert not any(address_of(who) in answer.text for who in pupils("North", 40))


def test_an_analysts_file_has_no_learners_either(county: District) -> None:
    client = county.client("aggregates/read")
    assert client.get("/api/v1/studies/one task/export/changes.csv").status_code == 403
    text = client.get("/api/v1/studies/one task/export/totals.csv").text
    assert "withheld" in text
    exported = client.get("/api/v1/studies/one task/export/study.json").text
    assert "changes" not in json.loads(exported)
    assert not any(address_of(who) in exported for who in pupils("North", 40))


def test_a_figure_that_few_learners_have_moved_stays_as_it_was_told(district: District) -> None:
    one = folded(district, [*first_acts(), aligned("poster", ALGEBRA), *grown({"North": 40, "South": 30})], batch=500)
    client = one.client("aggregates/read")
    before = cells(client)
    told(one, did("north0", "poster", 0.9, 3))
    assert cells(client) == before


def test_a_figure_that_many_learners_have_moved_is_told_anew(district: District) -> None:
    one = folded(district, [*first_acts(), aligned("poster", ALGEBRA), *grown({"North": 40, "South": 40})], batch=500)
    client = one.client("aggregates/read")
    before = cells(client)
    told(one, *(did(who, "poster", 0.9, 3) for school in ("North", "South") for who in pupils(school, 40)[::2][:12]))
    after = cells(client)
    assert (before["North"]["shares"]["proficient"], after["North"]["shares"]["proficient"]) == ("50 %", "80 %")
    assert after["North"]["position"] == one.size()


def test_two_releases_do_not_tell_a_few_learners_by_their_siblings(district: District) -> None:
    """Twelve move in North and one in South: told anew for all and North alone, South's one would be the difference."""
    one = folded(district, [*first_acts(), aligned("poster", ALGEBRA), *grown({"North": 40, "South": 40})], batch=500)
    client = one.client("aggregates/read")
    before = cells(client)
    moved = [*pupils("North", 40)[::2][:12], pupils("South", 40)[0]]
    told(one, *(did(who, "poster", 0.9, 3) for who in moved))
    after = cells(client)
    assert (after["North"], after["South"]) == (before["North"], before["South"])
    assert after["everyone"]["position"] == one.size()


# Findings, purely


@pytest.mark.parametrize(
    ("values", "mean", "median"), [((1, 2, 3, 40), "11.50", "2.50"), ((5, 6, 70), "27.00", "6.00")]
)
def test_mean_and_median_are_those_of_the_field(values: Iterable[int], mean: str, median: str) -> None:
    assert averages_of([*map(_decimal, values)]) == {"mean": mean, "median": median}


def _decimal(value: int) -> Any:
    from decimal import Decimal

    return Decimal(value)


LEARNERS = 60
KEYS = st.dictionaries(
    st.tuples(st.integers(0, LEARNERS - 1), st.integers(1, 3)), st.sampled_from(CHANGES), max_size=150
)
PLACES = st.lists(st.sampled_from(["North", "South", "East"]), min_size=LEARNERS, max_size=LEARNERS)


@settings(max_examples=50, deadline=None)
@given(KEYS, PLACES)
def test_totals_add_up_and_coded_groups_never_tell_a_small_one(
    keys: dict[tuple[int, int], str], places: list[str]
) -> None:
    nothing = Side("not_yet", None, None, "")
    changed = [
        Difference(*key, change, nothing, nothing, None) for key, change in keys.items() if change != "unchanged"
    ]
    answer = Answer(changed, [key for key, change in keys.items() if change == "unchanged"])
    enrolled_ = {number: Placed(school, None, ()) for number, school in enumerate(places)}
    people = People(tuple(range(LEARNERS)), enrolled_, (1 << LEARNERS) - 1)
    found = findings(answer, people, names_of({f"{ORIGIN}/{key64('competency', 'a')}": "a"}), 10)
    assert found["totals"]["compared"] == len(keys)
    for family in ("competency", "school"):
        assert sum(one["compared"] for one in found[f"by_{family}"]) == len(keys)
    told_ = [one for one in found["coded"]["by_school"] if not one["withheld"]]
    assert all(one["learners"] >= 10 for one in told_)
    withheld = len(found["coded"]["by_school"]) - len(told_)
    assert withheld != 1 or found["coded"]["totals"]["withheld"]
