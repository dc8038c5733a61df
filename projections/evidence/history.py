"""The acts over time: which documents held from which position on."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from projections.evidence import tables
from projections.registry import Act, Acts, read_document
from projections.run import Run


@dataclass(frozen=True, slots=True)
class ActsOverTime:
    """The acts of some kinds that held from each position on at which they changed, oldest first, up to `through`."""

    through: int = 0
    steps: tuple[tuple[int, Acts], ...] = ()

    def at(self, position: int) -> Acts:
        """Return the acts that held at a position."""
        held = [acts for step, acts in self.steps if step <= position]
        return held[-1] if held else Acts()

    def changed_after(self, position: int) -> bool:
        """Whether one of the acts began or ended behind a position."""
        return bool(self.steps) and self.steps[-1][0] > position

    def competencies(self) -> set[str]:
        """Return the IRIs of all competencies that were ever adopted."""
        return {iri for _, acts in self.steps for iri in acts.competencies}


def acts_over_time(run: Run, kinds: tuple[str, ...], through: int) -> ActsOverTime:
    """Return the acts of these kinds up to a position; what was read for an earlier batch is only continued."""
    known: ActsOverTime = run.memory.get("acts", ActsOverTime())
    if known.through >= through:
        return known
    act = tables.act
    query = select(act).where(
        act.c.build_id == run.upstream["evidence"],
        act.c.cause > known.through,
        act.c.cause <= through,
        act.c.kind.in_(kinds),
    )
    steps = dict(known.steps)
    held = known.at(known.through)
    for row in run.connection.execute(query.order_by(act.c.cause, act.c.position)):
        if row.change > 0:
            document = read_document(row.kind, row.document)
            held = held.with_act(Act(row.position, row.kind, row.timestamp, row.statement_id, document))
        else:
            held = held.without(row.position)
        steps[row.cause] = held
    run.memory["acts"] = ActsOverTime(through, tuple(steps.items()))
    found: ActsOverTime = run.memory["acts"]
    return found
