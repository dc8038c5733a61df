"""The decisions of one learner and one competency over time: a pure fold of evidence rows and changes of rule.

One decision for each position that changed the evidence, or the rule, of the key. How the positions are cut into
batches, and whether a key is folded alone or among others, changes nothing.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple

import msgspec

from projections.evidence.evidence import Evidence
from projections.mastery.decide import Outcome, Unmet, decide_in_order
from projections.mastery.rules import CompiledRule, compiled
from projections.registry import Act

STATUSES: Final = ("no_evidence", "insufficient_evidence", "not_yet", "proficient")
CAUSES: Final = ("new_evidence", "late", "void", "rule_change", "correction")
"""In the order of their stored numbers; a new one is added at the end."""

NO_DIGEST: Final = bytes(32)
NO_RULE: Final = Outcome("no_evidence", None, None, None, (), (), (Unmet("mastery_rule", "0", "1"),))
"""What is decided where no rule holds: nothing is said of the evidence, and what was said before holds no more."""

_NEW, _LATE, _VOID, _RULE, _CORRECTION = range(5)
_STATUS_NUMBER: Final = {name: number for number, name in enumerate(STATUSES)}
_by_time: Final = itemgetter(Evidence._fields.index("timestamp"), Evidence._fields.index("statement_id"))
_encode: Final = msgspec.json.Encoder(decimal_format="string").encode


class Change(NamedTuple):
    """Evidence that begins (+1) or ends (-1) to hold for a key, at the position that caused it."""

    cause: int
    change: int
    reason: str
    evidence: Evidence


class RuleChange(NamedTuple):
    """From a position on, this rule holds for a competency (None: no rule does); the positions are of their acts."""

    position: int
    rule: CompiledRule | None
    rule_name: str
    rule_position: int
    scale_position: int


def rule_change(position: int, found: tuple[Act, Act] | None) -> RuleChange:
    """Return that from a position on the rule and the scale of these acts hold, or none does."""
    if found is None:
        return RuleChange(position, None, "", 0, 0)
    rule, scale = found[0].document, found[1].document
    name = f"{rule.id}@{rule.version}"
    return RuleChange(position, compiled(rule, scale), name, found[0].position, found[1].position)


class Decision(NamedTuple):
    """One decision without its build and key, in the order of the table's columns."""

    position: int
    status: int
    level: str | None
    raw: str | None
    rounded: str | None
    rule: int
    scale: int
    cause: int
    outcome: bytes
    digest: bytes


@dataclass(slots=True)
class State:
    """What is known of one key: the evidence that holds, in order, and the digest of the last decision."""

    evidence: list[Evidence] = field(default_factory=list)
    digest: bytes = NO_DIGEST

    def apply(self, change: Change) -> int:
        """Let evidence begin or end; return the number of the cause that this is."""
        if change.change > 0:
            is_late = bool(self.evidence) and _by_time(change.evidence) < _by_time(self.evidence[-1])
            insort(self.evidence, change.evidence, key=_by_time)
            return _LATE if is_late else _NEW
        self.evidence = [one for one in self.evidence if one.position != change.evidence.position]
        return _VOID if change.reason == "voided" else _CORRECTION


def decisions(
    state: State, changes: Sequence[Change], rules: Sequence[RuleChange], after: int, through: int
) -> Iterator[Decision]:
    """Yield the decisions at after < position <= through; `changes` are the key's, in order, up to `through`.

    `state` is what held at `after` when `changes` begin behind it, or empty when they begin at the start of the log.
    `rules` begins with the rule that held first.
    """
    pending = [rule for rule in rules if rule.position > after]
    current = _rule_at(rules, after)
    for cause, group in groupby(changes, key=attrgetter("cause")):
        while pending and pending[0].position < cause:
            current = pending.pop(0)
            yield from _by_rule(state, current)
        numbers = [state.apply(change) for change in group]
        if cause <= after:
            continue
        if pending and pending[0].position == cause:
            current = pending.pop(0)
        yield decided(state, current, cause, max(numbers))
    for rule in pending:
        if rule.position <= through:
            yield from _by_rule(state, rule)


def _rule_at(rules: Sequence[RuleChange], position: int) -> RuleChange:
    held = [rule for rule in rules if rule.position <= position]
    return held[-1] if held else RuleChange(0, None, "", 0, 0)


def _by_rule(state: State, rule: RuleChange) -> Iterator[Decision]:
    if state.evidence or state.digest != NO_DIGEST:
        yield decided(state, rule, rule.position, _RULE)


def decided(state: State, rule: RuleChange, position: int, cause: int) -> Decision:
    """Return the decision on what holds, and chain it to the one before."""
    outcome = outcome_under(rule, state.evidence)
    hashed = outcome_hash(rule.rule_name, outcome)
    state.digest = decision_digest(state.digest, position, cause, rule, outcome.excluded, hashed)
    raw, value = outcome.raw, outcome.rounded
    return Decision(
        position,
        _STATUS_NUMBER[outcome.status],
        outcome.level,
        None if raw is None else str(raw),
        None if value is None else str(value),
        rule.rule_position,
        rule.scale_position,
        cause,
        hashed,
        state.digest,
    )


def outcome_under(rule: RuleChange, evidence: Sequence[Evidence]) -> Outcome:
    """Return what a rule says of evidence that is sorted by (timestamp, statement id)."""
    return NO_RULE if rule.rule is None else decide_in_order(rule.rule, evidence)


def outcome_hash(rule_name: str, outcome: Outcome) -> bytes:
    """Return the SHA-256 of what was decided on which statements under which rule version; no position is in it."""
    inputs = [(one.evidence[1], one.points, one.weight) for one in outcome.inputs]
    told = (rule_name, outcome.status, outcome.level, outcome.raw, outcome.rounded, inputs, outcome.unmet)
    return sha256(_encode(told)).digest()


def decision_digest(
    previous: bytes,
    position: int,
    cause: int,
    rule: RuleChange,
    excluded: Iterable[tuple[Evidence, str]],
    outcome: bytes,
) -> bytes:
    """Return the digest of a decision: outcome, what was left out and why, causes, and the digest before it."""
    left_out = [(one[0], reason) for one, reason in excluded]
    told = (previous.hex(), position, cause, rule.rule_position, rule.scale_position, left_out, outcome.hex())
    return sha256(_encode(told)).digest()
