"""What the pages show of mastery: the map of a learner, the strips of many, and one decision with its proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, select

from lrs.xapi.values import key64
from projections.mastery.tables import decision
from projections.mastery.timeline import STATUSES
from projections.registry import Acts
from projections.view import View
from projections.wording import (
    CAUSE_WORDS,
    EXCLUSION_WORDS,
    STATUS_WORDS,
    TONES,
    UNMET_WORDS,
    Mark,
    kind_word,
    mark,
    names_of,
    override_words,
    rule_sentences,
)

NO_RULE: Final = Mark("none", "No rule yet", 0, 3)


def map_shown(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the frameworks of a competency map, each standing with its mark and its place in the progression."""
    standings = [one for framework in found["frameworks"] for one in framework["competencies"]]
    marks = {one["uri"]: _mark_of(one) for one in standings}
    anchors = {one["uri"]: f"c{number}" for number, one in enumerate(standings, 1)}
    by_uri = {one["uri"]: {**one, "mark": marks[one["uri"]], "anchor": anchors[one["uri"]]} for one in standings}
    return [
        {
            **framework,
            "competencies": [_placed(by_uri, framework, one["uri"]) for one in framework["competencies"]],
            "summary": _summary(framework["competencies"], marks),
        }
        for framework in found["frameworks"]
    ]


def _mark_of(standing: Mapping[str, Any]) -> Mark:
    if "scale" not in standing:
        return NO_RULE
    scale = standing["scale"]
    levels = [level["name"] for level in scale["levels"]]
    return mark(standing["status"], standing["level"], levels, scale["proficient"])


def _placed(by_uri: Mapping[str, Any], framework: Mapping[str, Any], uri: str) -> dict[str, Any]:
    """Return a standing with what comes before and after it, and whether it is the learner's next."""
    one = by_uri[uri]
    before = [
        by_uri[step["before"]]
        for step in framework["progressions"]
        if step["after"] == uri and step["before"] in by_uri
    ]
    after = [
        by_uri[step["after"]] for step in framework["progressions"] if step["before"] == uri and step["after"] in by_uri
    ]
    is_ready = one["status"] != "proficient" and all(step["status"] == "proficient" for step in before)
    return {**one, "before": before, "after": after, "is_next": is_ready, "status_words": STATUS_WORDS[one["status"]]}


def _summary(standings: Sequence[Mapping[str, Any]], marks: Mapping[str, Mark]) -> dict[str, Any]:
    """Return how many are proficient, under the name that all their scales share, and the count of every mark."""
    names = {one["scale"]["proficient"] for one in standings if "scale" in one}
    counts = Counter(marks[one["uri"]] for one in standings)
    return {
        "reached": sum(one["status"] == "proficient" for one in standings),
        "total": len(standings),
        "word": names.pop().lower() if len(names) == 1 else "proficient",
        "counts": sorted(counts.items(), key=lambda pair: (-pair[0].filled, TONES.index(pair[0].tone))),
    }


def strips(view: View, acts: Acts, learners: Sequence[int]) -> dict[int, list[tuple[str, Mark]]]:
    """Return, for each learner, (name, mark) of every competency in the order of the frameworks."""
    newest = {(row.learner, row.competency): row for row in _newest(view, learners)}
    columns = list(_columns(acts))
    return {
        learner: [(name, _drawn(newest.get((learner, key)), levels, top)) for key, name, levels, top in columns]
        for learner in learners
    }


def _drawn(row: Any, levels: Sequence[str], proficient: str) -> Mark:
    if not levels:
        return NO_RULE
    return mark(STATUSES[row.status] if row else "no_evidence", row.level if row else None, levels, proficient)


def _columns(acts: Acts) -> Iterable[tuple[int, str, Sequence[str], str]]:
    """Yield (key, name, levels, proficient level) of every competency that a map would show."""
    names = names_of(acts)
    for framework in acts.frameworks.values():
        own = [
            known.competency for known in acts.competencies.values() if known.framework.position == framework.position
        ]
        for one in sorted(own, key=lambda one: (one.order is None, one.order or 0, one.uri)):
            ruled = acts.rule_for(one.uri)
            scale = ruled[1].document if ruled else None
            levels = [level.name for level in scale.levels] if scale else []
            yield key64("competency", one.uri), names[one.uri], levels, scale.proficient if scale else ""


def _newest(view: View, learners: Sequence[int]) -> list[Any]:
    columns = decision.c
    own = columns.build_id == view.build("mastery"), columns.learner.in_(learners)
    newest = (
        select(columns.learner, columns.competency, func.max(columns.position).label("position"))
        .where(*own, columns.position <= view.position)
        .group_by(columns.learner, columns.competency)
        .subquery()
    )
    same = (
        (columns.learner == newest.c.learner)
        & (columns.competency == newest.c.competency)
        & (columns.position == newest.c.position)
    )
    query = select(columns.learner, columns.competency, columns.status, columns.level).join_from(decision, newest, same)
    return list(view.connection.execute(query.where(*own).order_by(columns.learner, columns.competency)))


def decision_shown(record: Mapping[str, Any], acts: Acts) -> dict[str, Any]:
    """Return a mastery decision in words: what it means, the rule, the evidence, what is missing."""
    levels = [level["name"] for level in record["scale"]["levels"]]
    return {
        "mark": mark(record["status"], record["level"], levels, record["scale"]["proficient"]),
        "levels": levels,
        "title": record["level"] or STATUS_WORDS[record["status"]],
        "status_words": STATUS_WORDS[record["status"]],
        "meaning": _meaning(record),
        "cause": CAUSE_WORDS[record["cause"]],
        "rule": rule_sentences(record["rule"], record["scale"], names_of(acts)),
        "inputs": [_shown(one) for one in record["inputs"]],
        "excluded": [{**_shown(one), "why": _why(one)} for one in record["excluded"]],
        "overrides": [{**one, "words": override_words(one)} for one in record["overrides"]],
        "computed": _standing_words(record["computed"]),
        "now": _standing_words(record["now"]) if record["now"] else "",
        "children": [{**one, "words": STATUS_WORDS[one["status"]]} for one in record["children"]],
        "unmet": [{**one, "words": UNMET_WORDS[one["requirement"]]} for one in record["unmet"]],
    }


def _standing_words(standing: Mapping[str, Any]) -> str:
    words = STATUS_WORDS[standing["status"]]
    return f"{words}, {standing['level']}" if standing["level"] else words


def _shown(one: Mapping[str, Any]) -> dict[str, Any]:
    notes = [
        f"aligned by {'the ' * (one['matched_by'] != 'object')}{one['matched_by']}",
        f"score read from {one['score_read_from']}",
    ]
    if one["revision"]:
        notes.insert(0, f"revision {one['revision']}")
    told = {"group": "group work", "validated": "validated assessment", "outside_district": "from another district"}
    notes = [words for name, words in told.items() if one[name]] + notes
    if one["attempt"]:
        notes.insert(0, f"attempt {one['attempt']}")
    return {**one, "kind": kind_word(one["evidence_kind"]), "notes": notes}


def _why(one: Mapping[str, Any]) -> str:
    return EXCLUSION_WORDS[one["reason"]].format(position=f"{one.get('ended_by_position', 0):,}")


def _meaning(record: Mapping[str, Any]) -> str:
    name, competency = record["learner"]["name"], record["competency"]["name"]
    if any(one["holds"] for one in record["overrides"]):
        return f"Somebody decided this of {name} in “{competency}”. What is computed from the evidence is told below."
    if record["status"] == "proficient":
        return f"{name} has shown “{competency}” as fully as the rule asks."
    if record["status"] == "not_yet":
        return f"{name} has worked on “{competency}” and does not yet show it as fully as the rule asks."
    if record["status"] == "insufficient_evidence":
        return (
            f"Too little of what {name} has done counts for “{competency}” to decide anything. This is no failing mark."
        )
    return f"Nothing that {name} has done counts for “{competency}” yet. This is no failing mark."
