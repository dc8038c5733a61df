"""The trail of a decision as a timeline: what each position of the log brought about, and who posted it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import select

from lrs.store.search import at
from lrs.web.wording import first_text
from lrs.xapi.decode import stored_statement
from projections.audit.reading import trail
from projections.credit.tables import credit_decision
from projections.credit.timeline import OUTCOMES
from projections.ids import DecisionId, decision_key
from projections.mastery.tables import decision
from projections.mastery.timeline import STATUSES
from projections.registry import Acts
from projections.view import View
from projections.wording import STATUS_WORDS, subjects_of

Step = Mapping[str, Any]
ERASED: Final = "a statement whose text was erased"
WORDS: Final = {
    "published": "Published",
    "withdrawn": "Withdrawn",
    "evidence": "Evidence came in",
    "evidence_ended": "No longer evidence",
}


def timeline(view: View, wanted: DecisionId, acts: Acts) -> list[dict[str, Any]]:
    """Return the trail by positions: the statement that stands there, and a line for each thing that followed."""
    steps = trail(view, wanted)
    titles = _titles(view, steps)
    answers = _answers(view, steps)
    subjects = subjects_of(acts)
    return [
        {
            "position": position,
            "statement": _cause(group[0]),
            "lines": [_line(step, titles, answers, subjects, str(wanted)) for step in group],
        }
        for position, group in ((key, list(found)) for key, found in groupby(steps, key=itemgetter("position")))
    ]


def _cause(step: Step) -> Any:
    """Return the statement that stands at a step's position."""
    return next(
        step[name] for name in ("brought_about_by", "ended_by", "caused_by", "statement") if step.get(name) is not None
    )


def _line(
    step: Step, titles: Mapping[int, str], answers: Mapping[str, str], subjects: Mapping[int, str], wanted: str
) -> dict[str, Any]:
    """Return one thing that happened: its words, and the decision or the statement that it leads to."""
    if step["step"] in {"mastery_decision", "credit_decision"}:
        key = decision_key(step["decision_id"])
        words = f"{subjects.get(key.subject, 'A subject that is no longer known')}: {answers[step['decision_id']]}"
        return {
            "tone": "decided",
            "words": words,
            "decision": step["decision_id"],
            "is_this": step["decision_id"] == wanted,
        }
    about = step["statement"]
    title = _document_words(step["document"]) if "document" in step else titles.get(about["position"], ERASED)
    found = {"tone": step["step"], "about": about, "is_elsewhere": about["position"] != step["position"]}
    return {**found, "words": f"{WORDS[step['step']]}: {title}"}


def _document_words(document: Mapping[str, Any]) -> str:
    """Return what an act carries: of which kind, its title or what it is about, and its version."""
    if document["kind"] == "alignment":
        return f"alignment of {document['id']}"
    version = f", version {document['version']}" if document["version"] else ""
    return f"{document['kind']} {document['title'] or document['id']}{version}"


def _titles(view: View, steps: Iterable[Step]) -> dict[int, str]:
    """Return what the statements of a trail are about, in words, by position."""
    positions = sorted({step["statement"]["position"] for step in steps if step.get("statement")})
    found = {}
    for one in at(view.log_connection, view.log.log_id, positions):
        about = stored_statement(one.body or b"{}").get("object", {})
        found[one.position] = first_text(about.get("definition", {}).get("name")) or str(about.get("id", ERASED))
    return found


def _answers(view: View, steps: Iterable[Step]) -> dict[str, str]:
    """Return what each decision of a trail says, by its id."""
    wanted = [decision_key(step["decision_id"]) for step in steps if "decision_id" in step]
    if not wanted:
        return {}
    return _mastery_answers(view, wanted) | _credit_answers(view, wanted)


def _mastery_answers(view: View, wanted: list[DecisionId]) -> dict[str, str]:
    columns = decision.c
    query = select(columns.competency, columns.position, columns.status, columns.level).where(
        columns.build_id == view.build("mastery"),
        columns.learner == wanted[0].learner,
        columns.position.in_(sorted({one.position for one in wanted})),
    )
    return {
        str(DecisionId(False, wanted[0].learner, row.competency, row.position)): _standing(row)
        for row in view.connection.execute(query.order_by(columns.competency, columns.position))
    }


def _standing(row: Any) -> str:
    status = STATUS_WORDS[STATUSES[row.status]]
    return f"{status} ({row.level})" if row.level else status


def _credit_answers(view: View, wanted: list[DecisionId]) -> dict[str, str]:
    columns = credit_decision.c
    query = select(columns.policy, columns.position, columns.outcome).where(
        columns.build_id == view.build("credit"),
        columns.learner == wanted[0].learner,
        columns.position.in_(sorted({one.position for one in wanted})),
    )
    return {
        str(DecisionId(True, wanted[0].learner, row.policy, row.position)): STATUS_WORDS[OUTCOMES[row.outcome]]
        for row in view.connection.execute(query.order_by(columns.policy, columns.position))
    }
