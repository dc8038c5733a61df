"""How two other systems let a learner move between states, answer by answer, as published tables.

These are models of progress and decide nothing here: they show how the same ordered evidence would be seen there.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal, NamedTuple, TypeAlias

KhanState: TypeAlias = Literal["not_started", "attempted", "familiar", "proficient", "mastered"]

KHAN_POINTS: Final[dict[KhanState, int]] = {
    "not_started": 0, "attempted": 0, "familiar": 50, "proficient": 80, "mastered": 100,
}  # fmt: skip
_FAMILIAR_FROM: Final = Decimal("0.7")
_UP: Final[dict[KhanState, KhanState]] = {
    "not_started": "familiar", "attempted": "familiar", "familiar": "proficient", "proficient": "mastered",
    "mastered": "mastered",
}  # fmt: skip
_DOWN: Final[dict[KhanState, KhanState]] = {
    "not_started": "attempted", "attempted": "attempted", "familiar": "attempted", "proficient": "familiar",
    "mastered": "proficient",
}  # fmt: skip


def khan_after_exercise(state: KhanState, share: Decimal) -> KhanState:
    """Return the state after an exercise of which this share was right.

    All of it makes proficient, 70 percent familiar, less attempted; a mastered skill falls to proficient or familiar
    instead, and stays when all is right.
    """
    if share >= 1:
        return "mastered" if state == "mastered" else "proficient"
    if state == "mastered":
        return "proficient" if share >= _FAMILIAR_FROM else "familiar"
    return "familiar" if share >= _FAMILIAR_FROM else "attempted"


def khan_after_mixed(state: KhanState, is_right: bool) -> KhanState:
    """Return the state after one question among those of other skills: a step up, or a step down."""
    return _UP[state] if is_right else _DOWN[state]


ALEKS_LEARNED: Final = 5


class Aleks(NamedTuple):
    """Where a learner stands in one topic: learned at five points, and mastered once a later check confirms it."""

    points: int = 0
    is_streak: bool = False
    is_mastered: bool = False

    @property
    def is_learned(self) -> bool:
        """Whether the topic was learned; what was learned can be lost again in a check."""
        return self.points >= ALEKS_LEARNED


def aleks_after_answer(state: Aleks, is_right: bool, is_explained: bool = False) -> Aleks:
    """Return the state after practice: one point for a right answer, two for one that follows another right one.

    Asking for the explanation breaks the streak and moves no point; a wrong answer takes one, never below zero.
    """
    if is_explained:
        return state._replace(is_streak=False)
    if not is_right:
        return state._replace(points=max(state.points - 1, 0), is_streak=False)
    return state._replace(points=min(state.points + (2 if state.is_streak else 1), ALEKS_LEARNED), is_streak=True)


def aleks_after_check(state: Aleks, is_right: bool) -> Aleks:
    """Return the state after a knowledge check: it confirms what was learned before, or takes it away."""
    if not is_right:
        return Aleks()
    return state._replace(is_mastered=state.is_learned, is_streak=False)
