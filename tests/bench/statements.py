"""The statements that the bench posts: seeded, of everyday shape and size, every id known from its number alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import islice
from random import Random
from typing import Any, Final

import msgspec

from adapters.demo import activities, senders
from adapters.demo.learners import FIRST

ADL: Final = "http://adlnet.gov/expapi/"
SCHOOL: Final = "https://sis.bench.example"
TOOL: Final = "https://lms.bench.example"
VERBS: Final = (
    "answered", "experienced", "interacted", "completed", "progressed", "attempted",
    "scored", "passed", "failed", "shared", "commented", "mastered",
)  # fmt: skip
VERB_WEIGHTS: Final = (40, 15, 10, 8, 7, 5, 4, 3, 3, 2, 2, 1)
LEARNERS: Final = 2_000
ACTIVITIES: Final = 500
START: Final = datetime(2026, 8, 31, 8, tzinfo=UTC)

NEVER_MEET: Final = (0, "shared")
"""A course and a verb that are each in many statements and never in one: the worst that a query can ask for."""

DISTRICT_LEARNERS: Final = 5_000
EVIDENCE_SHARE: Final = 0.4
LATE_SHARE: Final = 0.05
VOID_EVERY: Final = 1_000

Json = dict[str, Any]
encoded: Final = msgspec.json.Encoder().encode


def statement_id(number: int) -> str:
    """Return the id of the statement with this number: as scattered as a random UUID, and known without a list."""
    return _scattered(number.to_bytes(8, "big"))


def _scattered(name: bytes) -> str:
    return str(uuid.UUID(bytes=blake2b(name, digest_size=16).digest(), version=4))


def learner(number: int) -> Json:
    """Return a learner as an account of the school's."""
    account = {"homePage": SCHOOL, "name": f"student-{number:06}"}
    return {"objectType": "Agent", "name": f"Student {number:06}", "account": account}


def registration(who: int, course: int) -> str:
    """Return a learner's registration in a course."""
    return _scattered(f"{who}/{course}".encode())


def verb_iri(name: str) -> str:
    """Return the IRI of one of the verbs."""
    return f"{ADL}verbs/{name}"


def learning(rng: Random, number: int, learners: Sequence[int]) -> Json:
    """Return a statement of about 1.3 KB such as learning tools send, by one of the learners in this range."""
    place, name = rng.randrange(ACTIVITIES), rng.choices(VERBS, VERB_WEIGHTS)[0]
    who, course = rng.choice(learners), place // 25
    if (course, name) == NEVER_MEET:
        name = VERBS[0]
    return {
        "id": statement_id(number),
        "actor": learner(who),
        "verb": {"id": verb_iri(name), "display": {"en": name}},
        "object": _activity(f"courses/{course:02}/items/{place:04}", f"Exercise {place}: lines", "cmi.interaction"),
        "result": _result(rng),
        "context": _context(rng, who, course, place),
        "timestamp": _moment(rng, number),
    }


def _result(rng: Random) -> Json:
    raw = rng.randrange(41)
    score = {"scaled": raw / 40, "raw": raw, "min": 0, "max": 40}
    told = {f"{TOOL}/x/attempt": rng.randrange(1, 4), f"{TOOL}/x/hints": rng.randrange(3)}
    duration = f"PT{rng.randrange(20, 600)}.{rng.randrange(100):02}S"
    return {"score": score, "success": raw >= 24, "completion": True, "duration": duration, "extensions": told}


def _context(rng: Random, who: int, course: int, place: int) -> Json:
    return {
        "registration": registration(who, course),
        "platform": "Bench LMS",
        "contextActivities": {
            "parent": [_activity(f"courses/{course:02}/units/{place // 5:03}", f"Unit {place // 5}", "module")],
            "grouping": [_activity(f"courses/{course:02}", f"Course {course}", "course")],
            "category": [{"objectType": "Activity", "id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"}],
        },
        "extensions": {f"{TOOL}/x/session": f"{rng.getrandbits(64):016x}"},
    }


def _activity(path: str, name: str, kind: str) -> Json:
    definition = {"name": {"en": name}, "type": f"{ADL}activities/{kind}"}
    return {"objectType": "Activity", "id": f"{TOOL}/{path}", "definition": definition}


def _moment(rng: Random, number: int) -> str:
    moment = START + timedelta(milliseconds=number * 37 + rng.randrange(1_000))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def learnings(first: int, count: int, learners: Sequence[int] = range(LEARNERS)) -> Iterator[Json]:
    """Yield so many statements of everyday learning, numbered from `first`."""
    rng = Random(first)
    return (learning(rng, number, learners) for number in range(first, first + count))


def taken_back(first: int, count: int) -> Iterator[Json]:
    """Yield so many statements, every second of them voiding the one before it."""
    for number, one in enumerate(learnings(first, count), first):
        moment = START + timedelta(seconds=number)
        is_voiding = number % 2 == 1
        yield senders.voided(statement_id(number), statement_id(number - 1), moment) if is_voiding else one


def district(first: int, count: int) -> Iterator[Json]:
    """Yield what a district's tools send, numbered from `first`.

    Of a thousand statements 400 are scores of Moodle, H5P and Open edX in sixty aligned activities, 5 % of them days
    late; one voids an earlier score; the rest are interactions without a result.
    """
    rng, aligned = Random(first), activities.activities()
    scores: list[int] = []
    for number in range(first, first + count):
        if number % VOID_EVERY == VOID_EVERY - 1 and scores:
            target = scores.pop(rng.randrange(len(scores)))
            yield senders.voided(statement_id(number), statement_id(target), _district_moment(rng, number))
        elif rng.random() < EVIDENCE_SHARE:
            scores.append(number)
            yield senders.scored(_work(rng, number, rng.choice(aligned)))
        else:
            yield _interaction(rng, number)


def scores(first: int, count: int) -> Iterator[Json]:
    """Yield scores alone, as `district` has them, numbered from `first`: each is evidence."""
    rng, aligned = Random(first), activities.activities()
    return (senders.scored(_work(rng, number, rng.choice(aligned))) for number in range(first, first + count))


def _work(rng: Random, number: int, activity: activities.Activity) -> senders.Work:
    who, raw = FIRST + rng.randrange(DISTRICT_LEARNERS), rng.randint(activity.maximum // 3, activity.maximum)
    return senders.Work(statement_id(number), who, activity, _district_moment(rng, number), raw)


def _district_moment(rng: Random, number: int) -> datetime:
    late = timedelta(days=rng.randrange(1, 20)) if rng.random() < LATE_SHARE else timedelta()
    return START + timedelta(seconds=7 * number) - late


def _interaction(rng: Random, number: int) -> Json:
    one = learning(rng, number, range(DISTRICT_LEARNERS))
    del one["result"]
    return one


def batches(statements: Iterator[Json], size: int) -> Iterator[bytes]:
    """Yield the JSON of so many statements at a time."""
    while batch := list(islice(statements, size)):
        yield encoded(batch)
