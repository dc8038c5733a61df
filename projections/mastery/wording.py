"""What a rule says, in plain sentences that are made from it: everything that can move a decision is in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lrs.xapi.values import iso
from projections.documents import plain
from projections.evidence.documents import KIND_WORDS, kind_words
from projections.mastery.rules import ROLL_UPS, Method, OverridePolicy, Rule, cut_of, least_evidence, least_tasks
from projections.mastery.scales import Scale


def rule_text(rule: Rule, scale: Scale) -> str:
    """Return what a rule says in plain sentences, complete: everything that can move a decision is in them."""
    return " ".join(_sentences(rule, scale))


def _sentences(rule: Rule, scale: Scale) -> Iterator[str]:
    yield f"{rule.title} (rule {rule.id}, version {rule.version})."
    yield from _approval(rule)
    yield _scope(rule)
    yield f"The scale is {scale.title} ({scale.id}, version {scale.version}), from 0 to {plain(scale.maximum)}."
    yield f"Its levels are {_levels(scale)}."
    if rule.method.name in ROLL_UPS:
        yield from _rolled_up(rule.method, scale)
    else:
        yield from _counting(rule, scale)
    yield "Until then the answer is: not yet."
    yield from _overriding(rule.overrides)


def _approval(rule: Rule) -> Iterator[str]:
    if rule.approver:
        yield f"It was approved by {rule.approver} and holds from {iso(rule.effective_from)[:10]} on."


def _scope(rule: Rule) -> str:
    within = f" of the framework {rule.framework}" if rule.framework else ""
    strand = " Work habits are a strand of their own: it holds for these alone." * (rule.strand == "work_habits")
    if rule.competencies:
        return f"It holds for these competencies{within}: {', '.join(rule.competencies)}.{strand}"
    return f"It holds for every competency{within}.{strand}"


def _levels(scale: Scale) -> str:
    return ", ".join(
        f"{level.name} from {plain(level.minimum)}{f' ({level.description})' if level.description else ''}"
        for level in scale.levels
    )


def _rolled_up(method: Method, scale: Scale) -> Iterator[str]:
    yield _ROLL_UP_WORDS[method.name].format(points=method.required_points, proficient=scale.proficient)
    for child in method.children:
        needed = ", and is required" if child.required else ""
        yield f"The part {child.competency} brings {child.points} points{needed}."
    yield "A part without a decision is waited for."


def _counting(rule: Rule, scale: Scale) -> Iterator[str]:
    """Yield what a rule says that looks at evidence."""
    cut = plain(cut_of(rule, scale))
    yield f"These kinds of evidence count: {kind_words(rule.kinds, many=True, last='and')}."
    yield "Other kinds are shown but do not count."
    yield from _left_out(rule)
    yield _METHOD_WORDS[rule.method.name].format(
        w=rule.method.w, rest=100 - (rule.method.w or 0), n=rule.method.n, cut=cut
    )
    yield from _weights(rule)
    yield f"A learner is proficient, that is {scale.proficient} or above, from {cut} on."
    yield _COMPARE_WORDS[rule.compare]
    yield _needs(rule)
    yield from _times(rule)
    yield _REVISION_WORDS[rule.revisions]
    yield _ATTEMPT_WORDS[rule.attempts.which]
    if rule.attempts.most:
        yield f"Of each task the first {rule.attempts.most} attempts are looked at, no later one."
    yield _SUCCESS_WORDS[rule.dichotomous].format(cut=cut)
    yield from _advisory(rule)


def _left_out(rule: Rule) -> Iterator[str]:
    yield "Evidence that was excused does not count."
    if rule.validated_only:
        yield "Only validated assessments count."
    yield _OUTSIDE_WORDS[rule.outside]


def _weights(rule: Rule) -> Iterator[str]:
    if rule.weights:
        told = ", ".join(f"{KIND_WORDS[one.kind][1]} {one.weight}" for one in rule.weights)
        yield f"In the average each kind has a weight: {told}; any other 1."


def _needs(rule: Rule) -> str:
    needs = [_counted(least_evidence(rule), "piece of evidence", "pieces of evidence")]
    if least_tasks(rule) > 1:
        needs.append(f"{least_tasks(rule)} different tasks")
    if rule.min_contexts:
        needs.append(_counted(rule.min_contexts, "known context", "different contexts"))
    if rule.min_scorers:
        needs.append(_counted(rule.min_scorers, "known scorer", "different scorers"))
    needs += [f"{one.at_least} {kind_words(one.kinds, many=one.at_least > 1)}" for one in rule.mix]
    written = " and ".join(needs) if len(needs) < 3 else f"{', '.join(needs[:-1])} and {needs[-1]}"
    return f"With fewer than {written} nothing is decided yet."


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _times(rule: Rule) -> Iterator[str]:
    if rule.window_days:
        yield (
            f"Only evidence of the last {_counted(rule.window_days, 'day', 'days')} counts, "
            "reckoned from the moment that is asked about."
        )
    if rule.expires_after_days:
        yield (
            f"Mastery lapses {_counted(rule.expires_after_days, 'day', 'days')} after it was last shown at the cut, "
            "until it is shown once more."
        )


def _overriding(policy: OverridePolicy) -> Iterator[str]:
    if not policy.allowed:
        yield "What is computed may not be overridden."
        return
    second = " and a second person" if policy.second_person else ""
    yield f"It may be overridden by a person{second}, with a reason and evidence."
    if policy.max_days:
        yield f"An override ends after {_counted(policy.max_days, 'day', 'days')} at the latest."


def _advisory(rule: Rule) -> Iterator[str]:
    one = rule.advisory.bkt
    if one is not None:
        yield (
            "Bayesian knowledge tracing is shown beside the result and decides nothing "
            f"(known {plain(one.known)}, learn {plain(one.learn)}, guess {plain(one.guess)}, slip {plain(one.slip)}, "
            f"forget {plain(one.forget)})."
        )
    if rule.advisory.elo is not None:
        a, b = plain(rule.advisory.elo.a), plain(rule.advisory.elo.b)
        yield f"An Elo rating is shown beside the result and decides nothing (a {a}, b {b})."
    for name, checks in (("Khan Academy", rule.advisory.khan), ("ALEKS", rule.advisory.aleks)):
        if checks is not None:
            told = f"; checks are {kind_words(checks.checks, many=True, last='and')}" if checks.checks else ""
            yield f"The state by the table of {name} is shown beside the result and decides nothing{told}."


_METHOD_WORDS: Final = {
    "highest": "The highest score is the result.",
    "latest": "The latest score is the result.",
    "average": "The average of all scores is the result.",
    "median": "The score in the middle is the result, or the average of the two in the middle.",
    "mode": "The most frequent score, rounded half-up to two places, is the result; of several the later one.",
    "weighted_average": "The latest score makes up {w} percent of the result, the average of the rest {rest} percent.",
    "decaying_average": "Each new score makes up {w} percent of the result, all before it together {rest} percent.",
    "n_mastery": "At least {n} of the scores must be {cut} or above; the average of those is the result.",
    "power_law": (
        "The result is where the trend of all scores (a power law) stands at the latest one, at most the highest score "
        "of the scale; a score of zero is left out."
    ),
    "independent_tasks": (
        "The learner shows it in at least {n} different tasks, each scored {cut} or above; nothing is averaged. "
        "The level shown is that of the latest such task."
    ),
}
_ROLL_UP_WORDS: Final = {
    "all_children": "A learner is proficient, that is {proficient}, once proficient in every part of the competency.",
    "weakest_child": (
        "The weakest part of the competency is the result, once every part is decided. "
        "A learner is proficient, that is {proficient} or above, once proficient in every part."
    ),
    "points_children": (
        "A learner is proficient, that is {proficient}, once the parts shown bring at least {points} points together "
        "and every required part is shown."
    ),
}
_COMPARE_WORDS: Final[dict[str, str]] = {
    "rounded": "Results are rounded half-up to two places before they are compared.",
    "raw": "Results are compared as they are and rounded half-up to two places only to be shown.",
}
_OUTSIDE_WORDS: Final[dict[str, str]] = {
    "counts": "Evidence of another district counts like any other.",
    "shown": "Evidence of another district is shown but does not count.",
}
_REVISION_WORDS: Final[dict[str, str]] = {
    "replace": "A revision replaces the earlier try at the same task.",
    "append": "Each try at the same task counts for itself.",
    "best": "Of several tries at the same task the best one counts.",
}
_ATTEMPT_WORDS: Final[dict[str, str]] = {
    "latest": "Where a task is attempted anew, the latest attempt counts.",
    "first": "Where a task is attempted anew, the first attempt counts.",
    "best": "Where a task is attempted anew, the best attempt counts.",
    "all": "Where a task is attempted anew, each attempt counts for itself.",
}
_SUCCESS_WORDS: Final[dict[str, str]] = {
    "exclude": "Work that was only marked as passed or not, without a score, does not count.",
    "meets_cut": (
        "Work that was only marked as passed, without a score, counts as {cut}; "
        "marked as not passed, it stays below {cut} and has no score."
    ),
}
