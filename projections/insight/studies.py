"""Studies: questions of what if that are kept by name, with what was found.

A name stands for one question for ever. Asked again, the same question is answered from what is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from lrs.errors import DocumentConflict, InvalidRequest, NotFound, Problem
from lrs.store.log import Log
from projections.insight.candidates import candidate_of
from projections.insight.findings import Told, findings, names_of, sha256_of
from projections.insight.people import people_of
from projections.insight.suppression import LEAST
from projections.insight.tables import study
from projections.insight.what_if import Progress, Question, answer, silent
from projections.registry import Acts
from projections.view import View

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
ABANDONED_AFTER: Final = timedelta(hours=1)
"""A study that has been running for so long was left by a worker that died; another one takes it up."""

LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Definition:
    """What a study asks: a candidate's document over after < position <= through."""

    document: Mapping[str, Any]
    after: int
    through: int

    def encoded(self) -> bytes:
        """Return the definition as canonical JSON."""
        told = {"candidate": self.document, "from": self.after + 1, "through": self.through}
        return msgspec.json.encode(told, order="sorted")


@dataclass(frozen=True, slots=True)
class Study:
    """A study as it is kept; `result` is JSON, None until it is done; `asked` is in microseconds."""

    study_id: int
    log_id: int
    name: str
    definition: bytes
    state: str
    asked: int
    position: int
    result: bytes | None
    problem: str

    def asks(self) -> Definition:
        """Return what it asks."""
        told = msgspec.json.decode(self.definition)
        return Definition(told["candidate"], told["from"] - 1, told["through"])

    def found(self) -> Told:
        """Return what was found; raises NotFound while it is not done."""
        if self.result is None:
            raise NotFound(f"the study {self.name!r} is {self.state}; {self.problem or 'ask again in a while'}")
        told: Told = msgspec.json.decode(self.result)
        return told


def definition_of(view: View, document: Any, from_: int | None, through: int | None) -> Definition:
    """Return the definition of a study as of a view, both ends of its span included; raises InvalidRequest."""
    candidate = candidate_of(document, "/candidate")
    last = view.position if through is None else through
    first = 1 if from_ is None else from_
    problems = []
    if not 1 <= first <= last:
        problems.append(Problem("/from", f"must be a position from 1 to {last}"))
    if last > view.position:
        problems.append(Problem("/through", f"must not be behind position {view.position}, where the projections are"))
    if problems:
        raise InvalidRequest("the span of the study is none", problems)
    return Definition(dict(candidate.document), first - 1, last)


def studies(connection: Connection, log_id: int) -> list[Study]:
    """Return the studies of a log, newest first, without their results."""
    columns = [column if column.name != "result" else None for column in study.c]
    query = select(*[column for column in columns if column is not None]).where(study.c.log_id == log_id)
    rows = connection.execute(query.order_by(study.c.study_id.desc()))
    return [Study(**row._mapping, result=None) for row in rows]


def study_named(connection: Connection, log_id: int, name: str) -> Study:
    """Return a study; raises NotFound."""
    row = connection.execute(select(study).where(study.c.log_id == log_id, study.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"no study of this log is named {name!r}; GET /api/v1/studies lists them")
    return Study(**row._mapping)


def begin(connection: Connection, log_id: int, name: str, definition: Definition, now: int) -> Study:
    """Keep a question under a name, and return it; one that is there already is left as it is.

    Raises InvalidRequest for a name that cannot be one, DocumentConflict where the name stands for another question.
    """
    if not name.strip() or len(name) > LONGEST_NAME or "/" in name:
        problem = Problem("/name", f"must have 1 to {LONGEST_NAME} characters, and no /")
        raise InvalidRequest("the study needs a name", [problem])
    known = connection.execute(select(study).where(study.c.log_id == log_id, study.c.name == name)).one_or_none()
    if known is None:
        known = _inserted(connection, log_id, name, definition, now)
    found = Study(**known._mapping)
    if found.definition != definition.encoded():
        raise DocumentConflict(f"the study {name!r} asks something else; take another name")
    return found


def _inserted(connection: Connection, log_id: int, name: str, definition: Definition, now: int) -> Any:
    values = {"log_id": log_id, "name": name, "definition": definition.encoded(), "state": WAITING, "asked": now}
    try:
        with connection.begin_nested():
            connection.execute(insert(study).values(**values, position=definition.through, problem=""))
    except IntegrityError:
        pass
    return connection.execute(select(study).where(study.c.log_id == log_id, study.c.name == name)).one()


def take_up(connection: Connection, now: int) -> Study | None:
    """Claim the oldest study that waits, or that was left running by a worker that died; None when there is none."""
    stale = now - ABANDONED_AFTER // timedelta(microseconds=1)
    is_free = or_(study.c.state == WAITING, (study.c.state == RUNNING) & (study.c.asked < stale))
    query = select(study).where(is_free).order_by(study.c.study_id).limit(1).with_for_update(skip_locked=True)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    connection.execute(update(study).where(study.c.study_id == row.study_id).values(state=RUNNING, asked=now))
    return Study(**row._mapping)


def keep(connection: Connection, study_id: int, result: bytes) -> None:
    """Keep what a study found."""
    values = {"state": DONE, "result": result, "problem": ""}
    connection.execute(update(study).where(study.c.study_id == study_id).values(**values))


def fail(connection: Connection, study_id: int, problem: str) -> None:
    """Note why a study came to nothing."""
    connection.execute(update(study).where(study.c.study_id == study_id).values(state=FAILED, problem=problem))


def forget(connection: Connection, log_id: int, name: str) -> None:
    """Delete a study; raises NotFound."""
    found = study_named(connection, log_id, name)
    connection.execute(delete(study).where(study.c.study_id == found.study_id))


def run(
    view: View, urls: tuple[str, str], definition: Definition, processes: int = 1, progress: Progress = silent,
    least: int = LEAST,
) -> bytes:  # fmt: skip
    """Return what a study finds, as JSON; `view` is as of the end of its span, `urls` are of the log and of the rest.

    The same definition gives the same bytes. Raises InvalidRequest for a candidate that cannot hold.
    """
    builds = {name: one.build_id for name, one in view.builds.items()}
    question = Question(*urls, view.log.log_id, builds, definition.document, definition.after, definition.through)
    answered = answer(question, processes, progress)
    found = findings(answered, people_of(view), names_of(competency_names(view.acts())), least)
    return msgspec.json.encode({**_asked(view.log, definition), **found}, order="sorted")


def _asked(log: Log, definition: Definition) -> Told:
    candidate = candidate_of(definition.document)
    return {
        "log": log.slug,
        "kind": candidate.kind,
        "candidate": dict(definition.document),
        "candidate_sha256": sha256_of(definition.document),
        "from": definition.after + 1,
        "through": definition.through,
    }


def competency_names(acts: Acts) -> dict[str, str]:
    """Return the names of all competencies that hold or are retired, by IRI."""
    names = {iri: one.known.competency.name for iri, one in acts.retired.items()}
    return names | {iri: one.competency.name for iri, one in acts.competencies.items()}
