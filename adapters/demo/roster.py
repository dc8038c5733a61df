"""Where the sample district's learners are enrolled: two high schools, and two that are too small to be told of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adapters.demo.documents import DISTRICT
from adapters.demo.learners import account, numbers
from adapters.demo.senders import SCHOOL

SCHOOLS: Final = (
    ("Harbor High School (invented)", 26),
    ("Ridge High School (invented)", 20),
    ("Creek Early College (invented)", 8),
    ("Meadow Academy (invented)", 6),
)
GRADES: Final = ("9", "9", "9", "10", "8")
FIRST_DAY, LAST_DAY = "2026-08-24", "2028-06-09"


def enrolments() -> list[tuple[str, Mapping[str, Any]]]:
    """Return the enrolment of every learner, as (kind, document)."""
    schools = [name for name, count in SCHOOLS for _ in range(count)]
    return [("roster", enrolment(number, school)) for number, school in zip(numbers(), schools, strict=True)]


def enrolment(number: int, school: str) -> dict[str, Any]:
    """Return where one learner is enrolled: grade and subgroups follow from the number."""
    subgroups = ["English learners"] * (number % 4 == 0) + ["Newcomers"] * (number % 10 == 0)
    return {
        "id": f"{DISTRICT}/roster/{account(number)}",
        "learner": {"objectType": "Agent", "account": {"homePage": SCHOOL, "name": account(number)}},
        "school": school,
        "grade": GRADES[number % len(GRADES)],
        "subgroups": subgroups,
        "from": FIRST_DAY,
        "to": LAST_DAY,
    }
