"""Overrides: what a person decided against, or without, what the rule computes; an act of its own with its reason.

An override never touches what is computed: both are told. It is undone by voiding it, by clearing it, or by its end.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from marshmallow import ValidationError, validates_schema

from lrs.errors import Problem
from lrs.xapi.actors import ifi
from lrs.xapi.values import key64
from projections.documents import Choice, Day, Document, DocumentSchema, Iri, Several, Text, continued, value_of
from projections.evidence.identity import AgentField
from projections.mastery.rules import CompiledRule

Overridden: TypeAlias = Literal["proficient", "not_yet", "eligible"]

DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Override:
    """What somebody decided of a learner, in a competency or under a credit policy, and what it rests on.

    `evidence` are ids of statements; `expires` is the moment, in microseconds, from which on it no longer holds.
    """

    id: str
    learner: Mapping[str, Any]
    status: Overridden
    reason: str
    evidence: tuple[str, ...]
    competency: str | None = None
    policy: str | None = None
    level: str | None = None
    expires: int | None = None
    approved_by: Mapping[str, Any] | None = None

    @property
    def subject(self) -> int:
        """The key of the competency or of the policy."""
        return key64("policy", self.policy) if self.policy else key64("competency", str(self.competency))


@dataclass(frozen=True, slots=True)
class Clearing:
    """That an override, which is named by its own id, no longer holds, and why."""

    id: str
    override: str
    reason: str


class StatementId(Text):
    """The id of a statement."""

    def _deserialize(self, value: Any, *place: Any, **options: Any) -> str:
        text = super()._deserialize(value, *place, **options)
        try:
            return str(uuid.UUID(text))
        except ValueError as error:
            raise ValidationError("must be the id of a statement, a UUID") from error


class OverrideSchema(DocumentSchema[Override]):
    makes = Override
    id = Iri(required=True)
    learner = AgentField(required=True)
    competency = Iri()
    policy = Iri()
    status = Choice("proficient", "not_yet", "eligible", required=True)
    level = Text()
    reason = Text(required=True)
    evidence = Several(StatementId(), required=True)
    expires = Day()
    approved_by = AgentField()

    @validates_schema
    def _refuse_contradictions(self, values: dict[str, Any], **_: object) -> None:
        wrong: dict[str, list[str]] = {}
        is_credit = "policy" in values
        if is_credit == ("competency" in values):
            wrong["competency"] = ["must be there, or a policy instead: exactly one of the two"]
        if values["status"] == ("proficient" if is_credit else "eligible"):
            right = "eligible or not_yet" if is_credit else "proficient or not_yet"
            wrong["status"] = [f"must be {right} for a {'policy' if is_credit else 'competency'}"]
        if is_credit and "level" in values:
            wrong["level"] = ["is of a competency: take it out"]
        if is_credit and "approved_by" not in values:
            wrong["approved_by"] = ["is missing: credit is overridden by two persons, never by one"]
        if wrong:
            raise ValidationError(wrong)


class ClearingSchema(DocumentSchema[Clearing]):
    makes = Clearing
    id = Iri(required=True)
    override = Iri(required=True)
    reason = Text(required=True)


OVERRIDE: Final = OverrideSchema()
CLEARING: Final = ClearingSchema()


def override_of(document: Document) -> Override:
    """Return the override that a document stands for; raises InvalidRequest with every problem."""
    return value_of(OVERRIDE, document)


def clearing_of(document: Document) -> Clearing:
    """Return the clearing that a document stands for; raises InvalidRequest with every problem."""
    return value_of(CLEARING, document)


def persons_problems(actor: object, document: Document, pointer: str = "") -> list[Problem]:
    """Return why the persons of an override cannot stand together: its author, who approved it, and the learner."""
    persons = {name: _identifier(document.get(name)) for name in ("approved_by", "learner")}
    author, problems = _identifier(actor), []
    if persons["approved_by"] and persons["approved_by"] == author:
        words = "must be another person than the actor of the statement"
        problems.append(Problem(continued(pointer, "approved_by"), words))
    if persons["learner"] and persons["learner"] in (author, persons["approved_by"]):
        words = "must be another person than those who decide: nobody overrides their own"
        problems.append(Problem(continued(pointer, "learner"), words))
    return problems


def _identifier(agent: object) -> str | None:
    try:
        return ifi(agent) if isinstance(agent, Mapping) else None
    except (AttributeError, KeyError, TypeError):
        return None


class Overriding(NamedTuple):
    """An override that is set, with the act that set it."""

    position: int
    timestamp: int
    statement_id: str
    override: Override

    @property
    def status(self) -> Overridden:
        """What holds instead of what is computed."""
        return self.override.status

    def place(self, rule: CompiledRule) -> int:
        """Return the place, on the rule's scale, of the level that the override gives."""
        if self.override.level is not None:
            return rule.names.index(self.override.level)
        return rule.proficient if self.status == "proficient" else max(rule.proficient - 1, 0)

    def ends(self, rule: CompiledRule | None) -> int | None:
        """Return the moment from which on it holds no more: its own, or where the rule's longest time is over."""
        most = rule.overrides.max_days if rule is not None else None
        longest = None if most is None else self.timestamp + most * DAY_US
        return min((one for one in (self.override.expires, longest) if one is not None), default=None)


def objection(one: Overriding, rule: CompiledRule | None, moment: int) -> str:
    """Return why an override does not hold at a moment, in microseconds, under a rule; "" when it holds."""
    if rule is None:
        return "no_rule"
    if not rule.overrides.allowed:
        return "not_allowed_by_rule"
    if rule.overrides.second_person and one.override.approved_by is None:
        return "needs_second_person"
    if one.override.level is not None and not _fits(one.override, rule):
        return "level_does_not_fit"
    ends = one.ends(rule)
    return "expired" if ends is not None and moment >= ends else ""


def _fits(override: Override, rule: CompiledRule) -> bool:
    """Tell whether the scale has the level, on the side of the proficient one that the status says."""
    if override.level not in rule.names:
        return False
    return (rule.names.index(override.level) >= rule.proficient) == (override.status == "proficient")
