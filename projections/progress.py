"""A learner's progress in three plain parts: what is mastered, what is missing, and what comes next.

In each framework the mastered competencies and the missing ones are together all that it has, and none is both. They
stand in the order of the framework's progression; next is whatever is missing and waits for nothing. Work habits are a
part of their own, and so are competencies that were retired: neither is ever missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import select

from lrs.xapi.values import iso, key64
from projections.frameworks.documents import Competency, Framework
from projections.frameworks.progression import order_of
from projections.ids import DecisionId, learner_key
from projections.mastery.knowledge import stored_at
from projections.mastery.reading import competency_map
from projections.mastery.tables import decision
from projections.mastery.timeline import STATUSES
from projections.registry import Act, Acts
from projections.rulebook import held_at
from projections.view import View

ACADEMIC: Final = "academic"
MASTERED: Final = "proficient"
SHOWN: Final = ("uri", "name", "code", "statement", "status", "level", "value", "decision")
NOTHING: Final[Mapping[str, Any]] = {
    "status": "no_evidence",
    "level": None,
    "value": None,
    "decision": None,
    "next_step": "",
}


def progress(view: View, learner: int) -> dict[str, Any]:
    """Return a learner's progress as of the view; raises NotFound."""
    return progress_from(view, competency_map(view, learner))


def progress_from(view: View, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the progress behind a map that was read through the view."""
    acts = view.acts()
    told = progress_of(found, acts, _retired(view, acts, learner_key(found["learner"]["id"])))
    rules = held_at(acts, sorted(acts.competencies), stored_at(view, view.position))
    return {**told, "rules": rules}


def _retired(view: View, acts: Acts, learner: int) -> list[dict[str, Any]]:
    """Return what was last decided on competencies that are retired; of most of them nothing ever was."""
    keys = {key64("competency", uri): one for uri, one in acts.retired.items()}
    columns = decision.c
    query = select(columns.competency, columns.position, columns.status, columns.level, columns.rounded).where(
        columns.build_id == view.build("mastery"),
        columns.learner == learner,
        columns.competency.in_(sorted(keys)),
        columns.position <= view.position,
    )
    last = {row.competency: row for row in view.connection.execute(query.order_by(columns.position))}
    found = [
        {
            **_named(keys[key].known.competency),
            "status": STATUSES[row.status],
            "level": row.level,
            "value": row.rounded,
            "decision": str(DecisionId(False, learner, key, row.position)),
            "retired": iso(keys[key].by.timestamp),
            "framework": keys[key].by.document.title,
        }
        for key, row in last.items()
    ]
    return sorted(found, key=lambda one: str(one["uri"]))


def progress_of(found: Mapping[str, Any], acts: Acts, retired: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return the progress behind a learner's map (`competency_map`), which it says the same as.

    `retired` are the standings in competencies that no framework has any more, in which something was decided.
    """
    standings = {one["uri"]: one for part in found["frameworks"] for one in part["competencies"]}
    parts = [_part(act.document, standings, lambda strand: strand == ACADEMIC) for act in _live(acts)]
    habits = [_part(act.document, standings, lambda strand: strand != ACADEMIC) for act in _live(acts)]
    return {
        "learner": found["learner"],
        "as_of": found["as_of"],
        "frameworks": [part for part in parts if _is_there(part)],
        "work_habits": [part for part in habits if _is_there(part)],
        "retired": list(retired),
    }


def _live(acts: Acts) -> list[Act]:
    return [act for _, act in sorted(acts.frameworks.items())]


def _is_there(part: Mapping[str, Any]) -> bool:
    return bool(part["mastered"] or part["missing"])


def _part(
    framework: Framework, standings: Mapping[str, Mapping[str, Any]], is_own: Callable[[str], bool]
) -> dict[str, Any]:
    """Return one strand of a framework, divided into what is mastered and what is missing."""
    order = order_of(framework)
    competencies = {one.uri: one for one in framework.competencies}
    told = {uri: _told(competencies[uri], standings.get(uri, NOTHING)) for uri in order.steps}
    own = [told[uri] for uri in order.steps if is_own(competencies[uri].strand)]
    missing = [one for one in own if one["status"] != MASTERED]
    before = _open_before(framework, order.steps, {one["uri"] for one in missing})
    for one in missing:
        one["waits_for"] = [{"uri": uri, "name": told[uri]["name"]} for uri in before.get(one["uri"], ())]
    return {
        "uri": framework.uri,
        "title": framework.title,
        "version": framework.version,
        "mastered": [one for one in own if one["status"] == MASTERED],
        "missing": missing,
        "next": [one for one in missing if not one["waits_for"]],
    }


def _named(one: Competency) -> dict[str, Any]:
    return {"uri": one.uri, "name": one.name, "code": one.code, "statement": one.statement}


def _told(competency: Competency, standing: Mapping[str, Any]) -> dict[str, Any]:
    known = {**NOTHING, **standing, **_named(competency)}
    found = {name: known[name] for name in SHOWN}
    return found if found["status"] == MASTERED else {**found, "next_step": known["next_step"]}


def _open_before(framework: Framework, steps: Iterable[str], missing: set[str]) -> dict[str, list[str]]:
    """Return which missing competencies each one waits for, in order; what would close a ring is waited for by none."""
    places = {uri: place for place, uri in enumerate(steps)}
    found: dict[str, list[str]] = {}
    for one in framework.progressions:
        if one.before in missing and one.after in places and places[one.before] < places[one.after]:
            found.setdefault(one.after, []).append(one.before)
    return {uri: sorted(set(own), key=places.__getitem__) for uri, own in found.items()}
