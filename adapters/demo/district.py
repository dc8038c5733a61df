"""One autumn of the sample district: what the tools of sixty learners send, in the order in which it arrives."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final, NamedTuple

from adapters.demo import senders
from adapters.demo.activities import ASSESSMENT, H5P, INTERACTION, LESSON, MOODLE, Activity, activities, block
from adapters.demo.documents import acts, late_acts
from adapters.demo.learners import Story, notable, numbers, story_of
from adapters.demo.senders import Json, Work

__all__ = ["acts", "batches", "facts", "late_acts", "notable"]

SEED: Final = 2026
BATCH: Final = 200
FIRST_DAY: Final = date(2026, 8, 24)
LAST_DAY: Final = date(2026, 11, 20)
HOLIDAYS: Final = (date(2026, 9, 7), date(2026, 11, 11))
SCHOOL_DAYS: Final = tuple(
    day
    for day in (FIRST_DAY + timedelta(days) for days in range((LAST_DAY - FIRST_DAY).days + 1))
    if day.weekday() < 5 and day not in HOLIDAYS
)
UNTAUGHT: Final = 12
"""The twelfth competency is not reached before the last day: its activities are aligned, and nobody does them."""

CUT: Final = 0.75
NUMBERED_KINDS: Final = ("performance_task", "portfolio")
SHARE_DONE, SHARE_REDONE, SHARE_LATE, SHARE_DOUBLED, SHARE_VOIDED = 0.9, 0.4, 0.03, 0.012, 0.006
SHARE_SEEN, SHARE_COMPLETED, SHARE_BESIDES = 0.2, 0.2, 0.4

WITH_PARTS: Final = "check-2b"
BESIDES: Final = (
    Activity("warm-up", f"{MOODLE}/mod/quiz/view.php?id=901", "Warm-up quiz", ASSESSMENT, "formative", (), 10, 2),
    Activity("puzzle", block("puzzle01"), "Puzzle of the month", ASSESSMENT, "formative", (), 5, 30),
    Activity("bridge", f"{H5P}/node/999", "Bridge building game", INTERACTION, "formative", (), 10, 44),
)
"""What is scored, but aligned to nothing."""


class Learner(NamedTuple):
    """One learner with the source of all chance in this learner's autumn."""

    number: int
    story: Story
    ability: float
    chance: Random


class Sent(NamedTuple):
    """A statement, when it arrives, and what is special about it."""

    arrival: datetime
    statement: Json
    marks: tuple[str, ...] = ()


def batches(seed: int = SEED) -> Iterator[list[Json]]:
    """Yield the statements of one autumn in the order of their arrival; the same seed gives the same bytes."""
    statements = [sent.statement for sent in autumn(seed)]
    for start in range(0, len(statements), BATCH):
        yield statements[start : start + BATCH]


def facts(seed: int = SEED) -> dict[str, int]:
    """Return how many statements there are, and how many are special in which way.

    `unaligned` carry a score and align to nothing, `parts` (questions of a practice set) among them; `sets` are aligned
    and carry a score, but H5P calls them completed; `views` and `completions` carry no score.
    """
    everything = autumn(seed)
    marks = Counter(mark for sent in everything for mark in sent.marks)
    return {"learners": len(numbers()), "statements": len(everything), **dict(sorted(marks.items()))}


def autumn(seed: int) -> list[Sent]:
    """Return all that is sent, in the order of arrival."""
    offered = [activity for activity in activities() if UNTAUGHT not in activity.competencies]
    everyone = (learner_of(number, seed) for number in numbers())
    sent = [one for learner in everyone for one in sent_by(learner, offered)]
    return sorted(sent, key=lambda one: (one.arrival, one.statement["id"]))


def learner_of(number: int, seed: int) -> Learner:
    """Return a learner whose chances depend on the seed and the number alone."""
    chance = Random(f"{seed}/{number}")  # noqa: S311 - nothing here is secret, and it has to repeat
    story, drawn = story_of(number), chance.uniform(0.45, 0.9)
    return Learner(number, story, drawn if story.ability is None else story.ability, chance)


def sent_by(learner: Learner, offered: Iterable[Activity]) -> Iterator[Sent]:
    """Yield all that one learner's tools send, in no order."""
    yield from looked_at(learner)
    if learner.story.only_completes:
        for activity in offered:
            if activity.kind == "performance_task":
                yield without_score(senders.completed, learner, activity, "completions")
        return
    for activity in offered:
        if is_done(learner, activity):
            for work in tries(learner, activity):
                yield from delivered(learner, work)
    for activity in BESIDES:
        if learner.chance.random() < SHARE_BESIDES:
            yield on_time(first_try(learner, activity), "unaligned")


def is_done(learner: Learner, activity: Activity) -> bool:
    """Tell whether a learner does an activity: examination and portfolio are for those who apply for credit."""
    if activity.kind in ("state_summative", "portfolio") and not learner.story.applies:
        return False
    if any(f"{activity.slug}-".startswith(f"{missing}-") for missing in learner.story.missing):
        return False
    return learner.story.ability is not None or learner.chance.random() < SHARE_DONE


def tries(learner: Learner, activity: Activity) -> Iterator[Work]:
    """Yield a learner's first try at an activity and, if there is one, the better revision."""
    first = first_try(learner, activity)
    yield first
    if activity.kind in NUMBERED_KINDS and happens(learner, activity, learner.story.redone, SHARE_REDONE):
        best = activity.maximum
        raw = best if activity.slug in learner.story.redone else min(best, first.raw + learner.chance.randint(1, 6))
        if raw > first.raw:
            moment = school_time(activity.day + learner.chance.randint(4, 7), learner.chance)
            yield first._replace(id=new_id(learner.chance), moment=moment, raw=raw, revision=2)


def first_try(learner: Learner, activity: Activity) -> Work:
    """Return a learner's first try; Moodle's assignments number their submissions."""
    revision = 1 if activity.kind in NUMBERED_KINDS else 0
    moment = school_time(activity.day, learner.chance)
    return Work(new_id(learner.chance), learner.number, activity, moment, points(learner, activity), revision)


def points(learner: Learner, activity: Activity) -> int:
    """Return the points of a first try: below the cut where the story says so, else around the learner's ability."""
    if activity.slug in learner.story.weak + learner.story.redone:
        share = learner.chance.uniform(CUT - 0.3, CUT - 0.05)
    else:
        share = learner.ability + learner.chance.uniform(-0.1, 0.05)
    return round(share * activity.maximum)


def happens(learner: Learner, activity: Activity, told: tuple[str, ...], share: float) -> bool:
    """Tell whether something befalls a learner's work: told in the story, or by chance where no ability is told."""
    return activity.slug in told or (learner.story.ability is None and learner.chance.random() < share)


def delivered(learner: Learner, work: Work) -> Iterator[Sent]:
    """Yield the statement of a work, and what befalls it: questions sent before it, delay, a second copy, a void."""
    story, activity = learner.story, work.activity
    marks = marks_of(work)
    sent = on_time(work, *marks)
    if happens(learner, activity, story.late, SHARE_LATE) and work.moment.date() < SCHOOL_DAYS[-5]:
        sent = Sent(school_time(-1, learner.chance) + timedelta(hours=8), sent.statement, (*marks, "late"))
    elif happens(learner, activity, story.voided, SHARE_VOIDED):
        yield taken_back(learner, work)
    yield sent
    if happens(learner, activity, story.doubled, SHARE_DOUBLED):
        copy = {**sent.statement, "id": new_id(learner.chance)}
        yield Sent(sent.arrival + timedelta(hours=2), copy, (*sent.marks, "duplicates"))
    if activity.slug == WITH_PARTS:
        yield from parts(learner, work)


def marks_of(work: Work) -> tuple[str, ...]:
    """Return what is special about a work whatever befalls it."""
    is_set = work.activity.kind == "formative" and work.activity.type == ASSESSMENT
    return ("revisions",) * (work.revision > 1) + ("sets",) * is_set


def on_time(work: Work, *marks: str) -> Sent:
    """Return a work's statement as it arrives normally, some seconds after it was done."""
    return Sent(work.moment + timedelta(seconds=3 + work.raw), senders.scored(work), marks)


def taken_back(learner: Learner, work: Work) -> Sent:
    """Return the void of a work's statement, some school days after it."""
    moment = school_time(min(work.activity.day + 8, len(SCHOOL_DAYS) - 1), learner.chance)
    return Sent(moment, senders.voided(new_id(learner.chance), work.id, moment), ("voids",))


def parts(learner: Learner, work: Work) -> Iterator[Sent]:
    """Yield the answers to a practice set's two questions, which carry scores of their own and align to nothing."""
    for question in (1, 2):
        moment = work.moment - timedelta(minutes=3 - question)
        is_right = learner.chance.random() < learner.ability
        answer = work._replace(id=new_id(learner.chance), moment=moment, raw=int(is_right))
        yield Sent(moment, senders.h5p_part(answer, question), ("parts", "unaligned"))


def looked_at(learner: Learner) -> Iterator[Sent]:
    """Yield what says nothing of a competency: lesson pages looked at, and pages completed."""
    for number in range(1, UNTAUGHT):
        uri, day = f"{MOODLE}/mod/page/view.php?id={700 + number}", 5 * (number - 1)
        page = Activity(f"page-{number}", uri, f"Lesson {number}", LESSON, "", (), 0, day)
        if learner.chance.random() < SHARE_SEEN:
            yield without_score(senders.experienced, learner, page, "views")
        if learner.chance.random() < SHARE_COMPLETED:
            yield without_score(senders.completed, learner, page, "completions")


def without_score(say: Callable[[Work], Json], learner: Learner, activity: Activity, mark: str) -> Sent:
    """Return a sender's word on an activity that carries no score."""
    work = Work(new_id(learner.chance), learner.number, activity, school_time(activity.day, learner.chance))
    return Sent(work.moment + timedelta(seconds=5), say(work), (mark,))


def school_time(day: int, chance: Random) -> datetime:
    """Return a moment between 9 and half past 3 on one of the school days; in North Carolina that is UTC-4 or -5."""
    begin = datetime.combine(SCHOOL_DAYS[day], time(14), UTC)
    return begin + timedelta(minutes=chance.randrange(330), milliseconds=chance.randrange(60_000))


def new_id(chance: Random) -> str:
    """Return a statement id that the seed decides."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
