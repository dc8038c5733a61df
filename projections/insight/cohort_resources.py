"""`/api/v1/cohorts`: how many stand where, who left gaps behind, who is ready for what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import fields

from lrs.errors import Forbidden, NotFound
from lrs.resources.auth import READ_AGGREGATES, credential
from lrs.resources.schemas import STRING, array
from projections.answering import AFTER, AS_OF, AsOf, Paged, Told, listed_after, reading, told_as
from projections.ids import learner_id
from projections.insight.asking import blueprint, engine_here, object_with, sees_learners, smallest_group
from projections.insight.cohorts import Reader, named, report
from projections.insight.people import FAMILIES, People, people_of
from projections.insight.prerequisites import gaps, prerequisites, readiness
from projections.insight.releases import released
from projections.insight.standings import Measure, measures, stands
from projections.insight.studies import competency_names
from projections.insight.suppression import Members
from projections.view import View

ONLY_WHOLE = (
    "whoever may not see learners is told of all groups at once and as of the newest release: "
    "leave out as_of, school, grade and subgroup"
)


class CohortQuery(Paged):
    """The query of the cohorts: a page begins behind the competency `after`; a group narrows everything to it."""

    competency = fields.String(load_default=None)
    school = fields.String(load_default=None)
    grade = fields.String(load_default=None)
    subgroup = fields.String(load_default=None)


class Within(AsOf):
    """The query of what is told of one group, or of everybody."""

    school = fields.String(load_default=None)
    grade = fields.String(load_default=None)
    subgroup = fields.String(load_default=None)


class ReadyQuery(Within):
    """The query of who is ready for a competency."""

    competency = fields.String(required=True)


@blueprint.get("/cohorts")
@reading(CohortQuery(), READ_AGGREGATES)
def cohorts(view: View, **asked: Any) -> Told:
    """Count who stands where, by school, grade and subgroup; coded for who may not see learners."""
    if sees_learners(credential()):
        return cohorts_told(view, asked)
    if any(name in request.args for name in ("as_of", *FAMILIES)):
        raise Forbidden(ONLY_WHOLE)
    return released_told(view, asked)


def cohorts_told(view: View, asked: Mapping[str, Any]) -> Told:
    """Return a page of the exact cohorts."""
    people = people_of(view).within({family: asked[family] for family in FAMILIES})
    names = competency_names(view.acts())
    page, after = listed_after(_wanted(view, asked["competency"]), asked["after"], asked["limit"], str)
    reader = Reader(sees_learners=True, least=1)
    found = [named(one, names, report(people, one, reader)) for one in measures(people, stands(view), page)]
    return {"as_of": view.as_of(), "coded": False, "least": None, "competencies": found, "after": after}


def released_told(view: View, asked: Mapping[str, Any]) -> Told:
    """Return a page of the newest release."""
    found = released(view, engine_here(), smallest_group())
    wanted = {one["uri"]: one for one in found["competencies"]}
    if asked["competency"] is not None:
        wanted = {uri: one for uri, one in wanted.items() if uri == asked["competency"]}
    page, after = listed_after(wanted, asked["after"], asked["limit"], str)
    told = {"coded": True, "least": found["least"], "competencies": [wanted[uri] for uri in page], "after": after}
    return {"as_of": view.as_of(), **told}


def _wanted(view: View, competency: str | None) -> list[str]:
    known = sorted(view.acts().competencies)
    if competency is None:
        return known
    if competency not in known:
        raise NotFound(f"{competency} is no competency of a live framework; GET /api/v1/frameworks lists them")
    return [competency]


@blueprint.get("/cohorts/gaps")
@reading(Within())
def cohort_gaps(view: View, **asked: Any) -> Told:
    """List who has begun a competency without being proficient in what comes right before it."""
    people, known = _measured(view, asked)
    before = prerequisites(view.acts())
    names = competency_names(view.acts())
    found = [
        {
            "before": _of(names, one.before),
            "after": _of(names, one.after),
            "learners": learners_of(people, one.members),
        }
        for one in gaps(before, known, people.everyone)
    ]
    return {"as_of": view.as_of(), "gaps": found, "rings": [list(ring) for ring in before.rings]}


@blueprint.get("/cohorts/ready")
@reading(ReadyQuery())
def cohort_ready(view: View, **asked: Any) -> Told:
    """List who is ready for a competency, and who needs which other one first."""
    return readiness_told(view, asked)


def readiness_told(view: View, asked: Mapping[str, Any]) -> Told:
    """Return who is ready for a competency, and who needs what first; raises NotFound."""
    _wanted(view, asked["competency"])
    people, known = _measured(view, asked)
    names = competency_names(view.acts())
    found = readiness(prerequisites(view.acts()), known, people.everyone, asked["competency"])
    needs = [
        {"competency": _of(names, iri), "learners": learners_of(people, members)}
        for iri, members in found.needs.items()
    ]
    ready = learners_of(people, found.ready)
    return {"as_of": view.as_of(), "competency": _of(names, asked["competency"]), "ready": ready, "needs": needs}


def _measured(view: View, asked: Mapping[str, Any]) -> tuple[People, dict[str, Measure]]:
    people = people_of(view).within({family: asked[family] for family in FAMILIES})
    found = measures(people, stands(view), sorted(view.acts().competencies))
    return people, {one.competency: one for one in found}


def _of(names: Mapping[str, str], iri: str) -> dict[str, str]:
    return {"uri": iri, "name": names[iri]}


def learners_of(people: People, members: Members) -> list[str]:
    """Return the learners of a group by the names that they have in addresses."""
    return [learner_id(learner) for learner in people.keys(members)]


OBJECT = {"type": "object"}
_LEARNERS = array(STRING)
_NEED = object_with(competency=OBJECT, learners=_LEARNERS)


OPERATIONS = {
    "insight.cohorts": told_as(
        "A page of competencies, each with everybody and every group", CohortQuery(),
        scopes=READ_AGGREGATES, refusals=(400, 403, 404), as_of=AS_OF, coded={"type": "boolean"},
        least={"type": ["integer", "null"]}, competencies=array(OBJECT), after=AFTER,
    ),
    "insight.cohort_gaps": told_as(
        "Every gap, and the rings of the progressions", Within(),
        as_of=AS_OF, gaps=array(object_with(before=OBJECT, after=OBJECT, learners=_LEARNERS)), rings=array(_LEARNERS),
    ),
    "insight.cohort_ready": told_as(
        "Who is ready, and who needs what first", ReadyQuery(),
        as_of=AS_OF, competency=OBJECT, ready=_LEARNERS, needs=array(_NEED),
    ),
}  # fmt: skip
"""What the views above take and answer, for the OpenAPI document."""
