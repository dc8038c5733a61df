"""A result → the exact fraction of what could be reached, or the words why there is none.

Points with their range say the same in every tool, so they come first; `scaled` means 0..1 to some senders and -1..1 to
others, so it is read through the normaliser that the registrar published for the sender. Without one, a scaled score
from 0 to 1 is read as a fraction and a negative one cannot be.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import gcd
from typing import Any, Final, NamedTuple

from projections.evidence.documents import Match, Normaliser
from projections.registry import Act, Acts

BY_POINTS: Final = -1
GENERIC: Final = 0
MOST = 2**62


class Score(NamedTuple):
    """A fraction numerator / denominator, and the position of the normaliser used (0: none, -1: points were given)."""

    numerator: int
    denominator: int
    normaliser: int


def score_of(statement: Mapping[str, Any], acts: Acts) -> Score | str | None:
    """Return the score of a statement, None where it has none, or the reason why it cannot be levelled."""
    score = statement["result"].get("score") or {}
    if "raw" in score and "max" in score:
        return _fraction(score["raw"], score.get("min", 0), score["max"], BY_POINTS)
    if "scaled" in score:
        return _scaled(score["scaled"], normaliser_for(statement, acts))
    return "points without a maximum" if "raw" in score else None


def _scaled(scaled: float, act: Act | None) -> Score | str:
    if act is not None:
        normaliser: Normaliser = act.document
        return _fraction(scaled, normaliser.scaled.minimum, normaliser.scaled.maximum, act.position)
    if scaled < 0:
        return "a negative scaled score, and no normaliser is published for its sender"
    return _fraction(scaled, 0, 1, GENERIC)


def _fraction(value: Any, minimum: Any, maximum: Any, normaliser: int) -> Score | str:
    """Return (value - minimum) / (maximum - minimum), exactly."""
    if type(value) is type(minimum) is type(maximum) is int and minimum <= value <= maximum > minimum:
        reached, possible = value - minimum, maximum - minimum
        common = gcd(reached, possible)
        return _kept(reached // common, possible // common, normaliser)
    low, high = Fraction(str(minimum)), Fraction(str(maximum))
    if high == low:
        return "a range of points without extent"
    exact = (Fraction(str(value)) - low) / (high - low)
    if not 0 <= exact <= 1:
        return "a score outside of its range"
    return _kept(exact.numerator, exact.denominator, normaliser)


def _kept(numerator: int, denominator: int, normaliser: int) -> Score | str:
    if denominator > MOST:
        return "a score of more digits than can be kept exactly"
    return Score(numerator, denominator, normaliser)


def normaliser_for(statement: Mapping[str, Any], acts: Acts) -> Act | None:
    """Return the normaliser published for the sender of a statement: the most particular one that matches."""
    return next((act for act in acts.normalisers if _matches(act.document.match, statement)), None)


def _matches(match: Match, statement: Mapping[str, Any]) -> bool:
    if match.platform is not None and statement.get("context", {}).get("platform") != match.platform:
        return False
    if match.authority is None:
        return True
    account = statement.get("authority", {}).get("account", {})
    return (account.get("homePage"), account.get("name")) == (match.authority.home_page, match.authority.name)
