"""Which of several tries at one task count: a revision improves an attempt, an attempt begins the task anew."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Final, Literal, NamedTuple, Protocol, TypeVar

from projections.evidence.evidence import Evidence

_LOWEST: Final = Decimal("-Infinity")


class Try(Protocol):
    """A piece of evidence with its points; no points is a task that was marked as not passed, without a score."""

    @property
    def evidence(self) -> Evidence: ...

    @property
    def points(self) -> Decimal | None: ...

    @property
    def task(self) -> int: ...


T = TypeVar("T", bound=Try)


class Tries(NamedTuple):
    """What counts: of the revisions of an attempt, and of the attempts at a task; `most` are looked at."""

    revisions: Literal["replace", "append", "best"]
    attempts: Literal["latest", "first", "best", "all"]
    most: int | None = None


_field = Evidence._fields.index
_by_revision: Final = itemgetter(*map(_field, ("revision", "timestamp", "statement_id", "criterion")))
_by_attempt: Final = itemgetter(*map(_field, ("attempt", "revision", "timestamp", "statement_id", "criterion")))
_DROPPED: Final = {"replace": "superseded_by_revision", "best": "not_the_best_revision"}

LATEST: Final = Tries("replace", "latest")


def current(policy: Tries, tries: Sequence[T]) -> tuple[list[T], list[tuple[T, str]]]:
    """Return the tries that count and each of the others with the reason; both stay in the order that they come in."""
    if policy == LATEST:
        return _latest(tries)
    by_task: dict[int, list[T]] = {}
    for one in tries:
        by_task.setdefault(one.task, []).append(one)
    reasons: dict[int, str] = {}
    for own in by_task.values():
        reasons |= {id(one): reason for one, reason in _dropped(policy, own)}
    kept = [one for one in tries if id(one) not in reasons]
    return kept, [(one, reasons[id(one)]) for one in tries if id(one) in reasons]


def _latest(tries: Sequence[T]) -> tuple[list[T], list[tuple[T, str]]]:
    """Return the same for the policy that most rules have: the latest revision of the latest attempt."""
    newest: dict[int, T] = {}
    for one in tries:
        task = one.task
        if task not in newest or _by_attempt(one.evidence) > _by_attempt(newest[task].evidence):
            newest[task] = one
    kept = [one for one in tries if newest[one.task] is one]
    return kept, [(one, _superseded(one, newest[one.task])) for one in tries if newest[one.task] is not one]


def _superseded(one: Try, by: Try) -> str:
    return _DROPPED["replace"] if one.evidence.attempt == by.evidence.attempt else "another_attempt_counts"


def _dropped(policy: Tries, tries: list[T]) -> list[tuple[T, str]]:
    """Return the tries at one task that do not count, with the reason."""
    if len(tries) == 1 and policy.most is None:
        return []
    attempts: dict[int, list[T]] = {}
    for one in sorted(tries, key=lambda one: one.evidence.attempt):
        attempts.setdefault(one.evidence.attempt, []).append(one)
    numbered = list(attempts.values())
    beyond = numbered[policy.most :] if policy.most else []
    dropped = [(one, "beyond_attempts") for own in beyond for one in own]
    standing = [_of_attempt(policy, own, dropped) for own in numbered[: policy.most]]
    chosen = _chosen(policy, standing)
    return dropped + [(one, "another_attempt_counts") for own in standing if own not in chosen for one in own]


def _of_attempt(policy: Tries, tries: list[T], dropped: list[tuple[T, str]]) -> list[T]:
    """Return the revisions of one attempt that count."""
    if policy.revisions == "append" or len(tries) == 1:
        return tries
    best = max(tries, key=_by_worth if policy.revisions == "best" else lambda one: _by_revision(one.evidence))
    dropped += [(one, _DROPPED[policy.revisions]) for one in tries if one is not best]
    return [best]


def _by_worth(one: Try) -> tuple[Decimal, object]:
    return _worth(one), _by_revision(one.evidence)


def _worth(one: Try) -> Decimal:
    return _LOWEST if one.points is None else one.points


def _chosen(policy: Tries, attempts: list[list[T]]) -> list[list[T]]:
    """Return the attempts that count; of two that are equally good, the later."""
    if policy.attempts == "all" or len(attempts) < 2:
        return attempts
    if policy.attempts == "best":
        return [max(reversed(attempts), key=lambda own: max(map(_worth, own)))]
    return [attempts[0 if policy.attempts == "first" else -1]]
