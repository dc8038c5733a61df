"""The advisory figures of one decision: what was used of the evidence, as the models of progress see it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from projections.evidence.evidence import KINDS
from projections.mastery.advisory import Advisory, Answer, figures
from projections.mastery.decide import Outcome
from projections.mastery.methods import EXACT
from projections.mastery.rules import CompiledRule


def advisory_figures(advisory: Advisory, rule: CompiledRule, outcome: Outcome) -> list[dict[str, str]]:
    """Return the figures that a rule asks for, each with its name, its value and a sentence; they decide nothing."""
    return figures(advisory, _answers(rule, outcome))


def _answers(rule: CompiledRule, outcome: Outcome) -> Iterator[Answer]:
    for one in outcome.inputs:
        points = Decimal(0) if one.points is None else one.points
        yield Answer(points >= rule.shows_from, EXACT.divide(points, rule.maximum), KINDS[one.evidence.kind])
