"""The framework of the sample district and the sixty activities that assess it."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from adapters.case.translate import framework_of
from projections.mastery.scales import DEFAULT_SCALE_DOCUMENT

PACKAGE: Final = Path(__file__).with_name("framework.json")

MOODLE: Final = "https://moodle.sample-county.example"
H5P: Final = "https://h5p.sample-county.example"
OPEN_EDX: Final = "https://courses.sample-county.example"

ASSESSMENT: Final = "http://adlnet.gov/expapi/activities/assessment"
INTERACTION: Final = "http://adlnet.gov/expapi/activities/cmi.interaction"
ASSIGNMENT: Final = "http://id.tincanapi.com/activitytype/school-assignment"
LESSON: Final = "http://adlnet.gov/expapi/activities/lesson"

PORTFOLIOS: Final = ((1, 2, 3), (4, 5, 6), (7, 8, 9), (10, 11), (12,))
STRANDS: Final = ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11,), (12,))
PRACTICE_SETS: Final = (2, 7)
"""The competencies whose practice is a set of questions; that of the others is one text with gaps."""


class Activity(NamedTuple):
    """One thing that learners do.

    `competencies` are places in the progression, from 1; `day` is the school day on which it is due, from 0.
    """

    slug: str
    uri: str
    name: str
    type: str
    kind: str
    competencies: tuple[int, ...]
    maximum: int
    day: int


def framework() -> dict[str, Any]:
    """Return the illustrative framework document, as the CASE adapter reads it, with the default scale."""
    document, _ = framework_of(json.loads(PACKAGE.read_text(encoding="utf-8")))
    scale = {"id": DEFAULT_SCALE_DOCUMENT["id"], "version": DEFAULT_SCALE_DOCUMENT["version"]}
    return {**document, "scale": scale, "status": "live"}


def activities() -> list[Activity]:
    """Return all aligned activities, those of one competency together."""
    names = [competency["name"] for competency in framework()["competencies"]]
    single = chain.from_iterable(of_competency(number, name) for number, name in enumerate(names, 1))
    return [*single, *map(portfolio, range(1, 6), PORTFOLIOS), *map(strand, range(1, 8), STRANDS)]


def of_competency(number: int, name: str) -> list[Activity]:
    """Return what one competency is practised and assessed with in its week."""
    one, week = (number,), 5 * (number - 1)
    look, practice, task = f"{H5P}/node/{200 + number}", f"{H5P}/node/{300 + number}", assignment(400 + number)
    exam = f"{MOODLE}/mod/quiz/view.php?id={500 + number}" if number % 2 else block(f"summative{number:02}")
    kind_of_practice = ASSESSMENT if number in PRACTICE_SETS else INTERACTION
    return [
        Activity(f"check-{number}a", look, f"{name}: first look", INTERACTION, "formative", one, 10, week + 1),
        Activity(f"check-{number}b", practice, f"{name}: practice", kind_of_practice, "formative", one, 10, week + 2),
        Activity(f"task-{number}", task, f"{name}: task", ASSIGNMENT, "performance_task", one, 20, week + 3),
        Activity(f"summative-{number}", exam, f"{name}: summative", ASSESSMENT, "local_summative", one, 40, week + 4),
    ]


def strand(number: int, competencies: tuple[int, ...]) -> Activity:
    """Return one reporting strand of the end-of-course examination."""
    name = f"End-of-course examination (illustrative), strand {number}"
    uri, day = block(f"strand{number:02}"), 55 + number % 3
    return Activity(f"strand-{number}", uri, name, ASSESSMENT, "state_summative", competencies, 20, day)


def portfolio(number: int, competencies: tuple[int, ...]) -> Activity:
    """Return one portfolio review, which speaks of several competencies."""
    uri, day = assignment(600 + number), 58 + number % 3
    return Activity(f"portfolio-{number}", uri, f"Portfolio {number}", ASSIGNMENT, "portfolio", competencies, 20, day)


def assignment(number: int) -> str:
    """Return the address of a Moodle assignment."""
    return f"{MOODLE}/mod/assign/view.php?id={number}"


def block(name: str) -> str:
    """Return the address of an Open edX block in the sample course."""
    return f"{OPEN_EDX}/xblock/block-v1:SampleCounty+M1+2026+type@problem+block@{name}"
