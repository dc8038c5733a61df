"""Rules and policies as whoever is judged by them reads them: every version, in plain words, and what it is for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lrs.errors import NotFound
from lrs.xapi.values import iso, key64
from projections.credit.policies import Policy, policy_text
from projections.documents import plain
from projections.ids import learner_id
from projections.mastery.rules import Rule
from projections.mastery.scales import Scale
from projections.mastery.wording import rule_text
from projections.registry import Act, Acts

ALWAYS = 0
LAST_OF_ALL = 2**62
"""The time of an act that is not published: of two that clash the first holds, else the last."""


def document_key(kind: str, iri: str) -> str:
    """Return the name in addresses of a rule or a policy: the key of its IRI, in hex."""
    return learner_id(key64(kind, iri))


def rules_of(acts: Acts) -> list[dict[str, Any]]:
    """Return every rule by the name in addresses, with the version that is the newest and what it holds for."""
    return [_with_key("rule", [_rule_version(acts, act) for act in own]) for own in _by_document(acts, "rule")]


def objection_to(acts: Acts, rule: Rule) -> str:
    """Return why a rule would never be in force if it were published beside these acts; "" when it would be."""
    place = max((act.position for act in acts), default=0) + 1
    new = Act(place, "rule", LAST_OF_ALL, "", rule)
    return next((one.reason for one in acts.with_act(new).clashes if one.act is new), "")


def policies_of(acts: Acts) -> list[dict[str, Any]]:
    """Return every credit policy by the name in addresses, its versions oldest first."""
    return [_with_key("policy", [_policy_version(acts, act) for act in own]) for own in _by_document(acts, "policy")]


def held_at(acts: Acts, competencies: Iterable[str], moment: int | None) -> list[dict[str, Any]]:
    """Return the rules that hold for these competencies at a moment (microseconds), each in plain words."""
    held: dict[int, tuple[Act, Act, list[str]]] = {}
    for uri in competencies:
        ruled = acts.rule_for(uri, moment)
        if ruled is not None:
            held.setdefault(ruled[0].position, (*ruled, []))[2].append(uri)
    return [_held(rule.document, scale.document, uris) for rule, scale, uris in held.values()]


def _held(rule: Rule, scale: Scale, competencies: list[str]) -> dict[str, Any]:
    return {
        "key": document_key("rule", rule.id),
        "id": rule.id,
        "version": rule.version,
        "title": rule.title,
        "text": rule_text(rule, scale),
        "scale": {"id": scale.id, "version": scale.version, "title": scale.title},
        "competencies": competencies,
    }


def one_of(found: Iterable[Mapping[str, Any]], key: str, path: str) -> dict[str, Any]:
    """Return the rule or policy with this name in addresses; raises NotFound, which says where the names stand."""
    for one in found:
        if one["key"] == key:
            return dict(one)
    raise NotFound(f"{key!r} is none (as of this position); GET /api/v1/{path} lists them")


def _with_key(kind: str, versions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    newest = versions[-1]
    return {
        "key": document_key(kind, newest["id"]),
        "id": newest["id"],
        "title": newest["title"],
        "text": newest["text"],
        "version": newest["version"],
        "versions": list(versions),
    }


def _by_document(acts: Acts, kind: str) -> list[list[Act]]:
    """Return the versions of each document, rising; one that was published twice counts as first published."""
    found: dict[str, dict[int, Act]] = {}
    for act in acts.published(kind):
        found.setdefault(act.document.id, {}).setdefault(act.document.version, act)
    return [[own[number] for number in sorted(own)] for _, own in sorted(found.items())]


def _published(act: Act) -> dict[str, Any]:
    one = act.document
    since = getattr(one, "effective_from", ALWAYS)
    return {
        "id": one.id,
        "version": one.version,
        "title": one.title,
        "approver": getattr(one, "approver", "") or None,
        "effective_from": iso(since) if since else None,
        "published": iso(act.timestamp),
        "statement_id": act.statement_id,
        "position": act.position,
    }


def _rule_version(acts: Acts, act: Act) -> dict[str, Any]:
    rule: Rule = act.document
    scale = acts.scales.get((rule.scale.id, rule.scale.version))
    text = rule_text(rule, scale.document) if scale else "The scale that it names is not published, so it never holds."
    return {
        **_published(act),
        "text": text,
        "scale": {
            "id": rule.scale.id,
            "version": rule.scale.version,
            "title": scale.document.title if scale else None,
        },
        "holds_for": _held_for(acts, act),
        "objection": next((one.reason for one in acts.clashes if one.act.position == act.position), ""),
    }


def _held_for(acts: Acts, act: Act) -> list[dict[str, Any]]:
    """Return the competencies that a version of a rule holds for, each from when and until when."""
    found = []
    for uri, known in sorted(acts.competencies.items()):
        turns = acts.rules_over_time(uri)
        for turn, following in zip(turns, [*turns[1:], None], strict=True):
            if turn.positions[0] == act.position:
                since = iso(turn.since) if turn.since else None
                until = iso(following.since) if following else None
                found.append({"uri": uri, "name": known.competency.name, "from": since, "until": until})
    return found


def _policy_version(acts: Acts, act: Act) -> dict[str, Any]:
    policy: Policy = act.document
    return {
        **_published(act),
        "text": policy_text(policy),
        "course": {"code": policy.course.code, "title": policy.course.title},
        "units": plain(policy.units),
        "in_force": any(one.position == act.position for one in acts.policies),
    }
