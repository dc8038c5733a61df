"""Rebuilding: fill new builds beside the live ones, compare the digests, and let them take their place.

Readers follow the live builds and never wait. Only the folding of what comes in stands still, from the moment in which
old and new are brought to one position until the swap is committed: that is the pause, and it is measured.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from lrs.store.engine import immediate
from lrs.store.log import head
from projections.building.builds import (
    Build,
    begin_build,
    builds,
    builds_in,
    claim_waiting,
    drop,
    live_builds,
    make_live,
    resume_build,
)
from projections.building.catalogue import NAMES, PROJECTIONS, tables_of, with_downstream
from projections.building.comparing import Differs, Sums, check, sums_of, together
from projections.building.crew import Crew
from projections.building.digest import Span, buckets, digest_of
from projections.building.filling import Overtaken, bring_up, chosen_now, fill
from projections.building.folding import Folding, Progress, fold, silent, upstream_of
from projections.building.units import now_us

ROUNDS: Final = 8
FEW_POSITIONS: Final = 500
"""So little is left for the pause: what came in while the round before was compared is compared in another round."""

Digests = dict[str, str]


class NothingRetired(Exception):
    """There is no build to go back to."""


class Swapped(NamedTuple):
    """What a swap came to: the digests of what is live now and of what was, and for how long no folding went on."""

    digests: Digests
    replaced: Digests
    pause_seconds: float


def rebuild(
    folding: Folding,
    crew: Crew,
    log_id: int,
    names: Collection[str],
    progress: Progress = silent,
    *,
    accept: bool = False,
    fresh: bool = False,
) -> Swapped:
    """Fold the named projections, and all that stand on them, anew beside the live ones, compare, and swap.

    A rebuild of the same projections that was not finished goes on, unless `fresh`. The builds that were live are kept
    as retired. Raises Differs, and swaps nothing, when the rows differ and `accept` does not say that they may;
    Overtaken when another rebuild of the log came first.
    """
    crew.begin()
    folding.catch_up(log_id)
    new = _begun(folding, log_id, with_downstream(names), fresh=fresh)
    try:
        fill(folding, crew, log_id, new, progress)
        return _swap(folding, crew, log_id, new, progress, accept=accept)
    except Differs:
        _drop(folding, new.values())
        raise


def verify(folding: Folding, crew: Crew, log_id: int, progress: Progress = silent) -> Digests:
    """Fold all projections anew and compare with the live ones; return the digests, or raise Differs.

    Raises Overtaken when another check of the log has begun, or what is live was swapped meanwhile.
    """
    folding.catch_up(log_id)
    new = _checking(folding, log_id)
    try:
        fill(folding, crew, log_id, new, progress)
        live = folding.live(log_id)
        chosen = [*chosen_now(folding, log_id, new).values(), *live.values()]
        span = Span(0, min(one.position for one in chosen))
        sums = sums_of(crew, chosen, span, progress)
        with folding.engine.connect() as connection:
            check(connection, new, live, sums, span)
        chosen_now(folding, log_id, new)
    finally:
        _drop(folding, new.values())
    return _told(new, sums)


def roll_back(folding: Folding, crew: Crew, log_id: int, progress: Progress = silent) -> Swapped:
    """Let the retired builds, brought up to the head, take the place of the live ones, which are retired.

    The rows may differ; the digests tell. Raises NothingRetired, or Overtaken.
    """
    folding.catch_up(log_id)
    with folding.engine.connect() as connection:
        retired = builds_in(connection, log_id, "retired")
    if not retired:
        raise NothingRetired("no retired build is kept: a rebuild keeps the one before it, until the next or a prune")
    return _swap(folding, crew, log_id, retired, progress, accept=True)


def prune(folding: Folding, log_id: int) -> list[Build]:
    """Drop what is retired, and what rebuilds and checks left unfinished; return those builds."""
    with folding.engine.connect() as connection:
        unwanted = [one for one in builds(connection, log_id) if one.state != "live"]
    _drop(folding, unwanted)
    return unwanted


def _begun(folding: Folding, log_id: int, names: Collection[str], *, fresh: bool) -> dict[str, Build]:
    """Return the builds to fill: those of a rebuild that was not finished, or new ones; what is not needed goes."""
    with immediate(folding.engine).begin() as connection:
        found = builds(connection, log_id)
        unfinished = {one.projection: one for one in found if one.state == "building"}
        is_resumed = not fresh and unfinished.keys() == set(names)
        for one in found:
            if one.state in {"retired", "abandoned"} or (one.state == "building" and not is_resumed):
                drop(connection, one, tables_of(one.projection))
        if is_resumed:
            return {name: resume_build(connection, unfinished[name], now_us()) for name in names}
        return {name: begin_build(connection, log_id, name, "building", now_us()) for name in names}


def _checking(folding: Folding, log_id: int) -> dict[str, Build]:
    with immediate(folding.engine).begin() as connection:
        for one in builds(connection, log_id):
            if one.state == "checking":
                drop(connection, one, tables_of(one.projection))
        return {name: begin_build(connection, log_id, name, "checking", now_us()) for name in NAMES}


def _drop(folding: Folding, unwanted: Collection[Build]) -> None:
    with immediate(folding.engine).begin() as connection:
        for one in unwanted:
            drop(connection, one, tables_of(one.projection))


def _swap(
    folding: Folding, crew: Crew, log_id: int, new: Mapping[str, Build], progress: Progress, *, accept: bool
) -> Swapped:
    """Compare new builds with the live ones and let them take their place."""
    live = {name: one for name, one in folding.live(log_id).items() if name in new}
    through, sums = _settled(folding, crew, new, live, progress, accept=accept)
    with _frozen(folding, log_id, new, live) as (connection, began):
        rest = {
            one.build_id: buckets(connection, one.build_id, tables_of(one.projection), Span(through))
            for one in (*new.values(), *live.values())
        }
        if not accept:
            check(connection, new, live, rest, Span(through))
        make_live(connection, new.values(), live)
    everything = together(sums, rest)
    return Swapped(_told(new, everything), _told(live, everything), time.perf_counter() - began)


def _settled(
    folding: Folding,
    crew: Crew,
    new: Mapping[str, Build],
    live: Mapping[str, Build],
    progress: Progress,
    *,
    accept: bool,
) -> tuple[int, Sums]:
    """Compare all but the last few positions, while everything goes on; return up to where, and the buckets."""
    through, sums = 0, dict[int, list[int]]()
    log_id = next(iter(new.values())).log_id
    for _ in range(ROUNDS):
        folding.catch_up(log_id)
        bring_up(folding, log_id, new)
        chosen = [*chosen_now(folding, log_id, new).values(), *chosen_now(folding, log_id, live).values()]
        span = Span(through, min(one.position for one in chosen))
        more = sums_of(crew, [*new.values(), *live.values()], span, progress)
        if not accept:
            with folding.engine.connect() as connection:
                check(connection, new, live, more, span)
        sums, through = together(sums, more), span.through or 0
        if through - span.after < FEW_POSITIONS:
            break
    return through, sums


@contextmanager
def _frozen(
    folding: Folding, log_id: int, new: Mapping[str, Build], live: Mapping[str, Build]
) -> Iterator[tuple[Connection, float]]:
    """Bring all builds to one position and hold them there until the transaction ends; with the moment it began.

    Raises Overtaken where the live builds are others by now, or a new one is gone.
    """
    memories: dict[int, dict[str, Any]] = {}
    with folding.log_engine.connect() as log_connection, immediate(folding.engine).begin() as connection:
        held = live_builds(connection, log_id)
        ids = sorted({one.build_id for one in (*held.values(), *live.values(), *new.values())})
        claimed = {build_id: claim_waiting(connection, build_id) for build_id in ids}
        began = time.perf_counter()
        states = {build_id: one.state for build_id, one in claimed.items() if one is not None}
        if any(states.get(one.build_id) != one.state for one in (*live.values(), *new.values())):
            raise Overtaken(log_id)
        size = head(log_connection, log_id)[0]
        for chosen in (held, {**held, **new}):
            for projection in PROJECTIONS:
                one = claimed[chosen[projection.name].build_id]
                if one is not None and one.position < size:
                    memory = memories.setdefault(one.build_id, folding.memory.pop(one.build_id, {}))
                    upstream = upstream_of(projection, chosen)
                    fold(connection, log_connection, projection, one, upstream, size, memory)
                    claimed[one.build_id] = one._replace(position=size)
        yield connection, began
    for build_id, memory in memories.items():
        folding.remember(build_id, memory)


def _told(chosen: Mapping[str, Build], sums: Sums) -> Digests:
    return {name: digest_of(sums[one.build_id]) for name, one in chosen.items()}
