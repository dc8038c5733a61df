"""The pages of the frameworks: what can be mastered, in which order, at which levels, and what each version changed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, render_template, request

from lrs.web import layout
from lrs.web.session import reader
from projections.answering import view_for
from projections.frameworks.reading import framework_of, frameworks_of, progression_of, rubric_of, versions_of

Told = dict[str, Any]
blueprint = Blueprint("framework_pages", __name__, template_folder="../templates")


def register(app: Flask) -> None:
    """Add the pages."""
    app.register_blueprint(blueprint)
    layout.add_link(app, "Frameworks", "framework_pages.frameworks")


@blueprint.get("/frameworks")
def frameworks() -> str:
    """Show every framework that is live or a draft."""
    with view_for(reader(), request.args.get(layout.AS_OF) or None) as view:
        return render_template("frameworks.html", as_of=view.as_of(), frameworks=frameworks_of(view.acts()))


@blueprint.get("/frameworks/<key>")
def framework(key: str) -> str:
    """Show one framework: its tree, its progression, its alignments and its versions."""
    with view_for(reader(), request.args.get(layout.AS_OF) or None) as view:
        acts = view.acts()
        found = framework_of(acts, key)
        names = {one["uri"]: _name(one) for one in (*found["competencies"], *found["retired"])}
        order = progression_of(acts, key)
        return render_template(
            "framework.html",
            as_of=view.as_of(),
            one=found,
            names=names,
            steps=[_step(step, names) for step in order["steps"]],
            has_order=any(step["before"] or step["after"] for step in order["steps"]),
            versions=[*reversed(versions_of(acts, key)["versions"])],
        )


@blueprint.get("/rubrics/<key>")
def rubric(key: str) -> str:
    """Show one rubric: what is looked at, and what each level means."""
    with view_for(reader(), request.args.get(layout.AS_OF) or None) as view:
        acts = view.acts()
        names = {
            uri: _name({"name": one.competency.name, "code": one.competency.code})
            for uri, one in acts.competencies.items()
        }
        return render_template("rubric.html", as_of=view.as_of(), one=rubric_of(acts, key), names=names)


def _step(step: Told, names: dict[str, str]) -> Told:
    """Return a step with what it follows in words; an end outside the framework goes by its IRI."""
    return {**step, "name": names[step["uri"]], "after_names": [names.get(uri, uri) for uri in step["before"]]}


def _name(one: Told) -> str:
    return f"{one['code']} {one['name']}" if one["code"] and one["code"] != one["name"] else str(one["name"])
