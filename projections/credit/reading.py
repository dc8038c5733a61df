"""Credit as people read it: every policy's answer for a learner, each leaf with what is there and what is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import select

from lrs.errors import NotFound
from lrs.store.search import at
from lrs.xapi.values import iso, key64
from projections.credit.eligibility import is_met
from projections.credit.fold import derived
from projections.credit.policies import Policy, policy_text
from projections.credit.tables import credit_decision
from projections.credit.timeline import OUTCOMES, Answer
from projections.documents import plain
from projections.evidence.fold import acts_at
from projections.ids import DecisionId, learner_id
from projections.mastery.knowledge import overrides_at, stored_at
from projections.mastery.shown import authors_of, override_shown
from projections.registry import Act
from projections.view import View, learner_named


def credit_of(view: View, learner: int) -> dict[str, Any]:
    """Return the newest answer of every policy in force for a learner; raises NotFound."""
    who = learner_named(view, learner)
    rows = _answers(view, learner)
    told = _Told(learner, rows, _overrides(view, rows), stored_at(view, view.position))
    policies = [told.of(act) for act in view.acts().policies]
    return {"learner": {"id": learner_id(learner), **who}, "as_of": view.as_of(), "policies": policies}


def _answers(view: View, learner: int) -> list[Any]:
    columns = credit_decision.c
    query = select(credit_decision).where(
        columns.build_id == view.build("credit"), columns.learner == learner, columns.position <= view.position
    )
    return list(view.connection.execute(query.order_by(columns.policy, columns.position)))


class _Told(NamedTuple):
    """The answers on a learner, oldest first, the overrides that hold by the position of their acts, and a moment."""

    learner: int
    rows: Sequence[Any]
    overrides: Mapping[int, dict[str, Any]]
    moment: int | None

    def of(self, act: Act) -> dict[str, Any]:
        """Return the newest answer of a policy, as of the moment: an override ends when its time is over."""
        key = key64("policy", act.document.id)
        own = [row for row in self.rows if row.policy == key and row.published == act.position]
        if not own:
            return {**_policy(act), "outcome": "not_yet", "leaves": [], "decision": None, **_NO_OVERRIDE}
        newest = own[-1]
        return {
            **_policy(act),
            "outcome": OUTCOMES[newest.outcome],
            "leaves": msgspec.json.decode(newest.leaves),
            "decision": str(DecisionId(True, self.learner, key, newest.position)),
            **self._overridden(act, newest),
        }

    def _overridden(self, act: Act, row: Any) -> dict[str, Any]:
        found = self.overrides.get(row.override)
        if found is None:
            return _NO_OVERRIDE
        computed = computed_of(act.document, msgspec.json.decode(row.leaves))
        ends = found["expires"]
        if ends is not None and self.moment is not None and iso(self.moment) >= ends:
            ended = {**found, "holds": False, "objection": "expired"}
            return {"outcome": computed, "overridden": False, "lapsed": True, "override": ended, "computed": computed}
        return {"overridden": True, "lapsed": False, "override": found, "computed": computed}


_NO_OVERRIDE: Final = {"overridden": False, "lapsed": False, "override": None, "computed": None}


def _overrides(view: View, rows: Iterable[Any]) -> dict[int, dict[str, Any]]:
    """Return the overrides that answers were given by, as people read them, by the position of their acts."""
    positions = sorted({row.override for row in rows} - {0})
    found = overrides_at(view, positions)
    authors = authors_of(view, found.values())
    return {position: override_shown(one, authors.get(position)) for position, one in found.items()}


def computed_of(policy: Policy, leaves: Iterable[Mapping[str, Any]]) -> str:
    """Return what a policy says by itself of its leaves, whoever decided otherwise."""
    return "eligible" if is_met(policy.require, {leaf["path"]: leaf["met"] for leaf in leaves}) else "not_yet"


def _policy(act: Act) -> dict[str, Any]:
    policy = act.document
    return {
        "policy": {
            "id": policy.id, "version": policy.version, "title": policy.title, "text": policy_text(policy),
            "statement_id": act.statement_id, "position": act.position,
        },
        "course": {"code": policy.course.code, "title": policy.course.title},
        "units": plain(policy.units),
    }  # fmt: skip


def credit_record(view: View, wanted: DecisionId) -> dict[str, Any]:
    """Return one answer of a policy with its leaves and its neighbours in time; raises NotFound.

    `verified` says whether the derivation, from the standings and the work that held, gives the stored answer.
    """
    rows = [row for row in _answers(view, wanted.learner) if row.policy == wanted.subject]
    places = [place for place, row in enumerate(rows) if row.position == wanted.position]
    if not places:
        raise NotFound(f"no decision {wanted} was made (as of this position)")
    place = places[0]
    row = rows[place]
    act = acts_at(view.connection, view.build("evidence"), row.published).at(row.published)
    assert act is not None
    moment = at(view.log_connection, view.log.log_id, [wanted.position])
    return {
        "decision_id": str(wanted),
        "kind": "credit",
        "learner": {"id": learner_id(wanted.learner), **learner_named(view, wanted.learner)},
        **_policy(act),
        "as_of": {"position": wanted.position, "stored": iso(moment[0].stored) if moment else None},
        "outcome": OUTCOMES[row.outcome],
        "computed": computed_of(act.document, msgspec.json.decode(row.leaves)),
        "leaves": msgspec.json.decode(row.leaves),
        "overrides": [*_overrides(view, [row]).values()],
        "supersedes": str(wanted._replace(position=rows[place - 1].position)) if place else None,
        "superseded_by": str(wanted._replace(position=rows[place + 1].position)) if place + 1 < len(rows) else None,
        "digest": row.digest.hex(),
        "previous_digest": rows[place - 1].digest.hex() if place else None,
        "verified": Answer(*row[2:]) in derived(view.run("credit"), wanted.learner, wanted.position),
    }
