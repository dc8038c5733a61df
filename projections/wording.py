"""What the projections conclude, in words and marks for people: the same on every page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from lrs.xapi.values import key64
from projections.evidence.documents import KIND_WORDS
from projections.registry import Acts

STATUS_WORDS: Final = {
    "proficient": "Proficient",
    "not_yet": "Not yet",
    "insufficient_evidence": "Not enough evidence yet",
    "no_evidence": "No evidence",
    "eligible": "Eligible",
    "withdrawn": "Policy withdrawn",
}
CAUSE_WORDS: Final = {
    "new_evidence": "new evidence came in",
    "late": "evidence came in late, about something that lies before what was already known",
    "void": "a statement was voided",
    "rule_change": "another version of the rule, or another rule, began to hold",
    "correction": "what an activity is aligned to, or how its score is read, was corrected",
    "override": "somebody overrode what is computed, or ended an override",
}
OBJECTION_WORDS: Final = {
    "": "It holds instead of what is computed.",
    "expired": "Its time is over, so what is computed holds.",
    "no_rule": "No rule holds for this competency, so there is nothing to override.",
    "not_allowed_by_rule": "The rule allows no override, so what is computed holds.",
    "needs_second_person": "The rule asks for a second person, and none approved it, so what is computed holds.",
    "level_does_not_fit": "The scale has no such level on that side of proficient, so what is computed holds.",
}
EXCLUSION_WORDS: Final = {
    "duplicate": "The same event had been told before under another id. It counts once.",
    "kind_not_counted": "This kind of evidence guides learning. The rule does not count it.",
    "no_score": "It has no score, only passed or not passed. The rule does not count that.",
    "zero_score": "A score of zero has no place on a trend. The rule leaves it out.",
    "superseded_by_revision": "A later revision of the same task replaces it.",
    "not_the_best_revision": "Another try at the same task was better.",
    "another_attempt_counts": "Another attempt at the same task counts.",
    "beyond_attempts": "The rule looks at fewer attempts at a task.",
    "outside_window": "It is older than what the rule looks back at.",
    "excused": "It was excused.",
    "unvalidated": "The assessment was not validated. The rule counts validated ones alone.",
    "outside_district": "It comes from another district. The rule shows it and does not count it.",
    "behaviour": "Work habits are a strand of their own. They never count toward a competency.",
    "voided": "It was voided at position {position}.",
    "not_aligned": "Since position {position} it is no longer aligned to this competency.",
}
UNMET_WORDS: Final = {
    "min_evidence": "pieces of evidence that count",
    "min_tasks": "different tasks that count",
    "min_contexts": "different contexts",
    "min_scorers": "different scorers",
    "min_of_kinds": "pieces of the kinds that must be among them",
    "fresh_evidence": "new pieces at or above the cut, since mastery was shown too long ago",
    "tasks_at_cut": "tasks at or above the cut",
    "scores_at_cut": "scores at or above the cut",
    "value_at_cut": "result",
    "children_proficient": "parts of the competency in which the learner is proficient",
    "child_points": "points that the parts shown bring together",
    "required_children": "required parts in which the learner is proficient",
    "mastery_rule": "published mastery rules that hold here",
}
TONES: Final = ("high", "mid", "low", "open", "none")
_SENTENCE_ENDS: Final = re.compile(r"(?<=\.) (?=[A-Z])")


class Mark(NamedTuple):
    """How a standing is drawn: `tone` names its colour, `filled` of `bars` its height, so that neither stands alone.

    `tone` is high, mid or low for a level; open where nothing is decided; none where there is no evidence.
    """

    tone: str
    words: str
    filled: int
    bars: int


def mark(status: str, level: str | None, levels: Sequence[str], proficient: str) -> Mark:
    """Return how a standing is drawn on a scale with these levels, low to high."""
    if level is None or level not in levels:
        return Mark("none" if status == "no_evidence" else "open", STATUS_WORDS[status], 0, len(levels) or 3)
    place = levels.index(level)
    if place >= levels.index(proficient):
        return Mark("high", level, place + 1, len(levels))
    return Mark("mid" if place else "low", level, place + 1, len(levels))


def kind_word(kind: str) -> str:
    """Return a kind of assessment as the beginning of a line."""
    return KIND_WORDS[kind][0].capitalize()


def override_words(one: Mapping[str, Any]) -> str:
    """Return an override in plain words: what it says, who set it and who approved it, and whether it holds."""
    said = one["level"] or STATUS_WORDS[one["status"]]
    until = f", until {one['expires'][:10]}" if one["expires"] else ""
    persons = [person_name(one[name]) for name in ("by", "approved_by") if one[name]]
    return f"{said}, set by {' and '.join(persons) or 'somebody'}{until}. {OBJECTION_WORDS[one['objection']]}"


def person_name(agent: Mapping[str, Any]) -> str:
    """Return what people call an Agent: the name that was sent, else that of the account."""
    return str(agent.get("name") or agent.get("account", {}).get("name") or "somebody without a name")


def names_of(acts: Acts) -> dict[str, str]:
    """Return what people call each framework and competency, by IRI."""
    found = {uri: str(act.document.title) for uri, act in acts.frameworks.items()}
    retired = {iri: one.known for iri, one in acts.retired.items()}
    for iri, known in (retired | acts.competencies).items():
        one = known.competency
        found[iri] = f"{one.code} {one.name}" if one.code else one.name
    return found


def subjects_of(acts: Acts) -> dict[int, str]:
    """Return what people call each competency and policy, by key."""
    names = names_of(acts)
    found = {key64("competency", iri): names[iri] for iri in (*acts.retired, *acts.competencies)}
    return found | {key64("policy", act.document.id): str(act.document.title) for act in acts.policies}


def named(text: str, names: Mapping[str, str]) -> str:
    """Return a text with names in the place of IRIs; the longest IRI first, since one may begin another."""
    for iri in sorted(names, key=len, reverse=True):
        text = text.replace(iri, names[iri])
    return text


def rule_sentences(rule: Mapping[str, Any], scale: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """Return what a rule says, a sentence each, without its title and the IRIs that the page shows elsewhere."""
    text = str(rule["text"]).removeprefix(f"{rule['title']} (rule {rule['id']}, version {rule['version']}). ")
    text = text.replace(f"({scale['id']}, version {scale['version']})", f"(version {scale['version']})")
    return _SENTENCE_ENDS.split(named(text, names))
