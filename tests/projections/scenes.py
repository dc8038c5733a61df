"""A small district for the projections' tests: a framework, some tasks, some learners, all with fixed ids and times."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from lrs.store.engine import immediate
from lrs.store.log import create_log
from lrs.xapi.actors import ifi
from lrs.xapi.values import key64
from projections import acts
from projections.building.builds import builds, drop, live_builds
from projections.building.catalogue import NAMES, PROJECTIONS, tables_of
from projections.building.digest import digest, outcome_digest
from projections.building.runtime import Runtime
from projections.evidence.reading import quarantined
from projections.ids import decision_key, learner_id
from projections.mastery.reading import competency_map, decision_record
from projections.mastery.rule_documents import DEFAULT_RULE_DOCUMENT
from projections.mastery.scales import DEFAULT_SCALE_DOCUMENT
from projections.profile import REVISION, TASK
from projections.view import View, view_of
from tests.district import District

Json = dict[str, Any]

ORIGIN = "https://district.example.org"
REGISTRAR = {"objectType": "Agent", "account": {"homePage": ORIGIN, "name": "registrar"}}
SIS = "https://sis.example.org"
TOOL = "https://tool.example.org"
FRAMEWORK = f"{ORIGIN}/frameworks/mathematics"
ALGEBRA, GEOMETRY, RATIOS = (f"{ORIGIN}/competencies/{name}" for name in ("algebra", "geometry", "ratios"))
POLICY = f"{ORIGIN}/policies/math-1"
FIRST_DAY = datetime(2026, 9, 1, 14, tzinfo=UTC)
ALIGNMENT_EXTENSION = "https://w3id.org/xapi/acrossx/extensions/alignment"
PERFORMANCE = "http://adlnet.gov/expapi/activities/performance"


def fixed_id(name: str) -> str:
    """Return the id that always stands for this name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{ORIGIN}/{name}"))


def day(number: float) -> str:
    """Return a moment on a day of the term."""
    return (FIRST_DAY + timedelta(days=number)).isoformat()


# Learners and what they do


def learner(name: str) -> Json:
    """Return a learner as the tools name one."""
    return {"objectType": "Agent", "name": name.capitalize(), "account": {"homePage": SIS, "name": name}}


def key_of(name: str) -> int:
    """Return the key of a learner."""
    return key64("agent", str(ifi(learner(name))))


def address_of(name: str) -> str:
    """Return the name of a learner in addresses."""
    return learner_id(key_of(name))


def activity(task: str, kind: str | None = None) -> Json:
    """Return an activity of the tool."""
    definition = {"definition": {"type": kind}} if kind else {}
    return {"objectType": "Activity", "id": f"{TOOL}/{task}", **definition}


def did(who: str, task: str, share: float, on: float, revision: int = 0, name: str = "", **more: Any) -> Json:
    """Return that somebody was scored for a task: a share of a hundred points, on a day."""
    extensions = {"context": {"extensions": {REVISION: revision}}} if revision else {}
    return {
        "id": fixed_id(name or f"{who}/{task}/{share}/{on}/{revision}"),
        "actor": learner(who),
        "verb": {"id": "http://adlnet.gov/expapi/verbs/scored"},
        "object": activity(task),
        "result": {"score": {"raw": round(share * 100), "min": 0, "max": 100}},
        "timestamp": day(on),
        **extensions,
        **more,
    }


def shown(who: str, competency: str, task: str, share: float, on: float, name: str = "") -> Json:
    """Return a performance that names its competency itself, so that no alignment is needed."""
    context = {"contextActivities": {"grouping": [{"id": competency}]}, "extensions": {TASK: f"{TOOL}/{task}"}}
    return did(who, task, share, on, name=name, object=activity(task, PERFORMANCE), context=context)


def void(target: str, on: float = 60, name: str = "") -> Json:
    """Return the void of the statement with this id."""
    return {
        "id": fixed_id(name or f"void/{target}"),
        "actor": REGISTRAR,
        "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
        "object": {"objectType": "StatementRef", "id": target},
        "timestamp": day(on),
    }


# What the registrar publishes


def act(statement: Mapping[str, Any], on: float, name: str) -> Json:
    """Return a registrar's act with a fixed id and time."""
    return {**statement, "id": fixed_id(name), "timestamp": day(on)}


def framework(
    version: str = "1", competencies: Iterable[str] = (ALGEBRA, GEOMETRY, RATIOS), on: float = -9, **more: Any
) -> Json:
    """Return the adoption of a version of the framework, whose levels are those of the default scale."""
    members = [{"uri": one, "name": one.rpartition("/")[2], "statement": f"Can do {one}."} for one in competencies]
    scale_named = {"id": DEFAULT_SCALE_DOCUMENT["id"], "version": DEFAULT_SCALE_DOCUMENT["version"]}
    told = {"uri": FRAMEWORK, "title": "Mathematics", "version": version, "scale": scale_named}
    document = {**told, "competencies": members, **more}
    return act(acts.adopt(document, REGISTRAR), on, f"framework/{version}")


def aligned(task: str, *competencies: str, kind: str = "performance_task", on: float = -8, name: str = "") -> Json:
    """Return the alignment of a task, or its end."""
    document = {"activity": f"{TOOL}/{task}", "competencies": list(competencies), "kind": kind}
    return act(acts.align(document, REGISTRAR), on, name or f"alignment/{task}/{on}")


def scale(on: float = -10) -> Json:
    """Return the publication of the default scale."""
    return act(acts.publish("scale", DEFAULT_SCALE_DOCUMENT, REGISTRAR), on, "scale")


def rule(version: int = 1, on: float = -10, name: str = "", **changed: Any) -> Json:
    """Return the publication of a version of the default rule, changed."""
    in_force = {"approver": "The board of the district", "effective_from": f"2026-01-{version:02}"}
    document = {**DEFAULT_RULE_DOCUMENT, **in_force, "version": version, **changed}
    return act(acts.publish("rule", document, REGISTRAR), on, name or f"rule/{version}")


def policy(version: int = 1, on: float = -7, require: Any = None, name: str = "") -> Json:
    """Return the publication of a version of the credit policy: algebra secure and two tasks above 70 percent."""
    tasks = {"kinds": ["performance_task", "local_summative"], "count": 2, "minimum_share": "0.7"}
    secure = {"competency_at_level": {"competency": ALGEBRA, "level": "Secure"}}
    document = {
        "id": POLICY,
        "version": version,
        "title": "Mathematics 1",
        "course": {"code": "M1", "title": "Mathematics 1"},
        "units": "1",
        "require": require or {"all_of": [secure, {"evidence": tasks}]},
    }
    return act(acts.publish("policy", document, REGISTRAR), on, name or f"policy/{version}")


def normaliser(platform: str, minimum: str, on: float = -6, version: int = 1) -> Json:
    """Return the publication of how a platform's scaled scores are read."""
    document = {
        "id": f"{ORIGIN}/normalisers/{platform.lower().replace(' ', '-')}",
        "version": version,
        "title": platform,
        "match": {"platform": platform},
        "scaled": {"minimum": minimum, "maximum": "1"},
    }
    return act(acts.publish("normaliser", document, REGISTRAR), on, f"normaliser/{platform}/{version}")


def first_acts() -> list[Json]:
    """Return what a school year begins with: scale, rule, framework, policy and the alignments of four tasks."""
    return [
        scale(),
        rule(),
        framework(),
        policy(),
        aligned("essay", ALGEBRA),
        aligned("bridge", ALGEBRA, GEOMETRY),
        aligned("exam", ALGEBRA, GEOMETRY, kind="local_summative"),
        aligned("quiz", ALGEBRA, kind="formative"),
    ]


# The log and what follows from it


def bare(district: District, slug: str | None = None) -> District:
    """Return the same application with an empty log, which has the same origin wherever it is made."""
    slug = slug or uuid.uuid4().hex[:12]
    with immediate(district.engine).begin() as connection:
        log = create_log(connection, slug, f"District {slug}", ORIGIN)
    return replace(district, _log=log)


def post(district: District, statements: Iterable[Json]) -> None:
    """Append statements in this order, all at once."""
    district.desk.append(district.log, list(statements))


def folded(district: District, statements: Iterable[Json], batch: int = 7) -> District:
    """Return a new log that holds these statements, folded."""
    one = bare(district)
    post(one, statements)
    Runtime(one.engine, one.desk.derived, batch).catch_up(one.log.log_id)
    return one


def told(district: District, *statements: Json) -> None:
    """Append more statements and fold them."""
    post(district, statements)
    district.fold()


def live_ids(connection: Connection, district: District) -> dict[str, int]:
    """Return the live build of each projection."""
    return {name: one.build_id for name, one in live_builds(connection, district.log.log_id).items()}


def digests(district: District) -> dict[str, str]:
    """Return the full digest of every live build."""
    with district.desk.derived.connect() as connection:
        ids = live_ids(connection, district)
        return {name: digest(connection, ids[name], tables_of(name)) for name in NAMES}


def outcome(district: District, through: int | None = None) -> str:
    """Return the digest of what holds in the end, or held at a position."""
    with district.desk.derived.connect() as connection:
        return outcome_digest(connection, live_ids(connection, district), through)


def views(district: District, as_of: int | None = None) -> Iterator[View]:
    """Yield one view of the log, and close it behind its use."""
    with district.desk.derived.connect() as connection, district.engine.connect() as log_connection:
        yield view_of(connection, log_connection, district.log, None if as_of is None else str(as_of))


def standings(district: District, who: str, as_of: int | None = None) -> dict[str, Json]:
    """Return where a learner stands in each competency, by the last part of its IRI."""
    for view in views(district, as_of):
        found = competency_map(view, key_of(who))
    return {one["uri"].rpartition("/")[2]: one for part in found["frameworks"] for one in part["competencies"]}


def decided(district: District, who: str, competency: str) -> list[Json]:
    """Return the records of every decision on a learner and a competency, oldest first."""
    for view in views(district):
        newest = standings(district, who)[competency]["decision"]
        records: list[Json] = []
        while newest is not None:
            records.insert(0, decision_record(view, decision_key(newest)))
            newest = records[0]["supersedes"]
    return records


def waiting(district: District) -> list[tuple[str, str]]:
    """Return the reason for each statement in the quarantine, newest first, with its id."""
    for view in views(district):
        found = quarantined(view)
    return [(one["reason"], one["statement_id"]) for one in found["newest"]]


def statuses(district: District, who: str, as_of: int | None = None) -> dict[str, str]:
    """Return the status of a learner in each competency."""
    return {name: one["status"] for name, one in standings(district, who, as_of).items()}


def forget(district: District) -> None:
    """Drop every build of the log, the live ones too, so that a fold begins at the first position."""
    with immediate(district.desk.derived).begin() as connection:
        for one in builds(connection, district.log.log_id):
            drop(connection, one, tables_of(one.projection))


def fold_in_turns(district: District, runtimes: Iterator[Runtime], size: int | None = None) -> None:
    """Fold up to a size, each batch by the next of the runtimes, all projections in turn."""
    size = district.size() if size is None else size
    live = next(runtimes).ensure(district.log.log_id)
    upstream = {one.name: {name: live[name].build_id for name in one.upstream} for one in PROJECTIONS}
    is_moving = True
    while is_moving:
        moved = [next(runtimes).step(one, live[one.name].build_id, upstream[one.name], size) for one in PROJECTIONS]
        is_moving = any(position is not None for position in moved)


def new_runtimes(district: District, batch: int) -> Iterator[Runtime]:
    """Yield runtimes that know nothing yet, without end."""
    while True:
        yield Runtime(district.engine, district.desk.derived, batch)
