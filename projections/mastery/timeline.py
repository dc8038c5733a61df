"""What a decision is made of and how it is told: the evidence that holds, the rule, the override, and their hashes.

Pure, and about one learner and one competency; how these follow one another in time is `learner`'s.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from operator import itemgetter
from struct import Struct
from typing import Any, Final, NamedTuple, cast

import msgspec

from projections.evidence.evidence import Evidence
from projections.mastery.decide import Read, decide_read
from projections.mastery.outcome import ChildStanding, Input, Outcome, Status, Unmet
from projections.mastery.overrides import Overriding, objection
from projections.mastery.roll_up import by_children
from projections.mastery.rules import CompiledRule, compiled
from projections.registry import Ruled

STATUSES: Final = ("no_evidence", "insufficient_evidence", "not_yet", "proficient")
CAUSES: Final = ("new_evidence", "late", "void", "rule_change", "correction", "override")
"""In the order of their stored numbers; a new one is added at the end."""

NO_DIGEST: Final = bytes(32)
NO_RULE_OUTCOME: Final = Outcome("no_evidence", None, None, None, (), (), (Unmet("mastery_rule", "0", "1"),))
"""What is decided where no rule holds: nothing is said of the evidence, and what was said before holds no more."""

NEW, LATE, VOID, RULE, CORRECTION, OVERRIDE = range(6)
_STATUS_NUMBER: Final = {name: number for number, name in enumerate(STATUSES)}
_encode: Final = msgspec.json.Encoder(decimal_format="string").encode
_pack: Final = Struct(">32sqBqqq32s").pack

in_time: Final = itemgetter(*map(Evidence._fields.index, ("timestamp", "statement_id", "criterion")))
"""The order of evidence: by time, then by statement; the criteria of one rubric stand in the order of their keys."""


class Change(NamedTuple):
    """Evidence that begins (+1) or ends (-1) to hold for a key, at the position that caused it."""

    cause: int
    change: int
    reason: str
    evidence: Evidence


class Version(NamedTuple):
    """One rule with its scale, in force from a moment on, in microseconds; the positions are of their acts."""

    since: int
    rule: CompiledRule | None
    name: str
    rule_position: int
    scale_position: int


NO_VERSION: Final = Version(0, None, "", 0, 0)


class RuleChange(NamedTuple):
    """From a position on these versions are known for a competency, each from its moment on; none: no rule holds.

    `children` are the keys of the competencies that a version rolls up, in their order; none where nothing is.
    """

    position: int
    versions: tuple[Version, ...] = ()
    children: tuple[int, ...] = ()

    def at(self, moment: int | None) -> tuple[Version, int | None]:
        """Return the version in force at a moment and when the next one takes its place; None: the last of all."""
        if moment is None:
            return (self.versions[-1] if self.versions else NO_VERSION), None
        held = NO_VERSION
        for one in self.versions:
            if one.since > moment:
                return held, one.since
            held = one
        return held, None


NO_RULE: Final = RuleChange(0)


def rule_change(position: int, versions: tuple[Version, ...], children: Sequence[int] = ()) -> RuleChange:
    """Return that these versions are known for a competency from a position on.

    `children` are those that the competency has in its framework; rules that roll nothing up leave them aside.
    """
    is_roll_up = any(one.rule is not None and one.rule.is_roll_up for one in versions)
    return RuleChange(position, versions, tuple(sorted(children)) if is_roll_up else ())


def version_of(one: Ruled) -> Version:
    """Return a rule and its scale, prepared for deciding."""
    if one.rule is None or one.scale is None:
        return NO_VERSION._replace(since=one.since)
    rule = one.rule.document
    name = f"{rule.id}@{rule.version}"
    return Version(one.since, compiled(rule, one.scale.document), name, one.rule.position, one.scale.position)


class Judged(NamedTuple):
    """What is told of a key: what a rule computes, and the status and level that hold when an override is looked at.

    `override` is the one that is set, whether it holds or not; `objection` says why it does not, "" when it does.
    `lapses` is the earliest moment at which time alone could change any of this; None: never.
    """

    version: Version
    outcome: Outcome
    status: Status
    level: str | None
    override: Overriding | None
    objection: str
    lapses: int | None


# The constructor of a named tuple is a Python function; there are two for each decision.
_made_judged: Final = cast("Callable[[tuple[Any, ...]], Judged]", partial(tuple.__new__, Judged))


class Decision(NamedTuple):
    """One decision without its build and key, in the order of the table's columns."""

    position: int
    status: int
    level: str | None
    raw: str | None
    rounded: str | None
    rule: int
    scale: int
    override: int
    lapses: int | None
    cause: int
    outcome: bytes
    digest: bytes


_made_decision: Final = cast("Callable[[tuple[Any, ...]], Decision]", partial(tuple.__new__, Decision))


@dataclass(slots=True)
class State:
    """What is known of one key: the evidence that holds, in order, what rules it, and the last decision's digest.

    `judged` is what was last said of exactly that, or None when something changed meanwhile. What stands behind it only
    saves time: the evidence as a rule last read it, and the hash of the inputs.
    """

    evidence: list[Evidence] = field(default_factory=list)
    digest: bytes = NO_DIGEST
    rule: RuleChange = NO_RULE
    override: Overriding | None = None
    judged: Judged | None = None
    _hashed: tuple[tuple[Input, ...], Any] = ((), None)
    _read: Read | None = None

    def apply(self, change: Change) -> int:
        """Let evidence begin or end; return the number of the cause that this is."""
        self.judged = None
        _, sign, reason, one = change
        if sign < 0:
            ended = one.position, one.criterion
            self._read = None
            self.evidence = [other for other in self.evidence if (other.position, other.criterion) != ended]
            return VOID if reason == "voided" else CORRECTION
        if not self.evidence or in_time(one) > in_time(self.evidence[-1]):
            self.evidence.append(one)
            return NEW
        insort(self.evidence, one, key=in_time)
        self._read = None
        return LATE

    def read(self, rule: CompiledRule) -> Read:
        """Return the evidence as a rule reads it; what it has read before is not read again."""
        if self._read is None or self._read.rule is not rule:
            self._read = Read(rule)
        if self._read.size < len(self.evidence):
            self._read.add(self.evidence[self._read.size :])
        return self._read

    def hashed(self, inputs: tuple[Input, ...]) -> Any:
        """Return the SHA-256 object that has hashed the lines of these inputs, of which most were hashed before."""
        known, inputs_hash = self._hashed
        if inputs_hash is None or inputs[: len(known)] != known:
            known, inputs_hash = (), sha256()
        for evidence, points, weight in inputs[len(known) :]:
            inputs_hash.update(_encode((evidence[1], evidence[14], points, weight)) + b"\n")
        self._hashed = inputs, inputs_hash
        return inputs_hash


def judge(state: State, children: Sequence[ChildStanding] = (), as_of: int | None = None) -> Judged:
    """Return what is to be told of what is known of a key, and of where its children stand.

    `as_of` is a moment in microseconds; None stands for the newest moment that the facts themselves tell of, so that a
    stored decision depends on no clock.
    """
    moment = _newest(state, children) if as_of is None else as_of
    version, lapses = state.rule.at(moment)
    rule = version.rule
    outcome = NO_RULE_OUTCOME if rule is None else _computed(rule, state, children, as_of)
    if outcome.lapses is not None:
        lapses = outcome.lapses if lapses is None else min(lapses, outcome.lapses)
    if state.override is None:
        return _made_judged((version, outcome, outcome.status, outcome.level, None, "", lapses))
    return _overridden(version, outcome, state.override, moment or 0, lapses)


def _computed(rule: CompiledRule, state: State, children: Sequence[ChildStanding], as_of: int | None) -> Outcome:
    return by_children(rule, children) if rule.is_roll_up else decide_read(state.read(rule), as_of)


def _overridden(version: Version, outcome: Outcome, override: Overriding, moment: int, lapses: int | None) -> Judged:
    rule = version.rule
    against = objection(override, rule, moment)
    if against or rule is None:
        return Judged(version, outcome, outcome.status, outcome.level, override, against, lapses)
    ends = override.ends(rule)
    first = min((one for one in (lapses, ends) if one is not None), default=None)
    level = rule.names[override.place(rule)]
    return Judged(version, outcome, cast("Status", override.status), level, override, "", first)


def _newest(state: State, children: Sequence[ChildStanding]) -> int | None:
    """Return the newest moment that is told of; None where nothing is."""
    newest = state.evidence[-1].timestamp if state.evidence else None
    if state.override is None and not children:
        return newest
    moments = [one.timestamp for one in children if one.timestamp]
    moments += [newest] if newest is not None else []
    moments += [state.override.timestamp] if state.override is not None else []
    return max(moments, default=None)


def child_standing(key: int, state: State, judged: Judged) -> ChildStanding:
    """Return what a parent sees of a child: an overridden one stands where its override's level begins."""
    newest = _newest(state, judged.outcome.children) or 0
    rule, outcome = judged.version.rule, judged.outcome
    if rule is None or judged.level is None:
        return ChildStanding(key, judged.status, timestamp=newest, lapses=judged.lapses)
    place = rule.names.index(judged.level)
    is_overridden = judged.override is not None and not judged.objection
    value = rule.minima[place] if is_overridden else outcome.rounded
    return ChildStanding(key, judged.status, place, value, rule.maximum, newest, judged.lapses)


def decided(state: State, judged: Judged, position: int, cause: int) -> Decision:
    """Return the decision that a position brings about, and chain it to the one before."""
    version, outcome, status, level, override, _, lapses = judged
    raw, value = outcome.raw, outcome.rounded
    raw_text, value_text = None if raw is None else str(raw), None if value is None else str(value)
    hashed = _outcome_hash(judged, raw_text, value_text, state.hashed(outcome.inputs))
    state.judged = judged
    state.digest = decision_digest(state.digest, position, cause, judged, hashed)
    return _made_decision(
        (
            position, _STATUS_NUMBER[status], level, raw_text, value_text, version.rule_position,
            version.scale_position, 0 if override is None else override.position, lapses, cause, hashed, state.digest,
        )
    )  # fmt: skip


def _outcome_hash(judged: Judged, raw: str | None, value: str | None, inputs: Any) -> bytes:
    """Return the SHA-256 of what was decided on which statements under which rule version; no position is in it.

    It covers each input with its points and weight, then the rule's name, what holds and what was computed, what is
    unmet, the override with what speaks against it, when it lapses, and the children: all that does not depend on the
    order of arrival. It is JSON, a line for each input and one for the rest. `inputs` has hashed the lines of the
    inputs already.
    """
    version, outcome, status, level, override, objection, lapses = judged
    rest = (
        version.name, status, level, outcome.status, outcome.level, raw, value, outcome.unmet,
        None if override is None else override.statement_id, objection, lapses, outcome.children,
    )  # fmt: skip
    whole = inputs.copy()
    whole.update(_encode(rest))
    hashed: bytes = whole.digest()
    return hashed


def decision_digest(previous: bytes, position: int, cause: int, judged: Judged, outcome: bytes) -> bytes:
    """Return the digest of a decision, which chains it to the one before.

    It covers the digest before, position and cause, the acts that it rests on, the outcome, and what was left out.
    """
    version, override = judged.version, judged.override
    set_by = 0 if override is None else override.position
    told = _pack(previous, position, cause, version.rule_position, version.scale_position, set_by, outcome)
    if judged.outcome.excluded:
        told += _encode([(one[0], one[14], reason) for one, reason in judged.outcome.excluded])
    return sha256(told).digest()
