"""What the page of a learner shows of progress: the same three parts, each competency with its mark and its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from projections.mastery.pages import map_shown
from projections.registry import Acts
from projections.wording import STATUS_WORDS, names_of, override_words, rule_sentences

Shown = dict[str, Any]


def progress_shown(found: Mapping[str, Any], progress: Mapping[str, Any], acts: Acts) -> dict[str, Any]:
    """Return a learner's progress with the marks of the map behind it, and how mastery is judged in each framework."""
    by_uri = {one["uri"]: {**one, "notes": notes(one)} for part in map_shown(found) for one in part["competencies"]}
    return {
        "frameworks": [_part(part, by_uri, progress["rules"], acts) for part in progress["frameworks"]],
        "work_habits": [_part(part, by_uri, progress["rules"], acts) for part in progress["work_habits"]],
        "retired": [{**one, "status_words": STATUS_WORDS[one["status"]]} for one in progress["retired"]],
    }


def notes(one: Mapping[str, Any]) -> list[str]:
    """Return what a person, or time alone, did to a standing that evidence and rule had brought about."""
    found = []
    if one.get("override"):
        computed = standing_words(one["computed"])
        found.append(f"Overridden by a person: {override_words(one['override'])} By the evidence: {computed}.")
    if one.get("lapsed") and one["decided"]:
        found.append(f"Time has changed this since it was decided: {standing_words(one['decided'])} then.")
    if one["status"] == "proficient" and one.get("lapses"):
        found.append(f"Without new evidence it holds until {one['lapses'][:10]}.")
    return found


def standing_words(standing: Mapping[str, Any]) -> str:
    """Return a status with its level, where it has one."""
    level = f", {standing['level']}" if standing["level"] else ""
    return f"{STATUS_WORDS[standing['status']].lower()}{level}"


def _part(
    part: Mapping[str, Any], by_uri: Mapping[str, Shown], rules: Sequence[Mapping[str, Any]], acts: Acts
) -> Shown:
    mastered = [by_uri[one["uri"]] for one in part["mastered"]]
    ready = {one["uri"] for one in part["next"]}
    missing = [{**by_uri[one["uri"]], "is_next": one["uri"] in ready} for one in part["missing"]]
    return {
        "title": part["title"],
        "mastered": mastered,
        "missing": missing,
        "next": [one for one in missing if one["is_next"]],
        "total": len(mastered) + len(missing),
        "word": _proficient_word([*mastered, *missing]),
        "rules": _rules([*mastered, *missing], rules, acts),
    }


def _proficient_word(standings: Iterable[Shown]) -> str:
    """Return the name that all the scales share for what is proficient, else that word itself."""
    names = {one["scale"]["proficient"] for one in standings if "scale" in one}
    return names.pop().lower() if len(names) == 1 else "proficient"


def _rules(standings: Sequence[Shown], rules: Iterable[Mapping[str, Any]], acts: Acts) -> list[Shown]:
    """Return the rules that hold for these competencies, each in sentences, with the names that it holds for."""
    called, names = {one["uri"]: one["name"] for one in standings}, names_of(acts)
    return [
        {
            **rule,
            "sentences": rule_sentences(rule, rule["scale"], names),
            "holds_for": [called[uri] for uri in rule["competencies"] if uri in called],
        }
        for rule in rules
        if not called.keys().isdisjoint(rule["competencies"])
    ]
