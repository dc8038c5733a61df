"""The findings of a what-if: in total, by competency, school, grade and subgroup, and every change with its cause.

The same question gives the same findings, byte for byte; nothing in them tells when or where they were made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from lrs.xapi.values import key64
from projections.ids import learner_id
from projections.insight.comparing import CHANGES, Difference
from projections.insight.people import FAMILIES, People
from projections.insight.roster import where
from projections.insight.suppression import (
    Family,
    Members,
    hidden_for,
    hidden_siblings,
    shares_of,
    size_of,
)
from projections.insight.what_if import Answer

Told = dict[str, Any]
NO_SUBGROUP: Final = "(no subgroup)"
NO_GRADE: Final = "(no grade)"


class Names(NamedTuple):
    """What the keys of competencies stand for."""

    iris: Mapping[int, str]
    titles: Mapping[str, str]

    def of(self, key: int) -> tuple[str, str]:
        """Return the IRI and the name of a competency; one that is in no framework any more has its key."""
        iri = self.iris.get(key, f"(unknown competency {key})")
        return iri, self.titles.get(iri, iri)


def names_of(known: Mapping[str, str]) -> Names:
    """Return the names of competencies by IRI, to be found by key too."""
    return Names({key64("competency", iri): iri for iri in known}, known)


class Item(NamedTuple):
    """One compared key: whose, of what, and what became of it."""

    learner: int
    competency: int
    change: str


def findings(answer: Answer, people: People, names: Names, least: int) -> Told:
    """Return the findings, with `coded`: what those are told who may not see learners."""
    items = [Item(one.learner, one.competency, one.change) for one in answer.differences]
    items += [Item(*key, "unchanged") for key in answer.unchanged]
    groups = {"competency": _by(items, lambda one: [names.of(one.competency)[0]])}
    for family in FAMILIES:
        groups[family] = _by(items, lambda one, family=family: _enrolled(people, family, one.learner))
    return {
        "totals": {"learners": len({one.learner for one in items}), **_counts(items)},
        **{
            f"by_{family}": [_told(name, names, own) for name, own in sorted(found.items())]
            for family, found in groups.items()
        },
        "changes": [_change(one, people, names) for one in sorted(answer.differences, key=lambda one: one[:2])],
        "coded": _coded(items, people, names, groups, least),
    }


def _enrolled(people: People, family: str, learner: int) -> list[str]:
    one = where(people.enrolled, learner)
    if family == "school":
        return [one.school]
    if family == "grade":
        return [one.grade or NO_GRADE]
    return list(one.subgroups) or [NO_SUBGROUP]


def _by(items: Iterable[Item], names_of_: Any) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for one in items:
        for name in names_of_(one):
            found.setdefault(name, []).append(one)
    return found


def _counts(items: Iterable[Item]) -> dict[str, int]:
    counted = Counter(one.change for one in items)
    return {"compared": counted.total(), **{change: counted[change] for change in CHANGES}}


def _told(name: str, names: Names, items: Sequence[Item]) -> Told:
    learners = {
        change: sorted({learner_id(one.learner) for one in items if one.change == change})
        for change in CHANGES
        if change != "unchanged"
    }
    title = names.titles.get(name, name)
    return {"name": name, "title": title, **_counts(items), "learners": learners}


def _change(one: Difference, people: People, names: Names) -> Told:
    placed = where(people.enrolled, one.learner)
    iri, title = names.of(one.competency)
    return {
        "learner": learner_id(one.learner),
        "school": placed.school,
        "grade": placed.grade,
        "subgroups": list(placed.subgroups),
        "competency": iri,
        "title": title,
        "change": one.change,
        "before": one.before._asdict(),
        "after": one.after._asdict(),
        "decisive": None if one.decisive is None else one.decisive._asdict(),
    }


# What those are told who may not see learners


def _coded(
    items: Sequence[Item], people: People, names: Names, groups: Mapping[str, Mapping[str, list[Item]]], least: int
) -> Told:  # fmt: skip
    everyone = _members(people, items)
    enrolled: dict[str, Family] = {
        family: {name: _members(people, own) for name, own in groups[family].items()} for family in FAMILIES
    }
    changed = [_members(people, (one for one in items if one.change == change)) for change in CHANGES]
    hidden = hidden_for(enrolled, everyone, changed, least)
    competencies = {name: _members(people, own) for name, own in groups["competency"].items()}
    unseen = {("competency", name) for name in hidden_siblings(competencies, everyone, least)} | hidden
    is_small = size_of(everyone) < least
    told: Told = {"least": least, "totals": _cell("", "", items, everyone, is_withheld=is_small)}
    for family, found in groups.items():
        own = {**enrolled, "competency": competencies}[family]
        told[f"by_{family}"] = [
            _cell(name, names.titles.get(name, name), found[name], own[name],
                  is_withheld=is_small or (family, name) in unseen)
            for name in sorted(found)
        ]  # fmt: skip
    return told


def _members(people: People, items: Iterable[Item]) -> Members:
    return people.members({one.learner for one in items})


def _cell(name: str, title: str, items: Sequence[Item], members: Members, *, is_withheld: bool) -> Told:
    if is_withheld:
        return {"name": name, "title": title, "withheld": True, "learners": None, "shares": None}
    counted = _counts(items)
    shares = shares_of([counted[change] for change in CHANGES], counted["compared"], size_of(members))
    told = {change: share.words for change, share in zip(CHANGES, shares, strict=True)}
    return {"name": name, "title": title, "withheld": False, "learners": size_of(members), "shares": told}


def sha256_of(document: object) -> str:
    """Return the SHA-256 of a document's canonical JSON, in hex."""
    return sha256(msgspec.json.encode(document, order="sorted")).hexdigest()
