"""Rules and evidence for the tests of the pure decision: made by hand, on the default scale of four points."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from projections.documents import load
from projections.evidence.evidence import KINDS, Evidence
from projections.mastery.decide import Outcome
from projections.mastery.rule_documents import DEFAULT_RULE_DOCUMENT, RULE, rule_of
from projections.mastery.rules import ROLL_UPS, CompiledRule, compiled
from projections.mastery.scales import DEFAULT_SCALE

Json = dict[str, Any]
TASK, PORTFOLIO, SUMMATIVE = (KINDS.index(kind) for kind in ("performance_task", "portfolio", "local_summative"))
FORMATIVE, HABIT = KINDS.index("formative"), KINDS.index("work_habit")
DAY = 86_400_000_000


def document(method: str, **changed: Any) -> Json:
    """Return the document of a rule by a method; `n` and the like go into the method."""
    own = {name: changed.pop(name) for name in ("n", "w", "required_points", "children") if name in changed}
    base = {**DEFAULT_RULE_DOCUMENT, "method": {"name": method, **own}}
    if method in ROLL_UPS:
        base = {**base, "competencies": ["https://example.org/parent"]}
        base.pop("kinds")
    return {**base, **changed}


def ruled(method: str, **changed: Any) -> CompiledRule:
    """Return a rule by a method, ready to decide."""
    return compiled(rule_of(document(method, **changed)), DEFAULT_SCALE)


def refused(method: str, **changed: Any) -> list[tuple[str, str]]:
    """Return the pointer and the words of each problem of a rule that is to be published."""
    return [(problem.pointer, problem.message) for problem in load(RULE, document(method, **changed))[1]]


def piece(at: int, points: str | None, **changed: Any) -> Evidence:
    """Return a piece of evidence on a day, on a task of its own, worth these points of four."""
    hundredths = None if points is None else int(Decimal(points) * 100)
    evidence = Evidence(
        position=at,
        statement_id=f"{at:08}-0000-4000-8000-000000000000",
        timestamp=at * DAY,
        kind=TASK,
        task=at,
        revision=0,
        score_num=hundredths,
        score_den=None if points is None else 400,
        success=None,
        fingerprint=at,
    )
    return evidence._replace(**changed)


def pieces(*points: str) -> list[Evidence]:
    """Return a piece for each of these points, day by day."""
    return [piece(at, one) for at, one in enumerate(points, 1)]


def left_out(outcome: Outcome) -> list[tuple[int, str]]:
    """Return where each piece that was left out stood, with the reason."""
    return [(evidence.position, reason) for evidence, reason in outcome.excluded]


def used(outcome: Outcome) -> list[int]:
    """Return where each piece that was used stood."""
    return [one.evidence.position for one in outcome.inputs]


def unmet(outcome: Outcome) -> list[tuple[str, str, str]]:
    """Return what is not met, with what there is and what is needed."""
    return [(one.requirement, one.have, one.need) for one in outcome.unmet]
