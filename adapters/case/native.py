"""A framework that was adopted from no CASE package, as a package that another server can import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.case.package import PARENT, PROGRESSION
from adapters.case.rubrics import EXEMPLARS
from adapters.case.strict import Strict, strict_package
from adapters.case.translate import FACET, FORMAT, SCALE, STRAND
from adapters.case.values import made_uuid, number_in
from projections.documents import Document

Json = dict[str, Any]


def exported(document: Document, moment: str) -> Strict:
    """Return the strict package of a framework as it was adopted: of the package that it came from, else of itself.

    `moment` (RFC 3339) is that of the adoption, for what names no time of its own.
    """
    source = document.get("source")
    if isinstance(source, Mapping) and source["format"] == FORMAT:
        return strict_package(source["package"], moment)
    return strict_package(package_of(document), moment)


def package_of(document: Document) -> Json:
    """Return a framework document as a CASE package; strand, facets and scale stand in extensions."""
    titles = {document["uri"]: document["title"]} | {one["uri"]: one["name"] for one in document["competencies"]}
    extensions = {"extensions": {SCALE: document["scale"]}} if "scale" in document else {}
    about = {"identifier": made_uuid(document["uri"]), "uri": document["uri"], "title": document["title"]}
    creator = {"creator": document["creator"]} if "creator" in document else {}
    return {
        "CFDocument": {**about, **creator, "version": document["version"], **extensions},
        "CFItems": [_item(one) for one in document["competencies"]],
        "CFAssociations": [_association(*link, titles) for link in _links(document)],
        "CFRubrics": [_rubric(one, titles) for one in document.get("rubrics", ())],
    }


def _item(one: Document) -> Json:
    told = {STRAND: one.get("strand"), FACET: one.get("facets")}
    extensions = {name: value for name, value in told.items() if value}
    code = {"humanCodingScheme": one["code"]} if "code" in one else {}
    return {
        "identifier": made_uuid(one["uri"]),
        "uri": one["uri"],
        "fullStatement": one["statement"],
        "abbreviatedStatement": one["name"],
        **code,
        **({"extensions": extensions} if extensions else {}),
    }


def _links(document: Document) -> Iterator[tuple[str, str, str, Json]]:
    """Yield (type, origin, destination, what else is known) of every association that the framework stands for."""
    for one in document["competencies"]:
        order = {"sequenceNumber": one["order"]} if "order" in one else {}
        yield PARENT, one["uri"], one.get("parent", document["uri"]), order
    for one in document.get("progressions", ()):
        yield PROGRESSION, one["before"], one["after"], {}
    for one in document.get("associations", ()):
        yield one["type"], one["origin"], one["destination"], {"title": one["title"]} if "title" in one else {}


def _association(kind: str, origin: str, destination: str, more: Json, titles: Mapping[str, str]) -> Json:
    ends = _end(origin, titles), _end(destination, titles)
    if "title" in more:
        ends[1]["title"] = more["title"]
    order = {"sequenceNumber": more["sequenceNumber"]} if "sequenceNumber" in more else {}
    return {"associationType": kind, **order, "originNodeURI": ends[0], "destinationNodeURI": ends[1]}


def _end(uri: str, titles: Mapping[str, str]) -> Json:
    return {"title": titles.get(uri, uri), "identifier": made_uuid(uri), "uri": uri}


def _rubric(one: Document, titles: Mapping[str, str]) -> Json:
    criteria = [_criterion(criterion, place, titles) for place, criterion in enumerate(one["criteria"], 1)]
    return {**_named(one["id"]), **_words(one, "title", "description"), "CFRubricCriteria": criteria}


def _criterion(one: Document, place: int, titles: Mapping[str, str]) -> Json:
    item = {"CFItemURI": _end(one["competency"], titles)} if "competency" in one else {}
    weight = {"weight": number_in(one["weight"])} if "weight" in one else {}
    levels = [_level(level, number, one["id"]) for number, level in enumerate(one["levels"], 1)]
    words = _words(one, "category", "description")
    return {**_named(one["id"]), **words, **item, **weight, "position": place, "CFRubricCriterionLevels": levels}


def _level(one: Document, place: int, criterion: str) -> Json:
    score = {"score": number_in(one["score"])} if "score" in one else {}
    exemplars = {"extensions": [{EXEMPLARS: one["exemplars"]}]} if one.get("exemplars") else {}
    words = _words(one, "quality", "description", "feedback")
    return {"identifier": made_uuid(f"{criterion} level {place}"), **words, **score, "position": place, **exemplars}


def _named(uri: str) -> Json:
    return {"identifier": made_uuid(uri), "uri": uri}


def _words(one: Document, *names: str) -> Json:
    return {name: one[name] for name in names if name in one}
