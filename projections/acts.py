"""A registrar's acts as statements of our profile: how they are written, read, and refused before they are appended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from lrs.errors import Problem
from projections.credit.policies import POLICY
from projections.documents import Document, DocumentSchema, continued, load
from projections.evidence.assessments import ASSESSMENT
from projections.evidence.documents import ALIGNMENT, NORMALISER
from projections.evidence.excusals import EXCUSAL, URN
from projections.evidence.identity import IDENTITY
from projections.evidence.producers import SHIPPED
from projections.frameworks.documents import FRAMEWORK, kept
from projections.frameworks.rubrics import RUBRIC
from projections.insight.roster import ROSTER
from projections.mastery.overrides import CLEARING, OVERRIDE, persons_problems
from projections.mastery.rule_documents import DEFAULT_RULE_DOCUMENT, RULE
from projections.mastery.scales import DEFAULT_SCALE_DOCUMENT, SCALE
from projections.profile import (
    ADOPTED,
    ALIGNED,
    CLEARED,
    ENROLLED,
    EXCUSED,
    GRANTED,
    LINKED,
    OVERRODE,
    PROFILE,
    PUBLISHED,
    REVOKED,
    UNLINKED,
    VERBS,
    activity_type,
    extension,
)


class Carried(NamedTuple):
    """A kind of document: which acts carry it, what makes it sound, and which of its fields names the act's object."""

    verbs: tuple[str, ...]
    schema: DocumentSchema[Any] | None
    named_by: str


CARRIED: Final[Mapping[str, Carried]] = {
    "framework": Carried((ADOPTED,), FRAMEWORK, "uri"),
    "rubric": Carried((PUBLISHED,), RUBRIC, "id"),
    "alignment": Carried((ALIGNED,), ALIGNMENT, "activity"),
    "scale": Carried((PUBLISHED,), SCALE, "id"),
    "rule": Carried((PUBLISHED,), RULE, "id"),
    "policy": Carried((PUBLISHED,), POLICY, "id"),
    "normaliser": Carried((PUBLISHED,), NORMALISER, "id"),
    "roster": Carried((ENROLLED,), ROSTER, "id"),
    "assessment": Carried((PUBLISHED,), ASSESSMENT, "id"),
    "identity": Carried((LINKED, UNLINKED), IDENTITY, "id"),
    "override": Carried((OVERRODE,), OVERRIDE, "id"),
    "clearing": Carried((CLEARED,), CLEARING, "id"),
    "excusal": Carried((EXCUSED,), EXCUSAL, "evidence"),
    "credential": Carried((GRANTED, REVOKED), None, ""),
}
"""A credential's document is the log's own and has no schema here."""

OF_TOOLS: Final = frozenset({"alignment", "assessment"})
"""Kinds whose acts are about an activity of a tool, so that they say nothing of its type and name."""

KNOWN_VERBS: Final = tuple(dict.fromkeys(verb for carried in CARRIED.values() for verb in carried.verbs))


def act(
    verb: str, object_id: str, kind: str, name: str, document: Document, actor: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the statement of a registrar's act.

    What is about an activity that belongs to a tool says nothing of that activity's type and name.
    """
    about: dict[str, Any] = {"objectType": "Activity", "id": object_id}
    if kind not in OF_TOOLS:
        about["definition"] = {"type": activity_type(kind), "name": {"en": name}}
    return {
        "actor": dict(actor),
        "verb": {"id": verb, "display": {"en": verb.removeprefix(VERBS)}},
        "object": about,
        "result": {"extensions": {extension(kind): dict(document)}},
    }


def adopt(framework: Document, actor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement that adopts a version of a framework."""
    return act(ADOPTED, framework["uri"], "framework", framework["title"], framework, actor)


def align(alignment: Document, actor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement that aligns an activity to competencies, or ends its alignment."""
    return act(ALIGNED, alignment["activity"], "alignment", "", alignment, actor)


def publish(kind: str, document: Document, actor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement that publishes a version of a scale, rule, policy or normaliser."""
    return act(PUBLISHED, document["id"], kind, document["title"], document, actor)


def enrol(enrolment: Document, actor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement that enrols a learner in a school."""
    return act(ENROLLED, enrolment["id"], "roster", enrolment["school"], enrolment, actor)


def link(identity: Document, actor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement that links accounts to a learner, or ends the link when it names no accounts."""
    verb = LINKED if identity.get("accounts") else UNLINKED
    return act(verb, identity["id"], "identity", "Accounts of one learner", identity, actor)


def excuse(statement_id: str, reason: str, actor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement that excuses another one as evidence."""
    excusal = {"evidence": f"{URN}{statement_id.lower()}", "reason": reason}
    return act(EXCUSED, excusal["evidence"], "excusal", "Excused evidence", excusal, actor)


def override(document: Document, actor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement that overrides what is computed of a learner."""
    return act(OVERRODE, document["id"], "override", "Override", document, actor)


def clear(clearing: Document, actor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement that ends an override."""
    return act(CLEARED, clearing["id"], "clearing", "End of an override", clearing, actor)


def first_acts(actor: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what every log begins with: the default scale and mastery rule, and how known tools are read."""
    begun = [publish("scale", DEFAULT_SCALE_DOCUMENT, actor), publish("rule", DEFAULT_RULE_DOCUMENT, actor)]
    return begun + [publish("normaliser", document, actor) for document in SHIPPED]


def problems(statement: Mapping[str, Any], pointer: str = "") -> list[Problem]:
    """Return why an act must not be appended; none for a statement whose verb is not of our profile."""
    verb = _at(statement, "verb", "id")
    if not isinstance(verb, str) or not verb.startswith(f"{PROFILE}/"):
        return []
    if verb not in KNOWN_VERBS:
        return [Problem(continued(pointer, "verb", "id"), f"is no verb of the profile: use {', '.join(KNOWN_VERBS)}")]
    kinds = _kinds(statement, verb)
    if verb in (GRANTED, REVOKED):
        return _object_problems(statement, "credential", pointer)
    if len(kinds) != 1:
        possible = ", ".join(extension(kind) for kind, carried in CARRIED.items() if verb in carried.verbs)
        return [Problem(continued(pointer, "result", "extensions"), f"must carry exactly one document: {possible}")]
    found = _object_problems(statement, kinds[0], pointer) + _document_problems(statement, kinds[0], pointer)
    return found + _link_problems(statement, verb, pointer) + _person_problems(statement, verb, pointer)


def document(statement: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the kind and the document of an act, or None when the statement is no act or carries none.

    Of a framework it is what the projections read: without the package that it was translated from.
    """
    verb = _at(statement, "verb", "id")
    kinds = _kinds(statement, verb) if isinstance(verb, str) else []
    carried = _at(statement, "result", "extensions", extension(kinds[0])) if len(kinds) == 1 else None
    if not isinstance(carried, dict):
        return None
    return kinds[0], dict(kept(carried)) if kinds[0] == "framework" else carried


def _kinds(statement: Mapping[str, Any], verb: str) -> list[str]:
    """Return the kinds of document that the statement carries and that its verb is for."""
    if verb not in KNOWN_VERBS:
        return []
    extensions = _at(statement, "result", "extensions")
    present = extensions if isinstance(extensions, dict) else {}
    return [kind for kind, carried in CARRIED.items() if verb in carried.verbs and extension(kind) in present]


def _object_problems(statement: Mapping[str, Any], kind: str, pointer: str) -> list[Problem]:
    if _at(statement, "object", "objectType") not in (None, "Activity"):
        return [Problem(continued(pointer, "object", "objectType"), "must be Activity")]
    if kind in OF_TOOLS or _at(statement, "object", "definition", "type") == activity_type(kind):
        return []
    return [Problem(continued(pointer, "object", "definition", "type"), f"must be {activity_type(kind)}")]


def _document_problems(statement: Mapping[str, Any], kind: str, pointer: str) -> list[Problem]:
    carried = CARRIED[kind]
    if carried.schema is None:
        return []
    _, found = load(
        carried.schema,
        _at(statement, "result", "extensions", extension(kind)),
        continued(pointer, "result", "extensions", extension(kind)),
    )
    name = _at(statement, "result", "extensions", extension(kind), carried.named_by)
    if name is None or _at(statement, "object", "id") == name:
        return found
    return [Problem(continued(pointer, "object", "id"), f"must be the {carried.named_by} of the document"), *found]


def _link_problems(statement: Mapping[str, Any], verb: str, pointer: str) -> list[Problem]:
    """Return why a link says something else than its verb: what is linked has accounts, what is unlinked has none."""
    accounts = _at(statement, "result", "extensions", extension("identity"), "accounts")
    if verb not in (LINKED, UNLINKED) or not isinstance(accounts, list) or bool(accounts) is (verb == LINKED):
        return []
    message = "must name an account; to end the link use the verb unlinked" if verb == LINKED else "must be empty"
    return [Problem(continued(pointer, "result", "extensions", extension("identity"), "accounts"), message)]


def _person_problems(statement: Mapping[str, Any], verb: str, pointer: str) -> list[Problem]:
    """Return why those who override cannot stand for it together."""
    document = _at(statement, "result", "extensions", extension("override"))
    if verb != OVERRODE or not isinstance(document, Mapping):
        return []
    return persons_problems(
        statement.get("actor"), document, continued(pointer, "result", "extensions", extension("override"))
    )


def _at(value: Any, *names: str) -> Any:
    """Return what stands under these names, or None; the statement may be of any shape still."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
