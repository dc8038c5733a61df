"""Decisions as people read them: the record of 9.3, derived anew from the evidence and held against what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.metadata import version
from typing import Any, Final

from sqlalchemy import select

from lrs.errors import NotFound
from lrs.xapi.values import iso, key64
from projections.documents import plain
from projections.evidence import tables as source
from projections.ids import DecisionId, learner_id
from projections.mastery.arithmetic import written_out
from projections.mastery.figures import advisory_figures
from projections.mastery.knowledge import (
    Knowledge,
    ever_adopted,
    evidence_rows,
    newest_decisions,
    overrides_set,
    overrides_then,
    rules_at,
    stored_at,
)
from projections.mastery.next_step import next_step
from projections.mastery.outcome import ChildStanding
from projections.mastery.scales import Scale
from projections.mastery.shown import authors_of, excluded_shown, holding, inputs_shown, override_shown
from projections.mastery.tables import decision
from projections.mastery.timeline import CAUSES, NO_DIGEST, STATUSES, Decision, Judged, State, Version, decided
from projections.mastery.wording import rule_text
from projections.registry import Acts, Known, read_document
from projections.view import View, learner_named

_NO_RULE_STEP: Final = "No mastery rule is published for this competency."
_NOTHING: Final = {
    "id": None, "version": None, "title": "No rule", "statement_id": None, "position": None, "digest": None,
}  # fmt: skip


def competency_map(view: View, learner: int) -> dict[str, Any]:
    """Return where a learner stands in every competency of the adopted frameworks; raises NotFound.

    Standings are told as of the moment at which the view's position was stored: where time alone changed what was
    decided, `lapsed` says so.
    """
    who = learner_named(view, learner)
    newest = newest_decisions(view, learner, view.position)
    rows = evidence_rows(view, learner, None, view.position)
    overrides = overrides_set(view, newest)
    known = rules_at(view, view.position).with_rows(rows, overrides)
    authors = authors_of(view, overrides.values())
    told = _Standings(known, newest, authors, learner, stored_at(view, view.position))
    frameworks = []
    for act in known.acts.frameworks.values():
        own = [one for one in known.acts.competencies.values() if one.framework.position == act.position]
        frameworks.append(
            {
                "uri": act.document.uri,
                "title": act.document.title,
                "version": act.document.version,
                "competencies": [told.of(one) for one in _in_order(own)],
                "progressions": [{"before": one.before, "after": one.after} for one in act.document.progressions],
            }
        )
    return {"learner": {"id": learner_id(learner), **who}, "as_of": view.as_of(), "frameworks": frameworks}


def _in_order(known: Iterable[Known]) -> list[Known]:
    return sorted(known, key=lambda one: (one.competency.order is None, one.competency.order or 0, one.competency.uri))


class _Standings:
    """The standings of one learner; of the many competencies without any evidence the words are found once a rule."""

    def __init__(
        self,
        known: Knowledge,
        newest: Mapping[int, Any],
        authors: Mapping[int, Any],
        learner: int,
        moment: int | None,
    ) -> None:
        self._known, self._newest, self._authors = known, newest, authors
        self._learner, self._moment = learner, moment
        self._names = {key64("competency", iri): one.competency.name for iri, one in known.acts.competencies.items()}
        self._first_steps: dict[tuple[int, int], str] = {}
        self._scales: dict[int, dict[str, Any]] = {}

    def of(self, known: Known) -> dict[str, Any]:
        """Return where the learner stands in one competency."""
        one = known.competency
        key = key64("competency", one.uri)
        row, state = self._newest.get(key), self._known.states.get(key)
        judged = self._known.judged(key, self._moment)
        outcome = judged.outcome
        found: dict[str, Any] = {
            "uri": one.uri, "name": one.name, "code": one.code, "statement": one.statement, "parent": one.parent,
            "status": judged.status,
            "level": judged.level,
            "value": None if outcome.rounded is None else str(outcome.rounded),
            "decision": None if row is None else str(DecisionId(False, self._learner, key, row.position)),
            "evidence_count": 0 if state is None else len(state.evidence),
            "next_step": self._next_step(judged),
            **_by_time(judged, row),
            **_by_person(judged, self._authors),
        }  # fmt: skip
        scale = self._scale(judged.version)
        return {**found, "scale": scale} if scale else found

    def _scale(self, held: Version) -> dict[str, Any] | None:
        if held.rule is None:
            return None
        if held.scale_position not in self._scales:
            act = self._known.acts.at(held.scale_position)
            self._scales[held.scale_position] = _scale(act.document) if act else {}
        return self._scales[held.scale_position]

    def _next_step(self, judged: Judged) -> str:
        held = judged.version
        if held.rule is None:
            return _NO_RULE_STEP
        if judged.status == "proficient":
            return ""
        if judged.outcome.inputs or judged.outcome.children:
            return next_step(held.rule, judged.outcome, self._name)
        place = held.rule_position, held.scale_position
        if place not in self._first_steps:
            self._first_steps[place] = next_step(held.rule, judged.outcome, self._name)
        return self._first_steps[place]

    def _name(self, key: int) -> str:
        return self._names.get(key, "a competency that is in no framework any more")


def _by_time(judged: Judged, row: Any) -> dict[str, Any]:
    """Return what time does to a standing: whether it lapsed since it was decided, and when it next may."""
    is_same = row is None or (STATUSES[row.status], row.level) == (judged.status, judged.level)
    decided_as = None if row is None else {"status": STATUSES[row.status], "level": row.level}
    return {"lapsed": not is_same, "decided": decided_as, "lapses": _moment(judged.lapses)}


def _by_person(judged: Judged, authors: Mapping[int, Any]) -> dict[str, Any]:
    """Return the override of a standing beside what is computed, where one is set."""
    if judged.override is None:
        return {"overridden": False, "override": None, "computed": None}
    computed = {"status": judged.outcome.status, "level": judged.outcome.level}
    return {"overridden": not judged.objection, "override": _override(judged, authors), "computed": computed}


def _moment(moment: int | None) -> str | None:
    return None if moment is None else iso(moment)


def _scale(scale: Scale) -> dict[str, Any]:
    levels = [{"name": one.name, "minimum": plain(one.minimum)} for one in scale.levels]
    return {"title": scale.title, "maximum": plain(scale.maximum), "levels": levels, "proficient": scale.proficient}


def decision_record(view: View, wanted: DecisionId) -> dict[str, Any]:
    """Return a mastery decision with everything that proves it, derived anew; raises NotFound.

    `verified` says whether the derivation, from the evidence and the acts that held, gives the stored decision.
    """
    row, previous, following = _around(view, wanted)
    known, rows = _known_then(view, wanted)
    judged = known.judged(wanted.subject)
    outcome = judged.outcome
    held, ended = holding(one for one in rows if one.competency == wanted.subject)
    return {
        "decision_id": str(wanted),
        "kind": "mastery",
        "learner": {"id": learner_id(wanted.learner), **learner_named(view, wanted.learner)},
        "competency": _competency(known.acts, wanted.subject),
        "as_of": _stored(view, wanted.position),
        **_under(view, judged, known),
        "status": judged.status,
        "level": judged.level,
        "raw": None if outcome.raw is None else str(outcome.raw),
        "rounded": None if outcome.rounded is None else str(outcome.rounded),
        "computed": {"status": outcome.status, "level": outcome.level},
        "inputs": inputs_shown(view, outcome, held),
        "excluded": excluded_shown(view, outcome, held, ended),
        "children": [_child(one, known.acts, wanted.learner) for one in outcome.children],
        "unmet": [one._asdict() for one in outcome.unmet],
        "overrides": _overrides(view, judged),
        "cause": CAUSES[row.cause],
        "lapses": _moment(judged.lapses),
        "now": _now(view, known, wanted.subject) if following is None else None,
        "supersedes": _neighbour(wanted, previous),
        "superseded_by": _neighbour(wanted, following),
        "engine_version": version("cairn"),
        "digest": row.digest.hex(),
        "previous_digest": previous.digest.hex() if previous else None,
        "verified": _is_verified(row, previous, judged),
    }


def _known_then(view: View, wanted: DecisionId) -> tuple[Knowledge, list[Any]]:
    """Return what was known of a decision's competency and its family at its position, and the rows that say so."""
    learner, position = wanted.learner, wanted.position
    overrides = overrides_then(view, learner, position)
    also = [iri] if (iri := ever_adopted(view, wanted.subject, position)) else []
    bare = rules_at(view, position, also)
    family = bare.rules.family(wanted.subject)
    rows = list(evidence_rows(view, learner, family, position))
    own = {key: one for key, one in overrides.items() if key in family}
    return bare.with_rows(rows, own), rows


def _overrides(view: View, judged: Judged) -> list[dict[str, Any]]:
    if judged.override is None:
        return []
    return [_override(judged, authors_of(view, [judged.override]))]


def _override(judged: Judged, authors: Mapping[int, Any]) -> dict[str, Any]:
    assert judged.override is not None
    author = authors.get(judged.override.position)
    return override_shown(judged.override, author, judged.objection, judged.version.rule)


def _under(view: View, judged: Judged, known: Knowledge) -> dict[str, Any]:
    """Return the rule and the scale of a decision, the arithmetic under them, and what would come next."""
    held = judged.version
    if held.rule is None:
        rule = {**_NOTHING, "text": "No mastery rule held for this competency, so nothing was decided."}
        scale: dict[str, Any] = {**_NOTHING, "title": "No scale", "maximum": None, "levels": [], "proficient": None}
        return {"rule": rule, "scale": scale, "arithmetic": [], "advisory": [], "next_step": ""}
    rule_row, scale_row = _published(view, held.rule_position), _published(view, held.scale_position)
    published, on = read_document("rule", rule_row.document), read_document("scale", scale_row.document)
    names = {key64("competency", iri): one.competency.name for iri, one in known.acts.competencies.items()}
    step = "" if judged.status == "proficient" else next_step(held.rule, judged.outcome, lambda key: names.get(key, ""))
    return {
        "rule": {**_version(rule_row, published), "text": rule_text(published, on)},
        "scale": {**_version(scale_row, on), **_scale(on)},
        "arithmetic": written_out(held.rule, judged.outcome),
        "advisory": advisory_figures(published.advisory, held.rule, judged.outcome),
        "next_step": step,
    }


def _child(one: ChildStanding, acts: Acts, learner: int) -> dict[str, Any]:
    """Return one child of a parent's decision as it stood then."""
    found = _competency(acts, one.competency)
    return {
        "uri": found["uri"],
        "name": found["name"],
        "status": one.status,
        "value": None if one.value is None else plain(one.value),
        "points": one.points,
        "required": one.required,
        "learner": learner_id(learner),
    }


def _now(view: View, known: Knowledge, competency: int) -> dict[str, Any]:
    """Return what is told of the newest decision at the view's own moment, which is later."""
    moment = stored_at(view, view.position)
    judged, stored = known.judged(competency, moment), known.judged(competency)
    is_same = (judged.status, judged.level) == (stored.status, stored.level)
    return {"moment": _moment(moment), "status": judged.status, "level": judged.level, "lapsed": not is_same}


def _around(view: View, wanted: DecisionId) -> tuple[Any, Any, Any]:
    """Return the decision's row, the one before it and the one after it, as far as the view goes."""
    columns = decision.c
    query = select(decision).where(
        columns.build_id == view.build("mastery"),
        columns.learner == wanted.learner,
        columns.competency == wanted.subject,
        columns.position <= view.position,
    )
    rows = view.connection.execute(query.order_by(columns.position)).all()
    places = [place for place, row in enumerate(rows) if row.position == wanted.position]
    if not places:
        raise NotFound(f"no decision {wanted} was made (as of this position)")
    place = places[0]
    return rows[place], rows[place - 1] if place else None, rows[place + 1] if place + 1 < len(rows) else None


def _published(view: View, position: int) -> Any:
    """Return the row of the act at a position, whether it still holds or not."""
    act = source.act.c
    query = select(source.act).where(
        act.build_id == view.build("evidence"), act.cause == position, act.position == position
    )
    return view.connection.execute(query).one()


def _competency(acts: Acts, key: int) -> dict[str, Any]:
    for iri, known in acts.competencies.items():
        if key64("competency", iri) == key:
            one, framework = known.competency, known.framework
            return {
                "uri": iri, "name": one.name, "code": one.code, "statement": one.statement,
                "framework": {
                    "uri": framework.document.uri, "title": framework.document.title,
                    "version": framework.document.version, "position": framework.position,
                },
            }  # fmt: skip
    return {"uri": None, "name": "A competency that is in no adopted framework any more"}


def _version(row: Any, one: Any) -> dict[str, Any]:
    return {
        "id": one.id, "version": one.version, "title": one.title,
        "statement_id": row.statement_id, "position": row.position, "digest": sha256(row.document).hexdigest(),
    }  # fmt: skip


def _stored(view: View, position: int) -> dict[str, Any]:
    return {"position": position, "stored": _moment(stored_at(view, position))}


def _neighbour(wanted: DecisionId, row: Any) -> str | None:
    return None if row is None else str(wanted._replace(position=row.position))


def _is_verified(row: Any, previous: Any, judged: Judged) -> bool:
    """Tell whether deciding again, behind the decision before, gives every value of the stored row."""
    state = State(digest=previous.digest if previous else NO_DIGEST)
    return decided(state, judged, row.position, row.cause) == Decision(*row[3:])
