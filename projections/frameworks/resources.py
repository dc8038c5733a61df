"""`/api/v1/frameworks` and `/api/v1/rubrics`: what can be mastered, for whoever may read a district's records."""

from __future__ import annotations

from operator import itemgetter
from typing import Final

from flask import Blueprint, Flask

from lrs.resources import openapi
from lrs.resources.schemas import STRING, array
from projections.answering import AFTER, AS_OF, Paged, Told, listed_after, reading, told_as
from projections.frameworks.reading import (
    framework_of,
    frameworks_of,
    progression_of,
    rubric_of,
    rubrics_of,
    versions_of,
)
from projections.view import View

OBJECT: Final = {"type": "object"}
blueprint = Blueprint("frameworks", __name__, url_prefix="/api/v1")


def register(app: Flask) -> None:
    """Add the resources."""
    app.register_blueprint(blueprint)
    openapi.describe(app, OPERATIONS)


@blueprint.get("/frameworks")
@reading(Paged())
def frameworks(view: View, after: str | None, limit: int) -> Told:
    """List the frameworks that are live or drafts, in the order of their keys."""
    page, behind = listed_after(frameworks_of(view.acts()), after, limit, itemgetter("key"))
    return {"as_of": view.as_of(), "frameworks": list(page), "after": behind}


@blueprint.get("/frameworks/<key>")
@reading()
def framework(view: View, key: str) -> Told:
    """Tell a framework: its competencies in the order of the tree, levels, alignments, and what is retired."""
    return {"as_of": view.as_of(), **framework_of(view.acts(), key)}


@blueprint.get("/frameworks/<key>/progression")
@reading()
def progression(view: View, key: str) -> Told:
    """Tell in which order the competencies of a framework are come by."""
    return {"as_of": view.as_of(), **progression_of(view.acts(), key)}


@blueprint.get("/frameworks/<key>/versions")
@reading()
def versions(view: View, key: str) -> Told:
    """List every adoption of a framework, oldest first, with what each added, changed and retired."""
    return {"as_of": view.as_of(), **versions_of(view.acts(), key)}


@blueprint.get("/rubrics")
@reading(Paged())
def rubrics(view: View, after: str | None, limit: int) -> Told:
    """List the rubrics that are published or part of a live framework, in the order of their keys."""
    page, behind = listed_after(rubrics_of(view.acts()), after, limit, itemgetter("key"))
    return {"as_of": view.as_of(), "rubrics": list(page), "after": behind}


@blueprint.get("/rubrics/<key>")
@reading()
def rubric(view: View, key: str) -> Told:
    """Tell a rubric: criteria, their levels from low to high, and exemplars."""
    return {"as_of": view.as_of(), **rubric_of(view.acts(), key)}


OPERATIONS: Final = {
    "frameworks.frameworks": told_as(
        "A page of frameworks", Paged(), as_of=AS_OF, frameworks=array(OBJECT), after=AFTER
    ),
    "frameworks.framework": told_as(
        "The framework", as_of=AS_OF, key=STRING, uri=STRING, title=STRING, version=STRING, status=STRING,
        competencies=array(OBJECT), retired=array(OBJECT), rubrics=array(OBJECT), warnings=array(OBJECT),
    ),
    "frameworks.progression": told_as(
        "The order", as_of=AS_OF, uri=STRING, steps=array(OBJECT), rings=array(array(STRING)), dangling=array(OBJECT)
    ),
    "frameworks.versions": told_as("The adoptions", as_of=AS_OF, uri=STRING, versions=array(OBJECT)),
    "frameworks.rubrics": told_as("A page of rubrics", Paged(), as_of=AS_OF, rubrics=array(OBJECT), after=AFTER),
    "frameworks.rubric": told_as(
        "The rubric", as_of=AS_OF, key=STRING, id=STRING, title=STRING, criteria=array(OBJECT)
    ),
}  # fmt: skip
"""What the views above take and answer, for the OpenAPI document."""
