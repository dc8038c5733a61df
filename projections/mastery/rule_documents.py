"""Rules as people write them: the schema with every reason for a refusal, and the rule that every log begins with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from marshmallow import ValidationError, post_load, validates_schema

from projections.documents import (
    Choice,
    Day,
    Document,
    DocumentSchema,
    Exact,
    Iri,
    Part,
    Several,
    Text,
    Whole,
    Yes,
    value_of,
)
from projections.evidence.evidence import KINDS
from projections.mastery.advisory import Advisory, Checks, Rating, Tracing
from projections.mastery.rules import (
    INDEPENDENT_TASKS,
    METHOD_NAMES,
    ROLL_UPS,
    WORK_HABIT,
    Attempts,
    Child,
    Method,
    Mix,
    OverridePolicy,
    Rule,
    Version,
    Weight,
)
from projections.mastery.scales import DEFAULT_SCALE_DOCUMENT
from projections.profile import PROFILE

_NUMBERS: Final = {
    "weighted_average": ("w", 1, 99, 65),
    "decaying_average": ("w", 50, 99, 65),
    "n_mastery": ("n", 1, 10, None),
    INDEPENDENT_TASKS: ("n", 1, 10, 2),
    "points_children": ("required_points", 1, 100_000, None),
}
"""The number that a method takes, its bounds and its default; None where it has to be written."""

_WITH_CUT: Final = ("n_mastery", INDEPENDENT_TASKS)
_WITH_WEIGHTS: Final = ("average", "weighted_average", "n_mastery")
_NOT_FOR_ROLL_UPS: Final = (
    "kinds", "weights", "min_evidence", "min_tasks", "min_contexts", "min_scorers", "mix", "validated_only",
    "window_days", "expires_after_days", "revisions", "attempts", "dichotomous", "outside", "compare", "cut",
    "framework", "advisory",
)  # fmt: skip
_HABIT_WORDS: Final = ("behaviour", "behavior", "effort", "participation", "work_habits")
_NO_HABIT: Final = "is a strand of its own: behaviour and work habits never count toward an academic competency"
_ONLY_HABITS: Final = "is academic: a rule of the strand work_habits counts work_habit alone"
_YEARS: Final = 36_500


class EvidenceKind(Text):
    """A kind of evidence; another word for behaviour is refused with the reason."""

    def _deserialize(self, value: Any, *place: Any, **options: Any) -> str:
        word = super()._deserialize(value, *place, **options)
        if word in _HABIT_WORDS:
            raise ValidationError(_NO_HABIT)
        if word not in KINDS:
            raise ValidationError(f"is not a kind of assessment: write one of {', '.join(KINDS)}")
        return str(word)


class VersionSchema(DocumentSchema[Version]):
    makes = Version
    id = Iri(required=True)
    version = Whole(1, required=True)


class ChildSchema(DocumentSchema[Child]):
    makes = Child
    competency = Iri(required=True)
    points = Whole(0, 10_000, required=True)
    required = Yes()


class MethodSchema(DocumentSchema[Method]):
    makes = Method
    name = Choice(*METHOD_NAMES, required=True)
    w = Whole(1, 99)
    n = Whole(1, 10)
    cut = Exact("0.01", places=2)
    required_points = Whole(1, 100_000)
    children = Several(Part(ChildSchema))

    @validates_schema
    def _refuse_what_the_method_does_not_take(self, values: dict[str, Any], **_: object) -> None:
        wrong = {**dict(_misfits(values)), **_unsound_children(values)}
        if wrong:
            raise ValidationError(wrong)

    @post_load
    def _made(self, values: dict[str, Any], **_: object) -> Method:
        if values["name"] in _NUMBERS:
            number, _lowest, _highest, default = _NUMBERS[values["name"]]
            values.setdefault(number, default)
        return Method(**{**values, "children": tuple(values.get("children", ()))})


class WeightSchema(DocumentSchema[Weight]):
    makes = Weight
    kind = EvidenceKind(required=True)
    weight = Whole(1, 100, required=True)


class MixSchema(DocumentSchema[Mix]):
    makes = Mix
    kinds = Several(EvidenceKind(), required=True)
    at_least = Whole(1, 1000, required=True)


class AttemptsSchema(DocumentSchema[Attempts]):
    makes = Attempts
    which = Choice("latest", "first", "best", "all", required=True)
    most = Whole(1, 1000)


class OverridePolicySchema(DocumentSchema[OverridePolicy]):
    makes = OverridePolicy
    allowed = Yes(required=True)
    second_person = Yes()
    max_days = Whole(1, _YEARS)

    @validates_schema
    def _refuse_terms_of_nothing(self, values: dict[str, Any], **_: object) -> None:
        if not values["allowed"] and len(values) > 1:
            raise ValidationError({"allowed": ["is false, so no other field says anything: take them out"]})


class TracingSchema(DocumentSchema[Tracing]):
    makes = Tracing
    known = Exact("0.0001", "0.9999", places=4)
    learn = Exact("0", "1", places=4)
    guess = Exact("0.0001", "0.9999", places=4)
    slip = Exact("0.0001", "0.9999", places=4)
    forget = Exact("0", "1", places=4)

    @validates_schema
    def _refuse_answers_that_tell_nothing(self, values: dict[str, Any], **_: object) -> None:
        made = Tracing(**values)
        if made.guess + made.slip >= 1:
            raise ValidationError({"slip": ["must be below 1 together with guess: else a right answer tells nothing"]})


class RatingSchema(DocumentSchema[Rating]):
    makes = Rating
    a = Exact("0.01", "10", places=4)
    b = Exact("0", "10", places=4)


class ChecksSchema(DocumentSchema[Checks]):
    makes = Checks
    checks = Several(EvidenceKind())


class AdvisorySchema(DocumentSchema[Advisory]):
    makes = Advisory
    bkt = Part(TracingSchema)
    elo = Part(RatingSchema)
    khan = Part(ChecksSchema)
    aleks = Part(ChecksSchema)


class PublishedRuleSchema(DocumentSchema[Rule]):
    """A rule as it may stand in a log; those of before approvers and dates were asked for stay readable."""

    makes = Rule
    id = Iri(required=True)
    version = Whole(1, required=True)
    title = Text(required=True)
    framework = Iri()
    competencies = Several(Iri())
    strand = Choice("academic", "work_habits")
    scale = Part(VersionSchema, required=True)
    method = Part(MethodSchema, required=True)
    kinds = Several(EvidenceKind())
    weights = Several(Part(WeightSchema))
    min_evidence = Whole(1, 1000)
    min_tasks = Whole(1, 1000)
    min_contexts = Whole(1, 1000)
    min_scorers = Whole(1, 1000)
    mix = Several(Part(MixSchema))
    validated_only = Yes()
    window_days = Whole(1, _YEARS)
    expires_after_days = Whole(1, _YEARS)
    revisions = Choice("replace", "append", "best")
    attempts = Part(AttemptsSchema)
    dichotomous = Choice("exclude", "meets_cut")
    outside = Choice("counts", "shown")
    compare = Choice("rounded", "raw")
    rounding = Choice("half_up/2")
    cut = Exact("0.01", places=2)
    overrides = Part(OverridePolicySchema)
    advisory = Part(AdvisorySchema)
    approver = Text()
    effective_from = Day()

    @validates_schema
    def _refuse_contradictions(self, values: dict[str, Any], **_: object) -> None:
        is_roll_up = values["method"].name in ROLL_UPS
        wrong = _unsound_roll_up(values) if is_roll_up else _unsound_counting(values)
        found: dict[str, Any] = {}
        for name, problem in wrong:
            found.setdefault(name, problem)
        if found:
            raise ValidationError(found)


class RuleSchema(PublishedRuleSchema):
    """A rule as it is published from now on: with who approved it and from which date it holds."""

    approver = Text(required=True)
    effective_from = Day(required=True)


RULE: Final = RuleSchema()
PUBLISHED_RULE: Final = PublishedRuleSchema()


def rule_of(document: Document) -> Rule:
    """Return the rule that a document in a log stands for; raises InvalidRequest with every problem."""
    return value_of(PUBLISHED_RULE, document)


def _unsound_counting(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what contradicts itself in a rule that looks at evidence."""
    method: Method = values["method"]
    if "kinds" not in values:
        yield "kinds", ["is missing"]
        return
    if method.cut is not None and "cut" in values:
        yield "cut", ["stands in the method too: write it once"]
    if method.name == INDEPENDENT_TASKS:
        yield from _more_than_one_per_task(values)
    yield from _mixed_strands(values)
    yield from _unsound_weights(values)
    yield from _unsound_mix(values)


def _more_than_one_per_task(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if values.get("revisions") == "append":
        yield "revisions", ["must be replace or best: independent_tasks counts each task once"]
    if "attempts" in values and values["attempts"].which == "all":
        yield "attempts", {"which": ["must be latest, first or best: independent_tasks counts each task once"]}


def _mixed_strands(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    is_habits = values.get("strand") == "work_habits"
    reason = _ONLY_HABITS if is_habits else _NO_HABIT
    wrong = {place: [reason] for place, kind in enumerate(values["kinds"]) if (kind == WORK_HABIT) != is_habits}
    if wrong:
        yield "kinds", wrong


def _unsound_weights(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    weights: Sequence[Weight] = values.get("weights", ())
    if weights and values["method"].name not in _WITH_WEIGHTS:
        yield "weights", [f"belong to a mean: the method must be one of {', '.join(_WITH_WEIGHTS)}"]
        return
    wrong = dict(_strange_kinds([one.kind for one in weights], values["kinds"]))
    if wrong:
        yield "weights", {place: {"kind": words} for place, words in wrong.items()}


def _unsound_mix(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    members = [(place, kind) for place, one in enumerate(values.get("mix", ())) for kind in one.kinds]
    wrong: dict[int, dict[str, list[str]]] = {}
    for number, words in _strange_kinds([kind for _, kind in members], values["kinds"]):
        wrong.setdefault(members[number][0], {"kinds": words})
    if wrong:
        yield "mix", wrong


def _strange_kinds(named: Sequence[str], counted: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the places of kinds that are named twice, or that the rule does not count."""
    for place, kind in enumerate(named):
        if kind not in counted:
            yield place, [f"names {kind}, which is not among the kinds that count"]
        elif kind in named[:place]:
            yield place, [f"names {kind} a second time"]


def _unsound_roll_up(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what contradicts itself in a rule that looks at a competency's children."""
    name = values["method"].name
    for field in _NOT_FOR_ROLL_UPS:
        if field in values:
            yield field, [f"has no place beside {name}, which looks at no evidence of its own: take it out"]
    parents = values.get("competencies", ())
    if not parents:
        yield "competencies", [f"is missing: {name} names the competencies whose children it looks at"]
    elif name == "points_children":
        yield from _unsound_parent(values["method"], parents)


def _unsound_parent(method: Method, parents: Sequence[str]) -> Iterator[tuple[str, Any]]:
    if len(parents) > 1:
        yield "competencies", ["must name one competency: points_children lists the children of one"]
    own = {
        place: {"competency": ["is the parent itself"]}
        for place, one in enumerate(method.children)
        if one.competency in parents
    }
    if own:
        yield "method", {"children": own}


def _unsound_children(method: Mapping[str, Any]) -> dict[str, Any]:
    children: Sequence[Child] = method.get("children", ())
    if method["name"] != "points_children":
        return {"children": [f"is no parameter of {method['name']}: take it out"]} if children else {}
    if not children:
        return {"children": ["is missing"]}
    counts = Counter(one.competency for one in children)
    twice = {
        place: {"competency": ["appears twice"]} for place, one in enumerate(children) if counts[one.competency] > 1
    }
    if twice:
        return {"children": twice}
    total = sum(one.points for one in children)
    if total < method.get("required_points", 0):
        return {"required_points": [f"must be at most {total}, the points of all children together"]}
    return {}


def _misfits(method: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    name = method["name"]
    number, lowest, highest, default = _NUMBERS.get(name, ("", 0, 0, 0))
    for other in {"w", "n", "required_points"} & method.keys() - {number}:
        yield other, [f"is no parameter of {name}: take it out"]
    if "cut" in method and name not in _WITH_CUT:
        yield "cut", [f"is no parameter of {name}: write the cut beside the method"]
    if number and not lowest <= method.get(number, default or 0) <= highest:
        yield number, [f"must be a whole number from {lowest} to {highest}" if number in method else "is missing"]


DEFAULT_RULE_DOCUMENT: Final[Document] = {
    "id": f"{PROFILE}/rules/two-independent-tasks",
    "version": 1,
    "title": "Two independent tasks",
    "approver": "Cairn, as shipped",
    "effective_from": "1970-01-01",
    "scale": {"id": DEFAULT_SCALE_DOCUMENT["id"], "version": 1},
    "method": {"name": INDEPENDENT_TASKS, "n": 2},
    "kinds": ["performance_task", "portfolio", "local_summative", "state_summative"],
}
DEFAULT_RULE: Final = rule_of(DEFAULT_RULE_DOCUMENT)
