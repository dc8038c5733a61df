"""Candidates: a rule, an alignment or a normaliser that is not published, read as strictly as a published one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from lrs.errors import InvalidRequest, Problem
from projections.documents import DocumentSchema, load
from projections.evidence.documents import ALIGNMENT, NORMALISER, Alignment
from projections.mastery.rule_documents import RULE
from projections.mastery.rules import Rule
from projections.registry import Act, Acts
from projections.rulebook import LAST_OF_ALL

SCHEMAS: Final[Mapping[str, DocumentSchema[Any]]] = {"rule": RULE, "alignment": ALIGNMENT, "normaliser": NORMALISER}
_TOLD_BY: Final = {"method": "rule", "activity": "alignment", "match": "normaliser"}
_UNPUBLISHED: Final = {"approver": "(a candidate: nobody yet)", "effective_from": "1970-01-01"}
LAST_VERSION: Final = 2**31 - 1


class Candidate(NamedTuple):
    """What is tried: the kind of document, the document as written, and the value that it stands for."""

    kind: str
    document: Mapping[str, Any]
    value: Any


def candidate_of(document: Any, pointer: str = "") -> Candidate:
    """Return the candidate that a document is; raises InvalidRequest with every problem.

    A rule need not name an approver and an effective date: a candidate has neither, and holds at every moment.
    """
    kind = _kind_of(document)
    if kind is None:
        names = ", ".join(f"{name} ({kind})" for name, kind in _TOLD_BY.items())
        raise InvalidRequest(
            "the candidate is no document that decides anything",
            [Problem(pointer, f"must be an object with one of {names}")],
        )
    filled = {**_UNPUBLISHED, **document} if kind == "rule" else document
    value, problems = load(SCHEMAS[kind], filled, pointer)
    if problems:
        raise InvalidRequest(f"the candidate is no sound {kind}", problems)
    return Candidate(kind, document, _foremost(value))


def _foremost(value: Any) -> Any:
    """Return the document so that it comes before others of its kind: a rule from ever, an alignment as the newest."""
    if isinstance(value, Rule):
        return replace(value, effective_from=0)
    return replace(value, version=LAST_VERSION) if isinstance(value, Alignment) else value


def _kind_of(document: Any) -> str | None:
    if not isinstance(document, dict):
        return None
    return next((kind for name, kind in _TOLD_BY.items() if name in document), None)


def with_candidate(acts: Acts, candidate: Candidate, position: int) -> Acts:
    """Return the acts as if the candidate had been published: it takes the place of all versions of its own document.

    Raises InvalidRequest for a rule whose scale is not published.
    """
    if candidate.kind == "rule":
        scale = candidate.value.scale
        if (scale.id, scale.version) not in acts.scales:
            problem = Problem("/scale", f"names {scale.id} version {scale.version}, which is not published")
            raise InvalidRequest("the candidate's scale is unknown", [problem])
    rest = [act for act in acts if not _is_replaced(act, candidate)]
    return Acts([*rest, act_of(candidate, position + 1)])


def act_of(candidate: Candidate, position: int) -> Act:
    """Return the act that would publish the candidate."""
    return Act(position, candidate.kind, LAST_OF_ALL, "", candidate.value)


def _is_replaced(act: Act, candidate: Candidate) -> bool:
    if act.kind != candidate.kind or candidate.kind == "alignment":
        return False
    return bool(act.document.id == candidate.value.id)
