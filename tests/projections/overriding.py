"""Overrides and roll-ups as scenes: a framework whose parts make up a whole, and acts that decide against a rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projections import acts
from projections.mastery.scales import DEFAULT_SCALE_DOCUMENT
from tests.projections.scenes import (
    ALGEBRA,
    FRAMEWORK,
    GEOMETRY,
    ORIGIN,
    RATIOS,
    REGISTRAR,
    Json,
    act,
    fixed_id,
    learner,
)

SCALE = {"id": DEFAULT_SCALE_DOCUMENT["id"], "version": DEFAULT_SCALE_DOCUMENT["version"]}
MATHEMATICS = f"{ORIGIN}/competencies/mathematics"
NUMBERS = f"{ORIGIN}/competencies/numbers"
PRINCIPAL = {"objectType": "Agent", "name": "Principal", "account": {"homePage": ORIGIN, "name": "principal"}}
TEACHER = {"objectType": "Agent", "name": "Teacher", "account": {"homePage": ORIGIN, "name": "teacher"}}


def override_document(who: str, competency: str | None, **more: Any) -> Json:
    """Return the document of an override: proficient, for a reason, on one statement."""
    document: Json = {
        "id": f"{ORIGIN}/overrides/{who}/{(competency or more['policy']).rpartition('/')[2]}",
        "learner": learner(who),
        "status": "proficient",
        "reason": "Shown in an interview.",
        "evidence": [fixed_id("interview")],
        **more,
    }
    return document if competency is None else {"competency": competency, **document}


def overridden(
    who: str, on: float, competency: str | None = ALGEBRA, by: Mapping[str, Any] = TEACHER, name: str = "", **more: Any
) -> Json:
    """Return the act of an override on a day."""
    document = override_document(who, competency, **more)
    return act(acts.override(document, by), on, name or f"override/{who}/{competency}/{on}")


def cleared(who: str, on: float, competency: str = ALGEBRA, by: Mapping[str, Any] = TEACHER) -> Json:
    """Return the act that ends an override on a day."""
    part = competency.rpartition("/")[2]
    document = {
        "id": f"{ORIGIN}/clearings/{who}/{part}/{on}",
        "override": f"{ORIGIN}/overrides/{who}/{part}",
        "reason": "The interview was another's.",
    }
    return act(acts.clear(document, by), on, f"cleared/{who}/{part}/{on}")


def parts(version: str = "parts", on: float = -9, whole: tuple[str, ...] = (ALGEBRA, GEOMETRY)) -> Json:
    """Return the adoption of a framework in which numbers and ratios make up algebra, and some parts mathematics."""
    parents = {NUMBERS: ALGEBRA, RATIOS: ALGEBRA, **dict.fromkeys(whole, MATHEMATICS)}
    members = [
        {"uri": one, "name": one.rpartition("/")[2], "statement": "Can do it.", "parent": parents.get(one)}
        for one in (MATHEMATICS, ALGEBRA, GEOMETRY, NUMBERS, RATIOS)
    ]
    told = [{name: value for name, value in one.items() if value is not None} for one in members]
    document = {"uri": FRAMEWORK, "title": "Mathematics", "version": version, "scale": SCALE, "competencies": told}
    return act(acts.adopt(document, REGISTRAR), on, f"framework/{version}")


def rolled_up(competency: str, method: Mapping[str, Any], version: int = 1, on: float = -9) -> Json:
    """Return the publication of a rule that rolls the parts of a competency up."""
    part = competency.rpartition("/")[2]
    document = {
        "id": f"{ORIGIN}/rules/{part}",
        "version": version,
        "title": f"The parts of {part}",
        "scale": SCALE,
        "competencies": [competency],
        "method": dict(method),
        "approver": "The board of the district",
        "effective_from": f"2026-01-{version:02}",
    }
    return act(acts.publish("rule", document, REGISTRAR), on, f"rule/{part}/{version}")
