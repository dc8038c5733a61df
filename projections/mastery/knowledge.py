"""What is known of one learner as of a position, for a reader: evidence, rules and overrides as the fold had them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from lrs.store.search import at
from lrs.xapi.values import key64
from projections.evidence import tables as source
from projections.evidence.fold import acts_at
from projections.evidence.history import ActsOverTime, acts_over_time
from projections.mastery.fold import overrides_over_time
from projections.mastery.laws import Overrides, Rules
from projections.mastery.learner import judged_now
from projections.mastery.overrides import Overriding
from projections.mastery.shown import evidence_of
from projections.mastery.tables import decision
from projections.mastery.timeline import Change, Judged, State
from projections.registry import Acts, read_document
from projections.view import View


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of one learner: a state for each competency of which anything is, and what rules the others."""

    acts: Acts
    rules: Rules
    states: dict[int, State]
    position: int

    def with_rows(self, rows: Iterable[Any], overrides: Mapping[int, Overriding]) -> Knowledge:
        """Return what rows of one learner's evidence come to, with the overrides that are set by competency."""
        states: dict[int, State] = {}
        for row in rows:
            change = Change(row.cause, row.change, row.reason, evidence_of(row))
            states.setdefault(row.competency, State()).apply(change)
        for competency, override in overrides.items():
            states.setdefault(competency, State()).override = override
        for competency in [above for one in states for above in self.rules.ancestors(one)]:
            states.setdefault(competency, State())
        for competency, state in states.items():
            state.rule = self.rules.at(competency, self.position)
        return Knowledge(self.acts, self.rules, states, self.position)

    def judged(self, competency: int, as_of: int | None = None) -> Judged:
        """Return what is to be told of a competency at a moment, in microseconds; None: as decisions are stored."""
        if competency not in self.states:
            self.states[competency] = State(rule=self.rules.at(competency, self.position))
        return judged_now(competency, self.states, as_of)


def rules_at(view: View, position: int, also: Sequence[str] = ()) -> Knowledge:
    """Return what is in force at a position, and nothing of any learner.

    `also` are IRIs of competencies that are in no framework any more.
    """
    acts = acts_at(view.connection, view.build("evidence"), position)
    rules = Rules(ActsOverTime(position, ((position, acts),)), (*acts.retired, *also))
    return Knowledge(acts, rules, {}, position)


def overrides_then(view: View, learner: int, position: int) -> dict[int, Overriding]:
    """Return a learner's overrides by competency at a position, from the acts alone, whatever was decided."""
    found = overrides_over_time(view.run("mastery"), Overrides(), position).of(learner)
    last = {competency: own[-1].override for competency, own in found.items() if own}
    return {competency: one for competency, one in last.items() if one is not None}


def evidence_rows(view: View, learner: int, competencies: Sequence[int] | None, through: int) -> Sequence[Any]:
    """Return the rows of a learner's evidence (of some competencies, or of all) in the order of their causes."""
    rows = source.evidence.c
    query = select(source.evidence).where(
        rows.build_id == view.build("evidence"), rows.learner == learner, rows.cause <= through
    )
    if competencies is not None:
        query = query.where(rows.competency.in_(competencies))
    return view.connection.execute(query.order_by(rows.cause, rows.seq)).all()


def newest_decisions(view: View, learner: int, through: int) -> dict[int, Any]:
    """Return the row of a learner's newest decision on each competency as of a position."""
    columns = decision.c
    own = columns.build_id == view.build("mastery"), columns.learner == learner
    newest = (
        select(columns.competency, func.max(columns.position).label("position"))
        .where(*own, columns.position <= through)
        .group_by(columns.competency)
        .subquery()
    )
    same = (columns.competency == newest.c.competency) & (columns.position == newest.c.position)
    query = select(decision).join_from(decision, newest, same).where(*own)
    return {row.competency: row for row in view.connection.execute(query.order_by(columns.competency))}


def overrides_set(view: View, newest: Mapping[int, Any]) -> dict[int, Overriding]:
    """Return the override that the newest decision on each competency looked at."""
    found = overrides_at(view, sorted({row.override for row in newest.values()} - {0}))
    return {key: found[row.override] for key, row in newest.items() if row.override}


def overrides_at(view: View, positions: Sequence[int]) -> dict[int, Overriding]:
    """Return the overrides that the acts at these positions set, whether they still do or not."""
    if not positions:
        return {}
    act = source.act.c
    query = select(source.act).where(
        act.build_id == view.build("evidence"), act.cause.in_(positions), act.position == act.cause, act.change > 0
    )
    return {row.position: overriding(row) for row in view.connection.execute(query.order_by(act.position))}


def overriding(row: Any) -> Overriding:
    """Return the override that an act's row carries."""
    return Overriding(row.position, row.timestamp, row.statement_id, read_document("override", row.document))


def ever_adopted(view: View, competency: int, position: int) -> str:
    """Return the IRI of a competency that was adopted at any time up to a position; "" for none."""
    ever = acts_over_time(view.run("mastery"), ("framework",), position).competencies()
    return next((iri for iri in sorted(ever) if key64("competency", iri) == competency), "")


def stored_at(view: View, position: int) -> int | None:
    """Return when the statement at a position was stored, in microseconds; None at position 0."""
    rows = at(view.log_connection, view.log.log_id, [position])
    return rows[0].stored if rows else None
