"""Credit as people read it: every policy's answer for a learner, each leaf with what is there and what is needed."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select

from lrs.errors import NotFound
from lrs.store.search import at
from lrs.xapi.values import iso, key64
from projections.credit.fold import derived
from projections.credit.policies import policy_text
from projections.credit.tables import credit_decision
from projections.credit.timeline import OUTCOMES, Answer
from projections.documents import plain
from projections.evidence.fold import acts_at
from projections.ids import DecisionId, learner_id
from projections.registry import Act
from projections.view import View, learner_named


def credit_of(view: View, learner: int) -> dict[str, Any]:
    """Return the newest answer of every policy in force for a learner; raises NotFound."""
    who = learner_named(view, learner)
    rows = _answers(view, learner)
    policies = [_standing(act, rows, learner) for act in view.acts().policies]
    return {"learner": {"id": learner_id(learner), **who}, "as_of": view.as_of(), "policies": policies}


def _answers(view: View, learner: int) -> list[Any]:
    columns = credit_decision.c
    query = select(credit_decision).where(
        columns.build_id == view.build("credit"), columns.learner == learner, columns.position <= view.position
    )
    return list(view.connection.execute(query.order_by(columns.policy, columns.position)))


def _standing(act: Act, rows: list[Any], learner: int) -> dict[str, Any]:
    key = key64("policy", act.document.id)
    own = [row for row in rows if row.policy == key and row.published == act.position]
    if not own:
        return {**_policy(act), "outcome": "not_yet", "leaves": [], "decision": None}
    newest = own[-1]
    return {
        **_policy(act),
        "outcome": OUTCOMES[newest.outcome],
        "leaves": msgspec.json.decode(newest.leaves),
        "decision": str(DecisionId(True, learner, key, newest.position)),
    }


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
        "leaves": msgspec.json.decode(row.leaves),
        "supersedes": str(wanted._replace(position=rows[place - 1].position)) if place else None,
        "superseded_by": str(wanted._replace(position=rows[place + 1].position)) if place + 1 < len(rows) else None,
        "digest": row.digest.hex(),
        "previous_digest": rows[place - 1].digest.hex() if place else None,
        "verified": Answer(*row[2:]) in derived(view.run("credit"), wanted.learner, wanted.position),
    }
