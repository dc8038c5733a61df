"""A result → the exact fraction of what could be reached, or why there is none.

Points with their range say the same in every tool; `scaled` means 0..1 to some senders and -1..1 to others, so it is
read through the normaliser that was published for the sender, which also says whether it comes before points. Without
one, points come first, a scaled score from 0 to 1 is read as a fraction, and a negative one cannot be.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from math import gcd
from typing import Any, Final, NamedTuple

from projections.evidence.documents import Account, Match
from projections.registry import Act, Acts

BY_SUCCESS, BY_RUBRIC, BY_SCALED, BY_POINTS = range(4)
"""What a score was read from; a new one is added at the end."""

READ_FROM: Final = ("success only", "rubric criteria", "scaled", "raw, min and max")

MOST: Final = 2**62
CMI5: Final = "https://w3id.org/xapi/cmi5/context/"
MASTERY_SCORE: Final = f"{CMI5}extensions/masteryscore"
CMI5_CATEGORY: Final = f"{CMI5}categories/cmi5"
PASSED: Final = "http://adlnet.gov/expapi/verbs/passed"
FAILED: Final = "http://adlnet.gov/expapi/verbs/failed"


class Unused(NamedTuple):
    """Why a statement that could be evidence is not: the reason's name, and what it was about."""

    reason: str
    detail: str


class Score(NamedTuple):
    """A fraction numerator / denominator, and what it was read from."""

    numerator: int
    denominator: int
    read_from: int


def score_of(statement: Mapping[str, Any], normaliser: Act | None) -> Score | Unused | None:
    """Return the score of a statement, None where it has none, or why it cannot be levelled."""
    score = statement["result"].get("score") or {}
    has_points = "raw" in score and "max" in score
    if "scaled" in score and not (has_points and (normaliser is None or normaliser.document.prefers == "points")):
        return _scaled(score["scaled"], normaliser)
    if has_points:
        return fraction(score["raw"], score.get("min", 0), score["max"], BY_POINTS)
    return Unused("unnormalisable", "points without a maximum") if "raw" in score else None


def _scaled(scaled: float, act: Act | None) -> Score | Unused:
    if act is not None:
        return fraction(scaled, act.document.scaled.minimum, act.document.scaled.maximum, BY_SCALED)
    if scaled < 0:
        detail = "a negative scaled score, and no normaliser is published for its sender"
        return Unused("unknown_producer", detail)
    return fraction(scaled, 0, 1, BY_SCALED)


def fraction(value: Any, minimum: Any, maximum: Any, read_from: int) -> Score | Unused:
    """Return (value - minimum) / (maximum - minimum), exactly, or why that is no score."""
    if type(value) is type(minimum) is type(maximum) is int and minimum <= value <= maximum > minimum:
        reached, possible = value - minimum, maximum - minimum
        common = gcd(reached, possible)
        return kept(reached // common, possible // common, read_from)
    low, high = _end(minimum), _end(maximum)
    if high == low:
        return Unused("unnormalisable", "a range of points without extent")
    exact = (Fraction(str(value)) - low) / (high - low)
    if not 0 <= exact <= 1:
        return Unused("unnormalisable", "a score outside of its range")
    return kept(exact.numerator, exact.denominator, read_from)


@lru_cache(maxsize=1_024)
def _end(value: Any) -> Fraction:
    """Return an end of a range exactly; senders have few ranges, and making a fraction takes its time."""
    return Fraction(str(value))


def kept(numerator: int, denominator: int, read_from: int) -> Score | Unused:
    """Return the score, unless it has more digits than the tables hold."""
    if denominator > MOST:
        return Unused("unnormalisable", "a score of more digits than can be kept exactly")
    return Score(numerator, denominator, read_from)


def nonconformance(statement: Mapping[str, Any]) -> str | None:
    """Return how a cmi5 statement contradicts its own mastery score or success, or None.

    cmi5 9.5.3, 9.6.3: the mastery score is the one of the launch, which the statement carries, and not the course's.
    """
    verb, context = statement["verb"]["id"], statement.get("context") or {}
    if verb not in (PASSED, FAILED):
        return None
    mastery = (context.get("extensions") or {}).get(MASTERY_SCORE)
    if mastery is None and CMI5_CATEGORY not in categories(context):
        return None
    success, scaled = statement["result"].get("success"), (statement["result"].get("score") or {}).get("scaled")
    if success is not None and success is not (verb == PASSED):
        return f"{verb.rpartition('/')[2]}, and success is {str(success).lower()}"
    if not _is_number(mastery) or scaled is None:
        return None
    reached = Fraction(str(scaled)) >= Fraction(str(mastery))
    if reached is (verb == PASSED):
        return None
    return f"{verb.rpartition('/')[2]} with {scaled}, and the mastery score is {mastery}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def normaliser_for(statement: Mapping[str, Any], acts: Acts) -> Act | None:
    """Return the normaliser published for the sender of a statement: the most particular one that matches."""
    context = statement.get("context") or {}
    platform, extensions, found = context.get("platform"), context.get("extensions") or (), categories(context)
    for act in acts.normalisers:
        match: Match = act.document.match
        if match.platform is not None and match.platform != platform:
            continue
        if match.extension is not None and match.extension not in extensions:
            continue
        if match.category is not None and not any(_fits(one, match.category) for one in found):
            continue
        if match.authority is None or _is_of(statement, match.authority):
            return act
    return None


def _is_of(statement: Mapping[str, Any], authority: Account) -> bool:
    account = (statement.get("authority") or {}).get("account") or {}
    return (account.get("homePage"), account.get("name")) == (authority.home_page, authority.name)


def _fits(iri: str, pattern: str) -> bool:
    return iri.startswith(pattern[:-1]) if pattern.endswith("*") else iri == pattern


def categories(context: Mapping[str, Any]) -> list[str]:
    """Return the IRIs of the context activities that stand under category."""
    groups = context.get("contextActivities")
    found = groups.get("category", ()) if groups else ()
    return [one["id"] for one in ((found,) if isinstance(found, dict) else found)]
