"""What is never evidence, or not this time, whatever it speaks of: said before anything is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from projections.evidence.normalise import Unused, nonconformance
from projections.evidence.rubrics import RUBRICS
from projections.profile import VERBS

ADL: Final = "http://adlnet.gov/expapi/verbs/"
VOIDED: Final = f"{ADL}voided"
COMPLETION_VERBS: Final = frozenset(
    [ADL + word for word in ("attempted", "attended", "completed", "exited", "experienced", "initialized", "launched")]
    + [ADL + word for word in ("progressed", "registered", "resumed", "satisfied", "suspended", "terminated", "waived")]
    + ["https://w3id.org/xapi/adl/verbs/satisfied", "https://w3id.org/xapi/adl/verbs/waived"]
    + ["http://activitystrea.ms/schema/1.0/complete"]
)
"""Presence, effort and completion: never evidence of mastery, whatever result is attached."""

NEVER: Final = 2**62
TOLERANCE_US: Final = 24 * 60 * 60 * 1_000_000
"""So far may a sender's clock be ahead of ours: a whole day covers a time zone that was left out."""


def never_evidence(statement: Mapping[str, Any]) -> bool:
    """Whether a statement has no result to be evidence by, or is an act or a void."""
    result = statement.get("result")
    if not result or not ("score" in result or "success" in result or RUBRICS in (result.get("extensions") or ())):
        return True
    verb: str = statement["verb"]["id"]
    return verb == VOIDED or verb.startswith(VERBS)


def set_aside(statement: Mapping[str, Any], timestamp: int, stored: int, *, has_learner: bool) -> Unused | None:
    """Return why a statement with a result is no evidence, whatever it speaks of; times are in microseconds."""
    verb, kind = statement["verb"]["id"], statement["object"].get("objectType", "Activity")
    if verb in COMPLETION_VERBS:
        return Unused("completion", verb)
    if kind != "Activity":
        return Unused("no_activity", f"the result of an activity counts, this is about a {kind}")
    if not has_learner:
        return Unused("no_learner", "a group whose members are not named")
    if timestamp > stored + TOLERANCE_US:
        return Unused("future_dated", "its timestamp lies more than a day after it was stored")
    contradiction = nonconformance(statement)
    return None if contradiction is None else Unused("nonconformant", contradiction)
