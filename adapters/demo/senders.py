"""What three learning tools send, each in its own habit: Moodle, H5P and Open edX, as the sample district runs them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from adapters.demo.activities import ASSESSMENT, H5P, INTERACTION, MOODLE, OPEN_EDX, Activity
from adapters.demo.learners import FIRST, account
from projections.profile import REVISION

SCHOOL: Final = "https://sis.sample-county.example"
VERBS: Final = "http://adlnet.gov/expapi/verbs/"
COURSE_TYPE: Final = "http://adlnet.gov/expapi/activities/course"
PASSING_SHARE: Final = 0.6

Json = dict[str, Any]


class Work(NamedTuple):
    """What one learner did with one activity; `revision` is 0 where the sender numbers none."""

    id: str
    learner: int
    activity: Activity
    moment: datetime
    raw: int = 0
    revision: int = 0


def scored(work: Work) -> Json:
    """Return the statement of the tool that the activity lives in."""
    return SENDERS[work.activity.uri.split("/")[2]](work)


def moodle(work: Work) -> Json:
    """Return a grade from Moodle: `scaled` runs from -1 to 1, and often stands alone."""
    maximum = work.activity.maximum
    scaled = {"scaled": round(2 * work.raw / maximum - 1, 4)}
    whole = {"raw": work.raw, "min": 0, "max": maximum}
    revision = {"extensions": {REVISION: work.revision}} if work.revision else {}
    return {
        "id": work.id,
        "actor": actor(work.learner),
        "verb": verb("scored", "attained grade for"),
        "object": activity(work.activity),
        "result": {"score": scaled if work.raw % 3 == 0 else {**scaled, **whole}, "completion": True},
        "context": {**moodle_context(work.learner), **revision},
        "timestamp": seconds(work.moment),
    }


def h5p(work: Work) -> Json:
    """Return an H5P exercise: `scaled` runs from 0 to 1. A text with gaps is answered, a set of questions completed."""
    is_set = work.activity.type == ASSESSMENT
    word, content = ("completed", "QuestionSet-1.20") if is_set else ("answered", "Blanks-1.14")
    about = activity(work.activity)
    if not is_set:
        about["definition"] |= {"interactionType": "fill-in", "correctResponsesPattern": ["x[,]y"]}
    return h5p_statement(work, word, about, {"category": [library(content)]})


def h5p_part(work: Work, question: int) -> Json:
    """Return the answer to one question inside a practice set, which H5P sends before the set itself."""
    around = {
        "parent": [{"id": work.activity.uri, "objectType": "Activity"}],
        "category": [library("MultiChoice-1.16")],
    }
    answer = work._replace(activity=work.activity._replace(maximum=1))
    part = h5p_statement(answer, "answered", choice(work, question), around)
    part["result"]["response"] = "0" if work.raw else "1"
    return part


def h5p_statement(work: Work, word: str, about: Json, around: Json) -> Json:
    """Return what all that H5P sends has in common."""
    return {
        "id": work.id,
        "actor": actor(work.learner),
        "verb": verb(word, word),
        "object": about,
        "result": {
            "score": {"min": 0, "max": work.activity.maximum, **zero_to_one(work)},
            "completion": True,
            "success": is_passed(work),
            "duration": f"PT{30 + work.moment.second * 7}.{work.moment.minute:02}S",
        },
        "context": {"platform": "H5P", "contextActivities": around},
        "timestamp": milliseconds(work.moment),
    }


def open_edx(work: Work) -> Json:
    """Return a graded problem from Open edX: `scaled` runs from 0 to 1; examinations are passed or failed."""
    outcome = "passed" if is_passed(work) else "failed"
    word = outcome if work.activity.kind == "state_summative" else "scored"
    return {
        "id": work.id,
        "version": "1.0.3",
        "actor": actor(work.learner),
        "verb": verb(word, word),
        "object": activity(work.activity),
        "result": {
            "score": {**zero_to_one(work), "min": 0, "max": work.activity.maximum},
            "success": is_passed(work),
        },
        "context": open_edx_context(work.learner),
        "timestamp": microseconds(work.moment),
    }


SENDERS: Final = {H5P[8:]: h5p, MOODLE[8:]: moodle, OPEN_EDX[8:]: open_edx}


def completed(work: Work) -> Json:
    """Return Moodle's word that something was completed: no score, no success, so no evidence of a competency."""
    return {**experienced(work), "verb": verb("completed", "completed"), "result": {"completion": True}}


def experienced(work: Work) -> Json:
    """Return Moodle's word that something was looked at."""
    return {
        "id": work.id,
        "actor": actor(work.learner),
        "verb": verb("experienced", "experienced"),
        "object": activity(work.activity),
        "context": moodle_context(work.learner),
        "timestamp": seconds(work.moment),
    }


def voided(new_id: str, target: str, moment: datetime) -> Json:
    """Return the assessment office's word that a statement does not hold."""
    return {
        "id": new_id,
        "actor": {
            "objectType": "Agent",
            "name": "Assessment office",
            "account": {"homePage": SCHOOL, "name": "office-assessment"},
        },
        "verb": verb("voided", "voided"),
        "object": {"objectType": "StatementRef", "id": target},
        "timestamp": seconds(moment),
    }


def actor(learner: int) -> Json:
    """Return a learner as the tools name one: an account of the school's, no mailbox, no real name."""
    return {
        "objectType": "Agent",
        "name": f"Learner {learner - FIRST + 1}",
        "account": {"homePage": SCHOOL, "name": account(learner)},
    }


def verb(word: str, display: str) -> Json:
    """Return one of ADL's verbs."""
    return {"id": VERBS + word, "display": {"en": display}}


def activity(one: Activity) -> Json:
    """Return an activity with the definition that tools send along."""
    return defined(one.uri, one.name, one.type)


def defined(uri: str, name: str, kind: str) -> Json:
    """Return an activity with its name and type."""
    return {"objectType": "Activity", "id": uri, "definition": {"name": {"en": name}, "type": kind}}


def choice(work: Work, question: int) -> Json:
    """Return one multiple-choice question of a practice set."""
    practice = work.activity
    uri = f"{practice.uri}?subContentId={uuid.uuid5(uuid.NAMESPACE_URL, f'{practice.uri}#{question}')}"
    about = defined(uri, f"{practice.name}, question {question}", INTERACTION)
    about["definition"] |= {
        "interactionType": "choice",
        "correctResponsesPattern": ["0"],
        "choices": [{"id": str(index), "description": {"en": f"Answer {index + 1}"}} for index in range(3)],
    }
    return about


def library(name: str) -> Json:
    """Return the H5P content type, which H5P names as a category."""
    return {"id": f"http://h5p.org/libraries/H5P.{name}", "objectType": "Activity"}


def zero_to_one(work: Work) -> Mapping[str, float]:
    """Return a score as H5P and Open edX write it."""
    return {"raw": work.raw, "scaled": round(work.raw / work.activity.maximum, 4)}


def is_passed(work: Work) -> bool:
    """Tell what the tools call a success; it is not the district's cut."""
    return work.raw >= PASSING_SHARE * work.activity.maximum


def moodle_context(learner: int) -> Json:
    """Return the context of a statement from Moodle: the site and the course around it."""
    site = defined(MOODLE, "Sample County Moodle", "http://id.tincanapi.com/activitytype/lms")
    course = defined(f"{MOODLE}/course/view.php?id=31", "NC Math 1", "http://id.tincanapi.com/activitytype/lms/course")
    return {
        "registration": registration(learner, "moodle"),
        "platform": "Moodle",
        "language": "en",
        "contextActivities": {
            "grouping": [site, course],
            "category": [defined("http://moodle.org", "Moodle", "http://id.tincanapi.com/activitytype/source")],
        },
    }


def open_edx_context(learner: int) -> Json:
    """Return the context of a statement from Open edX: the course run is the parent."""
    course = defined(f"{OPEN_EDX}/course/course-v1:SampleCounty+M1+2026", "NC Math 1", COURSE_TYPE)
    return {
        "registration": registration(learner, "open edx"),
        "platform": "Open edX",
        "contextActivities": {"parent": [course]},
        "extensions": {"https://w3id.org/xapi/openedx/extension/transformer-version": "event-routing-backends@9.3.5"},
    }


def registration(learner: int, tool: str) -> str:
    """Return the registration of a learner in the course, as one tool knows it."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{SCHOOL}/{account(learner)}/{tool}"))


def seconds(moment: datetime) -> str:
    """Return a moment as Moodle writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(moment: datetime) -> str:
    """Return a moment as H5P writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def microseconds(moment: datetime) -> str:
    """Return a moment as Open edX writes it."""
    return moment.isoformat(timespec="microseconds")
