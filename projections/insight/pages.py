"""The pages of analysts: cohorts, and studies of what another rule would have said."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, render_template, request

from lrs.errors import Forbidden
from lrs.web import layout
from lrs.web.session import analyst
from projections.answering import view_for
from projections.insight import studies
from projections.insight.asking import engine_here, sees_learners
from projections.insight.cohort_resources import ONLY_WHOLE, cohorts_told, readiness_told, released_told
from projections.insight.people import FAMILIES, people_of
from projections.insight.studies import competency_names
from projections.insight.study_resources import study_here, summary, told_of
from projections.mastery.timeline import STATUSES
from projections.view import View
from projections.wording import STATUS_WORDS

blueprint = Blueprint("insight_pages", __name__, template_folder="../templates")
MOST_CHANGES = 200
FAMILY_WORDS = {"everyone": "All learners", "school": "School", "grade": "Grade", "subgroup": "Subgroup"}
CHANGE_WORDS = {
    "gained": "Would be proficient",
    "lost": "Would not be proficient yet",
    "changed_level": "Would stand elsewhere",
    "unchanged": "Unchanged",
}


def register(app: Flask) -> None:
    """Add the pages; those who may not see learners have a way to them too."""
    app.register_blueprint(blueprint)
    layout.add_link(app, "Cohorts", "insight_pages.cohorts", is_for_analysts=True)
    layout.add_link(app, "Studies", "insight_pages.study_list", is_for_analysts=True)


@blueprint.get("/cohorts")
def cohorts() -> str:
    """Show who stands where in one competency: everybody, and every group."""
    reader = analyst()
    sees = sees_learners(reader)
    if not sees and (request.args.get(layout.AS_OF) or any(request.args.get(family) for family in FAMILIES)):
        raise Forbidden(ONLY_WHOLE)
    with view_for(reader, request.args.get(layout.AS_OF) or None) as view:
        names = competency_names(view.acts())
        uris = sorted(view.acts().competencies, key=lambda uri: (names[uri], uri))
        chosen = request.args.get("competency") or (uris[0] if uris else None)
        return render_template(
            "cohorts.html",
            as_of=view.as_of(),
            competencies=[(uri, names[uri]) for uri in uris],
            chosen=chosen,
            statuses=[(status, STATUS_WORDS[status]) for status in reversed(STATUSES)],
            families=FAMILY_WORDS,
            sees=sees,
            **_shown(view, chosen, sees=sees),
        )


def _shown(view: View, competency: str | None, *, sees: bool) -> dict[str, Any]:
    if competency is None:
        return {"one": None, "least": None, "choices": {}, "within": {}, "ready": None}
    within = {family: request.args.get(family) or None for family in FAMILIES}
    asked = {"competency": competency, "after": None, "limit": 1, "as_of": None, **within}
    told = cohorts_told(view, asked) if sees else released_told(view, asked)
    choices = {family: list(groups) for family, groups in people_of(view).families.items()} if sees else {}
    return {
        "one": next(iter(told["competencies"]), None),
        "least": told["least"],
        "choices": choices,
        "within": within,
        "ready": readiness_told(view, asked) if sees else None,
    }


@blueprint.get("/studies")
def study_list() -> str:
    """Show the studies, newest first."""
    reader = analyst()
    with view_for(reader, None) as view, engine_here().connect() as connection:
        found = [summary(one) for one in studies.studies(connection, reader.log.log_id)]
        return render_template("studies.html", as_of=view.as_of(), studies=found)


@blueprint.get("/studies/<name>")
def study(name: str) -> str:
    """Show what a study found: numbers first, and the learners for who may see them."""
    reader = analyst()
    one = study_here(reader, name)
    sees = sees_learners(reader)
    with view_for(reader, None) as view:
        changes = one.found()["changes"] if sees and one.result is not None else []
        return render_template(
            "study.html",
            as_of=view.as_of(),
            study=summary(one),
            found=None if one.result is None else told_of(one, reader),
            changes=changes[:MOST_CHANGES],
            count=len(changes),
            sees=sees,
            change_words=CHANGE_WORDS,
            status_words=STATUS_WORDS,
            families={"competency": "Competency", **{family: FAMILY_WORDS[family] for family in FAMILIES}},
        )
