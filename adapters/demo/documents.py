"""What the sample district publishes: framework, scale, rules, credit policy, normalisers and alignments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adapters.demo.activities import activities, framework
from projections.mastery.scales import DEFAULT_SCALE_DOCUMENT

Act = tuple[str, Mapping[str, Any]]

DISTRICT: Final = "https://standards.sample-county.example"
SOLVING: Final = 4
"""The place of the competency in the framework that has a rule of its own: solving linear equations."""


def acts() -> list[Act]:
    """Return what is published before the first statement, in order: the kind of each document, and the document."""
    frame = framework()
    return [
        ("framework", frame),
        ("scale", DEFAULT_SCALE_DOCUMENT),
        ("rule", rule(frame)),
        ("rule", rule_for_solving(frame, version=1, tasks=2)),
        ("policy", policy(frame)),
        *(("normaliser", document) for document in normalisers()),
        *(("alignment", document) for document in alignments(frame)),
    ]


def late_acts() -> list[Act]:
    """Return what is published after the last statement: a second version of the one competency's rule, with n = 3."""
    return [("rule", rule_for_solving(framework(), version=2, tasks=3))]


def rule(frame: Mapping[str, Any]) -> dict[str, Any]:
    """Return the district's mastery rule for the whole framework."""
    return {
        "id": f"{DISTRICT}/rules/nc-math-1",
        "version": 1,
        "title": "NC Math 1 (illustrative)",
        "framework": frame["uri"],
        "scale": {"id": DEFAULT_SCALE_DOCUMENT["id"], "version": DEFAULT_SCALE_DOCUMENT["version"]},
        "method": {"name": "independent_tasks", "n": 2},
        "kinds": ["performance_task", "portfolio", "local_summative", "state_summative"],
        "revisions": "replace",
        "dichotomous": "exclude",
        "approver": "Sample County Board of Education",
        "effective_from": "2026-07-01",
    }


def rule_for_solving(frame: Mapping[str, Any], version: int, tasks: int) -> dict[str, Any]:
    """Return one version of the rule that holds for a single competency and goes before the framework's."""
    return {
        **rule(frame),
        "id": f"{DISTRICT}/rules/nc-math-1-solving",
        "version": version,
        "title": f"NC Math 1, solving linear equations: {tasks} independent tasks (illustrative)",
        "competencies": [frame["competencies"][SOLVING]["uri"]],
        "method": {"name": "independent_tasks", "n": tasks},
        "effective_from": f"2026-07-{version:02}",
    }


def policy(frame: Mapping[str, Any]) -> dict[str, Any]:
    """Return the credit policy: two phases, an examination and a portfolio, and most of the framework secure."""
    level = DEFAULT_SCALE_DOCUMENT["proficient"]
    solving = frame["competencies"][SOLVING]["uri"]
    return {
        "id": f"{DISTRICT}/policies/nc-math-1-by-demonstrated-mastery",
        "version": 1,
        "title": "NC Math 1 by demonstrated mastery (illustrative)",
        "course": {"code": "M1-SAMPLE", "title": "NC Math 1"},
        "units": "1",
        "require": {
            "all_of": [
                {"share_of_competencies": {"framework": frame["uri"], "level": level, "share": "0.8"}},
                {"competency_at_level": {"competency": solving, "level": level}},
                {"evidence": {"kinds": ["state_summative"], "count": 5, "minimum_share": "0.8"}},
                {"evidence": {"kinds": ["portfolio"], "count": 3, "minimum_share": "0.8"}},
            ]
        },
    }


def normalisers() -> list[dict[str, Any]]:
    """Return how each tool's scaled scores are read, matched by the platform that the tool names."""
    return [
        {
            "id": f"{DISTRICT}/normalisers/{platform.lower().replace(' ', '-')}",
            "version": 1,
            "title": f"Scores from {platform}: {minimum} to 1",
            "match": {"platform": platform},
            "scaled": {"minimum": minimum, "maximum": "1"},
        }
        for platform, minimum in (("Moodle", "-1"), ("H5P", "0"), ("Open edX", "0"))
    ]


def alignments(frame: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what each of the district's activities assesses."""
    uris = [competency["uri"] for competency in frame["competencies"]]
    return [
        {
            "activity": activity.uri,
            "competencies": [uris[number - 1] for number in activity.competencies],
            "kind": activity.kind,
        }
        for activity in activities()
    ]
