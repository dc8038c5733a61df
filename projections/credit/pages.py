"""What the pages show of credit: every requirement with what is there and what is needed, under the names of things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, select

from projections.credit.tables import credit_decision
from projections.credit.timeline import OUTCOMES
from projections.registry import Acts
from projections.view import View
from projections.wording import STATUS_WORDS, Mark, named, names_of, override_words

ELIGIBLE: Final = OUTCOMES.index("eligible")
GROUPS: Final = {"all_of": "All of these", "any_of": "At least one of these"}


def standing_shown(found: Mapping[str, Any], acts: Acts) -> dict[str, Any]:
    """Return a policy's answer, its requirements as a tree, in the names that people use."""
    names = names_of(acts)
    leaves = [{**leaf, **_leaf_words(leaf, names)} for leaf in found["leaves"]]
    return {
        **found,
        "mark": answer_mark(found["outcome"]),
        "tree": tree(leaves),
        "met": sum(leaf["met"] for leaf in leaves),
        "lines": policy_lines(found["policy"], names),
        "overrides": [{**one, "words": override_words(one)} for one in _overrides(found)],
        "computed": STATUS_WORDS.get(found["computed"], ""),
    }


def _overrides(found: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the overrides of an answer in a list, whether the record or the standing of it was read."""
    if "overrides" in found:
        return list(found["overrides"])
    return [found["override"]] if found["override"] else []


def _leaf_words(leaf: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    have = STATUS_WORDS.get(leaf["have"].replace(" ", "_"), leaf["have"])
    return {"words": _capital(named(leaf["requirement"], names)), "have": have}


def answer_mark(outcome: str) -> Mark:
    """Return how an answer is drawn."""
    return Mark("high" if outcome == "eligible" else "open", STATUS_WORDS[outcome], int(outcome == "eligible"), 1)


def tree(leaves: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the requirements as they are nested in the policy; each leaf knows its place by its JSON pointer."""
    root: dict[str, Any] = {"parts": []}
    groups: dict[tuple[str, ...], dict[str, Any]] = {(): root}
    for leaf in leaves:
        names = tuple(leaf["path"].split("/")[2:])
        for end in range(0, len(names), 2):
            _group_at(groups, names, end)
        groups[names[:-1]]["parts"].append(leaf)
    for place in sorted(groups, key=len, reverse=True):
        _judge(groups[place])
    return root["parts"][0] if leaves else None


def _group_at(groups: dict[tuple[str, ...], dict[str, Any]], names: tuple[str, ...], end: int) -> None:
    """Open the group that begins behind `end` steps of the path, unless a leaf before has opened it."""
    place = names[: end + 1]
    if place not in groups:
        groups[place] = {"kind": names[end], "words": GROUPS[names[end]], "parts": []}
        above = groups[names[: end - 1]] if end else groups[()]
        above["parts"].append(groups[place])


def _judge(group: dict[str, Any]) -> None:
    met = [part["met"] for part in group["parts"]]
    group["met"] = any(met) if group.get("kind") == "any_of" else all(met)


def policy_lines(policy: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[int, str]]:
    """Return what a policy says in plain words: (depth, line)."""
    title = f"(policy {policy['id']}, version {policy['version']})"
    text = named(str(policy["text"]).replace(title, f"(version {policy['version']})"), names)
    return [_line(line) for line in text.splitlines()]


def _line(line: str) -> tuple[int, str]:
    words = line.lstrip(" ")
    depth = (len(line) - len(words)) // 2 + words.startswith("- ")
    return depth, _capital(words.removeprefix("- "))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def eligible(view: View, acts: Acts, learners: Sequence[int]) -> dict[int, list[str]]:
    """Return, for each of these learners, the titles of the policies that they are eligible under."""
    titles = {act.position: act.document.course.title for act in acts.policies}
    found: dict[int, list[str]] = {learner: [] for learner in learners}
    columns = credit_decision.c
    newest = _newest(view).where(columns.learner.in_(learners)).subquery()
    for row in view.connection.execute(_eligible_rows(view, newest)):
        if row.published in titles:
            found[row.learner].append(titles[row.published])
    return found


def eligible_counts(view: View, acts: Acts) -> list[tuple[str, int]]:
    """Return (title, how many learners are eligible) of every policy in force."""
    rows = _eligible_rows(view, _newest(view).subquery()).order_by(None).subquery()
    published = rows.c.published
    query = select(published, func.count().label("learners")).group_by(published).order_by(published)
    counts = {row.published: row.learners for row in view.connection.execute(query)}
    return [(str(act.document.course.title), counts.get(act.position, 0)) for act in acts.policies]


def _newest(view: View) -> Any:
    columns = credit_decision.c
    return (
        select(columns.learner, columns.policy, func.max(columns.position).label("position"))
        .where(columns.build_id == view.build("credit"), columns.position <= view.position)
        .group_by(columns.learner, columns.policy)
    )


def _eligible_rows(view: View, newest: Any) -> Any:
    columns = credit_decision.c
    same = (
        (columns.learner == newest.c.learner)
        & (columns.policy == newest.c.policy)
        & (columns.position == newest.c.position)
    )
    return (
        select(columns.learner, columns.published)
        .join_from(credit_decision, newest, same)
        .where(columns.build_id == view.build("credit"), columns.outcome == ELIGIBLE)
        .order_by(columns.learner, columns.published)
    )
