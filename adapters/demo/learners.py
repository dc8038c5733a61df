"""Who attends the sample district: sixty opaque accounts, some of them with a story that a demonstration shows."""

from __future__ import annotations

from typing import Final, NamedTuple

FIRST: Final = 1001
COUNT: Final = 60


class Story(NamedTuple):
    """How one learner fares; activities are named by their slugs.

    `ability` is the usual share of the points, None where it is drawn. `weak` fall below the cut, `redone` only at
    first, `missing` are never done (a prefix is enough). `late` arrive last, `doubled` twice, `voided` are taken back.
    """

    note: str = ""
    ability: float | None = None
    applies: bool = False
    weak: tuple[str, ...] = ()
    redone: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    voided: tuple[str, ...] = ()
    only_completes: bool = False


STRONG: Final = 0.95

STORIES: Final = {
    1001: Story("eligible: strong throughout", STRONG, applies=True),
    1002: Story(
        "eligible: three tasks became secure in their revision",
        STRONG,
        applies=True,
        redone=("task-2", "task-5", "task-8"),
    ),
    1003: Story(
        "eligible, but only once two examination strands arrived late",
        STRONG,
        applies=True,
        late=("strand-1", "strand-2"),
    ),
    1004: Story(
        "nearly: nine of the ten competencies that the policy needs",
        STRONG,
        applies=True,
        weak=("task-1", "summative-1", "task-2", "summative-2", "strand-1"),
    ),
    1005: Story("nearly: everything but the portfolio", STRONG, applies=True, missing=("portfolio",)),
    1006: Story("nearly: one examination strand short", STRONG, applies=True, weak=("strand-3", "strand-4")),
    1007: Story("a void took competency 4 back to too little evidence", STRONG, voided=("summative-4",)),
    1008: Story(
        "was eligible until an examination strand was voided",
        STRONG,
        applies=True,
        weak=("strand-5",),
        voided=("strand-2",),
    ),
    1009: Story(
        "a task sent twice under two ids counts once in competency 10",
        STRONG,
        weak=("summative-10",),
        doubled=("task-10",),
    ),
    1010: Story("much practice, no task: not enough evidence anywhere", STRONG, missing=("task", "summative")),
    1011: Story(
        "eligible under the first rule, not under the second version for competency 5",
        STRONG,
        applies=True,
        weak=("task-5", "portfolio-2", "strand-6"),
        missing=("task-11", "summative-11"),
    ),
    1012: Story(
        "a void lowered competency 6 from secure to a lower level",
        STRONG,
        applies=True,
        weak=("strand-3",),
        missing=("portfolio",),
        voided=("task-6",),
    ),
    1060: Story("only ever completed things: no evidence at all", only_completes=True),
    **{number: Story(ability=0.74, applies=True) for number in range(1013, 1019)},
}


def numbers() -> range:
    """Return the numbers of all learners."""
    return range(FIRST, FIRST + COUNT)


def account(number: int) -> str:
    """Return the account name of a learner."""
    return f"S-{number}"


def story_of(number: int) -> Story:
    """Return how a learner fares; most have no story of their own."""
    return STORIES.get(number, Story())


def notable() -> dict[str, str]:
    """Return, by account name, what a demonstration can show with a learner."""
    return {account(number): STORIES[number].note for number in sorted(STORIES) if STORIES[number].note}
