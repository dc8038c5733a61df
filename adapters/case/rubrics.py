"""The rubrics of a CASE package as ours: criteria with levels, scores and exemplars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from adapters.case.findings import Finding
from adapters.case.package import Json, Link, Node, end, iri, names_of, nodes, text
from adapters.case.values import number_in, whole_in
from projections.documents import MOST_CHARACTERS, plain

EXEMPLARS: Final = "cairn:exemplars"
"""The IRIs of work that shows a level; CASE has an association of type exemplar for it, or nothing."""

_EXEMPLAR: Final = "exemplar"
_MOST: Final = Decimal(999_999_999)


def of_package(
    package: Json, links: Iterable[Link], items: Mapping[str, Node]
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Return the rubrics of a package, and what was left out of them."""
    known = {name: node.uri for node in items.values() for name in names_of(node)}
    exemplars: dict[str, list[str]] = {}
    for link in links:
        if link.type == _EXEMPLAR and link.destination:
            exemplars.setdefault(link.origin, []).append(link.destination)
    rows = nodes(package, "CFRubrics")
    found = {row.uri: _rubric(row, known, exemplars) for row in rows if row.uri}
    return list(found.values()), [*_bent(rows)]


def _rubric(row: Node, known: Mapping[str, str], exemplars: Mapping[str, list[str]]) -> dict[str, Any]:
    criteria = {one.uri: _criterion(one, known, exemplars) for one in _placed(row, "CFRubricCriteria") if one.uri}
    title = text(row.body.get("title")) or row.uri
    return {"id": row.uri, "title": _short(title), **_words(row.body, "description"), "criteria": [*criteria.values()]}


def _criterion(row: Node, known: Mapping[str, str], exemplars: Mapping[str, list[str]]) -> dict[str, Any]:
    competency = end(row.body.get("CFItemURI"), known) if row.body.get("CFItemURI") else ""
    weight = _exact(row.body.get("weight"))
    return {
        "id": row.uri,
        **_words(row.body, "category", "description"),
        **({"competency": competency} if competency else {}),
        **({"weight": weight} if weight else {}),
        "levels": [_level(one, number, exemplars) for number, one in enumerate(_levels(row), 1)],
    }


def _level(row: Node, number: int, exemplars: Mapping[str, list[str]]) -> dict[str, Any]:
    score = _exact(row.body.get("score"))
    shown = dict.fromkeys([*_listed(row.body), *exemplars.get(row.uri, ())])
    return {
        "quality": _short(text(row.body.get("quality")) or f"Level {number}"),
        **({"score": score} if score else {}),
        **_words(row.body, "description", "feedback"),
        **({"exemplars": list(shown)} if shown else {}),
    }


def _levels(row: Node) -> list[Node]:
    return _placed(row, "CFRubricCriterionLevels")


def _placed(row: Node, key: str) -> list[Node]:
    """Return the members of a list in the order of their positions, those without one behind, as they came."""
    found = [Node(f"{row.place}{one.place}", one.uri, one.body) for one in nodes(row.body, key)]
    positions = [whole_in(one.body.get("position")) for one in found]
    order = sorted(range(len(found)), key=lambda place: (positions[place] is None, positions[place] or 0))
    return [found[place] for place in order]


def _listed(level: Json) -> Iterator[str]:
    """Yield the exemplars that stand in our extension; CASE has the extensions of a level as a list."""
    told = level.get("extensions")
    for one in told if isinstance(told, list) else [told]:
        found = one.get(EXEMPLARS) if isinstance(one, Mapping) else None
        yield from (uri for uri in map(iri, found if isinstance(found, list) else ()) if uri)


def _words(body: Json, *keys: str) -> dict[str, str]:
    return {key: _short(text(body.get(key))) for key in keys if text(body.get(key))}


def _short(words: str) -> str:
    return words[:MOST_CHARACTERS]


def _exact(value: object) -> str | None:
    """Return a number that is not negative as a decimal with at most nine places."""
    number = number_in(value)
    if number is None:
        return None
    exact = round(Decimal(str(number)), 9) if abs(number) <= _MOST else Decimal(-1)
    return plain(exact) if exact >= 0 else None


def _bent(rows: Sequence[Node]) -> Iterator[Finding]:
    for row in rows:
        if not row.uri:
            yield Finding("rubric with neither identifier nor uri; left out", row.place)
        for criterion in _placed(row, "CFRubricCriteria"):
            if not criterion.uri:
                yield Finding("criterion with neither identifier nor uri; left out", criterion.place)
            for level in _levels(criterion):
                if _exact(level.body.get("score")) is None:
                    yield Finding("level without a score that is a number from 0 on; kept without", level.place)
