"""The registrar's acts of an archive, read back: what is in force over time, with a candidate's rules put on top."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from lrs.xapi.values import key64
from projections.archive.columns import lists_of
from projections.evidence.history import ActsOverTime
from projections.mastery.laws import OVERRIDE_KINDS, RULE_KINDS, Laws, Overrides, Rules
from projections.registry import Act, Acts, read_document


class Turn(NamedTuple):
    """From a position on, the act at `position` begins to hold, or (None) ends."""

    cause: int
    position: int
    act: Act | None


def turns_of(acts: pa.Table, kinds: Iterable[str]) -> Iterator[Turn]:
    """Yield the turns of some kinds of acts, in the order of the log; where one ends its document is not told again."""
    wanted = frozenset(kinds)
    columns = lists_of(acts, ("cause", "position", "change", "kind", "timestamp", "statement_id", "document"))
    for cause, position, change, kind, timestamp, statement_id, document in zip(*columns, strict=True):
        if kind not in wanted:
            continue
        begun = change > 0
        value = Act(position, kind, timestamp, statement_id, read_document(kind, document)) if begun else None
        yield Turn(cause, position, value)


def laws_of(acts: pa.Table, through: int) -> Laws:
    """Return what decided the evidence over time, as the database's own fold saw it."""
    overrides = Overrides(through)
    for cause, position, act in turns_of(acts, OVERRIDE_KINDS):
        if act is None:
            overrides.end(cause, position)
        else:
            overrides.begin(cause, act)
    return Laws(Rules(history_of(turns_of(acts, RULE_KINDS), through)), overrides)


def history_of(turns: Iterable[Turn], through: int) -> ActsOverTime:
    """Return which acts held from each position on."""
    steps: dict[int, Acts] = {}
    held = Acts()
    for cause, position, act in turns:
        held = held.without(position) if act is None else held.with_act(act)
        steps[cause] = held
    return ActsOverTime(through, tuple(steps.items()))


def named_competencies(acts: pa.Table) -> Sequence[tuple[Any, ...]]:
    """Return the key, IRI, name and framework of every competency that was ever adopted, as it was named last."""
    found: dict[str, tuple[Any, ...]] = {}
    for turn in turns_of(acts, ("framework",)):
        if turn.act is None:
            continue
        framework = turn.act.document
        found |= {
            one.uri: (key64("competency", one.uri), one.uri, one.name, framework.uri) for one in framework.competencies
        }
    return [found[uri] for uri in sorted(found)]
