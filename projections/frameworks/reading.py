"""Frameworks and rubrics as people read them: what is live, in which order it is come by, what each version changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from lrs.errors import NotFound
from lrs.xapi.values import iso
from projections.documents import plain
from projections.frameworks.difference import difference, difference_shown
from projections.frameworks.documents import (
    REPLACED,
    SKILL_LEVEL,
    Association,
    Competency,
    Framework,
    Progression,
    state_alignments,
    without_levels,
)
from projections.frameworks.progression import depths, in_tree_order, order_of
from projections.frameworks.rubrics import Rubric, covered, shown
from projections.registry import Act, Acts
from projections.rulebook import document_key

Told = dict[str, Any]
KIND: Final = "framework"
NO_SCALE: Final = "the scale that it names is not published"
NO_ALIGNMENT: Final = "competencies are aligned to no standard of a state"
NO_EXEMPLAR: Final = "levels of its rubrics have no exemplar"
RING: Final = "progressions run in a ring"
LOOSE: Final = "progressions have an end outside the framework"


def frameworks_of(acts: Acts) -> list[Told]:
    """Return every framework that is live or a draft, each with what a list shows of it, in the order of their IRIs."""
    return [_heading(acts, act) for _, act in sorted(_current(acts).items())]


def framework_of(acts: Acts, key: str) -> Told:
    """Return a framework with its competencies in the order of the tree; raises NotFound."""
    act = _act_of(acts, key)
    framework: Framework = act.document
    draft = acts.drafts.get(framework.uri)
    return {
        **_heading(acts, act),
        "creator": framework.creator,
        "competencies": _competencies(framework),
        "retired": _retired(acts, framework.uri),
        "associations": [_association(one) for one in framework.associations],
        "rubrics": [_rubric_named(one) for one in framework.rubrics],
        "draft": _adoption(draft) if draft and draft is not act else None,
        "warnings": warnings_of(acts, framework),
    }


def progression_of(acts: Acts, key: str) -> Told:
    """Return in which order the competencies of a framework are come by, with rings and loose ends; raises NotFound."""
    framework: Framework = _act_of(acts, key).document
    order = order_of(framework)
    before, after = _neighbours(framework.progressions)
    steps = [
        {"uri": uri, "stage": order.stages[uri], "before": before.get(uri, []), "after": after.get(uri, [])}
        for uri in order.steps
    ]
    return {
        "uri": framework.uri,
        "steps": steps,
        "rings": [list(ring) for ring in order.rings],
        "dangling": [{"before": one.before, "after": one.after} for one in order.dangling],
    }


def versions_of(acts: Acts, key: str) -> Told:
    """Return every adoption of a framework, oldest first, each with what it changed; raises NotFound.

    A draft is held against the version that was live when it was adopted.
    """
    uri = _act_of(acts, key).document.uri
    live: Framework | None = None
    versions = []
    for act in acts.adoptions:
        if act.document.uri != uri:
            continue
        versions.append({**_adoption(act), "difference": difference_shown(difference(live, act.document))})
        live = act.document if act.document.status == "live" else live
    return {"uri": uri, "versions": versions}


def rubrics_of(acts: Acts) -> list[Told]:
    """Return every rubric by the name in addresses, in the order of their IRIs."""
    return [_rubric_named(one) for _, one in sorted(acts.rubrics.items())]


def rubric_of(acts: Acts, key: str) -> Told:
    """Return a rubric with its criteria and levels; raises NotFound."""
    for one in acts.rubrics.values():
        if document_key("rubric", one.id) == key:
            return {"key": key, **shown(one), "levels_without_exemplar": _bare_levels([one])}
    raise NotFound(f"{key!r} is none (as of this position); GET /api/v1/rubrics lists them")


def warnings_of(acts: Acts, framework: Framework) -> list[Told]:
    """Return what a registrar should look at, each with how often and the IRIs that it is about."""
    order = order_of(framework)
    is_lost = framework.scale is not None and (framework.scale.id, framework.scale.version) not in acts.scales
    aligned = state_alignments(framework)
    found = {
        NO_SCALE: [framework.scale.id] if framework.scale and is_lost else [],
        NO_ALIGNMENT: [one.uri for one in framework.competencies if one.uri not in aligned],
        NO_EXEMPLAR: [one.id for one in framework.rubrics if _bare_levels([one])],
        RING: sorted({uri for ring in order.rings for uri in ring}),
        LOOSE: sorted({uri for one in order.dangling for uri in (one.before, one.after)}),
    }
    return [{"warning": words, "count": len(uris), "uris": uris} for words, uris in found.items() if uris]


def _current(acts: Acts) -> dict[str, Act]:
    return {**acts.drafts, **acts.frameworks}


def _act_of(acts: Acts, key: str) -> Act:
    for uri, act in _current(acts).items():
        if document_key(KIND, uri) == key:
            return act
    raise NotFound(f"{key!r} is no framework (as of this position); GET /api/v1/frameworks lists them")


def _adoption(act: Act) -> Told:
    one: Framework = act.document
    return {
        "version": one.version,
        "status": one.status,
        "competency_count": len(one.competencies),
        "adopted": iso(act.timestamp),
        "statement_id": act.statement_id,
        "position": act.position,
    }


def _heading(acts: Acts, act: Act) -> Told:
    one: Framework = act.document
    return {
        "key": document_key(KIND, one.uri),
        "uri": one.uri,
        "title": one.title,
        **_adoption(act),
        "retired_count": len(_retired(acts, one.uri)),
        "scale": _scale(acts, one),
    }


def _scale(acts: Acts, framework: Framework) -> Told | None:
    """Return the scale whose levels hold for all; its levels are null while it is not published."""
    if framework.scale is None:
        return None
    named = {"id": framework.scale.id, "version": framework.scale.version}
    act = acts.scales.get((framework.scale.id, framework.scale.version))
    if act is None:
        return {**named, "title": None, "levels": None, "proficient": None}
    levels = [{"name": one.name, "minimum": plain(one.minimum)} for one in act.document.levels]
    return {**named, "title": act.document.title, "levels": levels, "proficient": act.document.proficient}


def _competencies(framework: Framework) -> list[Told]:
    deep, aligned = depths(framework.competencies), state_alignments(framework)
    bare = {framework.competencies[place].uri for place in without_levels(framework.competencies, framework.rubrics)}
    with_rubric = covered(framework.rubrics)
    later, skills = (_destinations(framework.associations, kind) for kind in (REPLACED, SKILL_LEVEL))
    return [
        {
            **_competency(one),
            "depth": deep[one.uri],
            "has_levels": framework.scale is not None or one.uri not in bare,
            "has_rubric": one.uri in with_rubric,
            "state_alignments": [_far_end(each, one.uri) for each in aligned.get(one.uri, ())],
            "replaced_by": later.get(one.uri, []),
            "skill_levels": skills.get(one.uri, []),
        }
        for one in in_tree_order(framework.competencies)
    ]


def _competency(one: Competency) -> Told:
    return {
        "uri": one.uri,
        "name": one.name,
        "code": one.code,
        "statement": one.statement,
        "parent": one.parent,
        "order": one.order,
        "facets": list(one.facets),
        "strand": one.strand,
    }


def _retired(acts: Acts, uri: str) -> list[Told]:
    return [
        {**_competency(one.known.competency), "retired": iso(one.by.timestamp), "statement_id": one.by.statement_id}
        for _, one in sorted(acts.retired.items())
        if one.by.document.uri == uri
    ]


def _association(one: Association) -> Told:
    return {"type": one.type, "origin": one.origin, "destination": one.destination, "title": one.title}


def _far_end(one: Association, own: str) -> Told:
    uri = one.destination if one.origin == own else one.origin
    return {"uri": uri, "title": one.title if one.destination == uri else None}


def _destinations(associations: Iterable[Association], kind: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in associations:
        if one.type == kind:
            found.setdefault(one.origin, []).append(one.destination)
    return found


def _neighbours(progressions: Iterable[Progression]) -> tuple[Mapping[str, list[str]], Mapping[str, list[str]]]:
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for one in progressions:
        before.setdefault(one.after, []).append(one.before)
        after.setdefault(one.before, []).append(one.after)
    return before, after


def _rubric_named(one: Rubric) -> Told:
    return {"key": document_key("rubric", one.id), "id": one.id, "title": one.title, "version": one.version}


def _bare_levels(rubrics: Sequence[Rubric]) -> int:
    return sum(not level.exemplars for one in rubrics for criterion in one.criteria for level in criterion.levels)
