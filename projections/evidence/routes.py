"""The pages of evidence: a learner's evidence, the assessment registry, and which accounts are one learner's."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template, request

from lrs.errors import InvalidRequest, Problem
from lrs.web import layout
from lrs.web.session import reader
from projections.answering import view_for
from projections.evidence.listing import assessments_shown, evidence_held, evidence_shown, identities_shown
from projections.ids import learner_id, learner_key
from projections.view import learner_named

PAGE = 50
blueprint = Blueprint("evidence_pages", __name__, template_folder="../templates")


def register(app: Flask) -> None:
    """Add the pages."""
    app.register_blueprint(blueprint)
    layout.add_link(app, "Assessments", "evidence_pages.assessments")
    layout.add_link(app, "Accounts", "evidence_pages.identities")
    layout.add_link(app, "Quarantine", "pages.quarantine")


@blueprint.get("/learners/<learner>/evidence")
def evidence(learner: str) -> str:
    """Show a learner's evidence, newest first, each piece with what made it one."""
    page = _page()
    with view_for(reader(), request.args.get(layout.AS_OF) or None) as view:
        key = learner_key(learner)
        who = learner_named(view, key)
        rows = evidence_held(view, key)[::-1]
        acts = view.acts()
        return render_template(
            "evidence.html",
            as_of=view.as_of(),
            learner={"id": learner_id(key), **who},
            evidence=evidence_shown(view, rows[(page - 1) * PAGE : page * PAGE]),
            names={iri: known.competency.name for iri, known in acts.competencies.items()},
            count=len(rows),
            page=page,
            pages=max(1, -(-len(rows) // PAGE)),
        )


@blueprint.get("/assessments")
def assessments() -> str:
    """Show the assessment registry."""
    with view_for(reader(), request.args.get(layout.AS_OF) or None) as view:
        return render_template("assessments.html", as_of=view.as_of(), assessments=assessments_shown(view))


@blueprint.get("/identities")
def identities() -> str:
    """Show which accounts are linked to which learner, and what contradicts."""
    with view_for(reader(), request.args.get(layout.AS_OF) or None) as view:
        return render_template("identities.html", as_of=view.as_of(), identities=identities_shown(view))


def _page() -> int:
    given = request.args.get("page", "1")
    if not (given.isdecimal() and 1 <= int(given) <= 1_000_000):
        raise InvalidRequest("the page must be a whole number from 1 on", [Problem("?page", "write 1, 2, 3 …")])
    return int(given)
