"""The order in which the competencies of a framework are come by: what precedes what, rings told, loose ends let be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import NamedTuple

from projections.frameworks.documents import Competency, Framework, Progression


class Order(NamedTuple):
    """The progression of a framework.

    `steps` are the IRIs of all its competencies, each behind whatever precedes it and otherwise as the tree has them;
    `stages` say for each how many steps lie on the longest way to it. Of each ring (a chain that comes back to its
    first node) the last step is left out of account. `dangling` have an end outside the framework.
    """

    steps: tuple[str, ...]
    stages: Mapping[str, int]
    rings: tuple[tuple[str, ...], ...]
    dangling: tuple[Progression, ...]


def order_of(framework: Framework) -> Order:
    """Return the order in which the competencies of a framework are come by."""
    places = {one.uri: place for place, one in enumerate(in_tree_order(framework.competencies))}
    inside = [one for one in framework.progressions if one.before in places and one.after in places]
    dangling = tuple(one for one in framework.progressions if one.before not in places or one.after not in places)
    pairs = dict.fromkeys((one.before, one.after) for one in inside)
    found = tuple(rings(pairs))
    closing = {ring[-2:] for ring in found}
    following = _following(pair for pair in pairs if pair not in closing)
    steps, stages = _sorted(places, following)
    return Order(steps, stages, found, dangling)


def in_tree_order(competencies: Iterable[Competency]) -> list[Competency]:
    """Return competencies as a tree is read: parents before children, siblings by their order, then as they came."""
    known = list(competencies)
    uris = {one.uri for one in known}
    children: dict[str, list[Competency]] = {}
    for one in known:
        children.setdefault(one.parent if one.parent in uris else "", []).append(one)
    for siblings in children.values():
        siblings.sort(key=lambda one: (one.order is None, one.order or 0))
    found, waiting = [], list(reversed(children.get("", [])))
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting.extend(reversed(children.get(one.uri, [])))
    return found


def depths(competencies: Iterable[Competency]) -> dict[str, int]:
    """Return how deep each competency lies in the tree; 0 at the top."""
    found: dict[str, int] = {}
    for one in in_tree_order(competencies):
        found[one.uri] = found.get(one.parent or "", -1) + 1
    return found


def rings(edges: Iterable[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    """Yield chains that come back to their first node; without the last step of each, no ring is left."""
    following = _following(edges)
    done: set[str] = set()
    for start in following:
        yield from _rings_from(start, following, done)


def _following(edges: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    following: dict[str, list[str]] = {}
    for before, after in edges:
        following.setdefault(before, []).append(after)
    return following


def _rings_from(start: str, following: Mapping[str, list[str]], done: set[str]) -> Iterator[tuple[str, ...]]:
    """Yield the rings met depth first from one node; `done` gathers the nodes that need no second visit."""
    path = {} if start in done else {start: iter(following[start])}
    while path:
        node = next(reversed(path))
        step = next(path[node], None)
        if step is None:
            del path[node]
            done.add(node)
        elif step in path:
            chain = [*path, step]
            yield tuple(chain[chain.index(step) :])
        elif step not in done:
            path[step] = iter(following.get(step, ()))


def _sorted(places: Mapping[str, int], following: Mapping[str, list[str]]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the nodes so that each stands behind its predecessors, the lowest place first, and their stages."""
    open_before = dict.fromkeys(places, 0)
    for afters in following.values():
        for after in afters:
            open_before[after] += 1
    ready = [(place, uri) for uri, place in places.items() if not open_before[uri]]
    steps, stages = [], dict.fromkeys(places, 0)
    while ready:
        _, uri = heappop(ready)
        steps.append(uri)
        for after in following.get(uri, ()):
            stages[after] = max(stages[after], stages[uri] + 1)
            open_before[after] -= 1
            if not open_before[after]:
                heappush(ready, (places[after], after))
    return tuple(steps), stages
