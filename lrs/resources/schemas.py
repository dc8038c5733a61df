"""JSON Schemas (2020-12) of what xAPI sends and answers, for the OpenAPI document.

They tell the shapes and no more: what a statement must be is decided by `lrs.xapi.statement`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

STRING: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer", "minimum": 0}
IRI: Schema = {"type": "string", "format": "iri", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*:"}
UUID: Schema = {"type": "string", "format": "uuid"}
TIMESTAMP: Schema = {"type": "string", "description": "ISO 8601 with seconds; RFC 3339 under 2.0"}
MBOX: Schema = {"type": "string", "pattern": "^mailto:[^@]+@[^@]+$"}
SHA1: Schema = {"type": "string", "pattern": "^[0-9a-fA-F]{40}$"}
LANGUAGE_MAP: Schema = {"type": "object", "additionalProperties": STRING}
EXTENSIONS: Schema = {"type": "object", "propertyNames": IRI}


def reference(name: str) -> Schema:
    """Return a reference to one of the schemas below."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: Schema) -> Schema:
    """Return the schema of an array of such items."""
    return {"type": "array", "items": items}


def word(*words: str) -> Schema:
    """Return the schema of one of a few words."""
    return {"enum": list(words)}


def struct(required: str = "", /, **members: Schema) -> dict[str, Any]:
    """Return the schema of an object that has only these members; those required stand in a text, with spaces."""
    found: dict[str, Any] = {"type": "object", "properties": members, "additionalProperties": False}
    return {**found, "required": required.split()} if required else found


def either(*kinds: Schema) -> Schema:
    """Return the schema of what is at least one of several kinds."""
    return {"anyOf": list(kinds)}


_IDENTIFIERS: Mapping[str, Schema] = {
    "mbox": MBOX,
    "mbox_sha1sum": SHA1,
    "openid": IRI,
    "account": struct("homePage name", homePage=IRI, name=STRING),
}
_ONE_IDENTIFIER: Schema = {"oneOf": [{"required": [name]} for name in _IDENTIFIERS]}
_MEMBERS: Mapping[str, Schema] = {"objectType": word("Group"), "name": STRING, "member": array(reference("Agent"))}
_COMPONENTS: Schema = array(struct("id", id=STRING, description=LANGUAGE_MAP))
_INTERACTIONS = (
    "true-false", "choice", "fill-in", "long-fill-in", "matching", "performance", "sequencing", "likert", "numeric",
    "other",
)  # fmt: skip
_ACTIVITIES: Schema = either(reference("Activity"), array(reference("Activity")))

_DEFINITION = struct(
    name=LANGUAGE_MAP,
    description=LANGUAGE_MAP,
    type=IRI,
    moreInfo=IRI,
    interactionType=word(*_INTERACTIONS),
    correctResponsesPattern=array(STRING),
    choices=_COMPONENTS,
    scale=_COMPONENTS,
    source=_COMPONENTS,
    target=_COMPONENTS,
    steps=_COMPONENTS,
    extensions=EXTENSIONS,
)
_RESULT = struct(
    score=struct(scaled={"type": "number", "minimum": -1, "maximum": 1}, raw=NUMBER, min=NUMBER, max=NUMBER),
    success=BOOLEAN,
    completion=BOOLEAN,
    response=STRING,
    duration={"type": "string", "pattern": "^P"},
    extensions=EXTENSIONS,
)
_CONTEXT = struct(
    registration=UUID,
    instructor=reference("Actor"),
    team=reference("Group"),
    contextActivities=struct(parent=_ACTIVITIES, grouping=_ACTIVITIES, category=_ACTIVITIES, other=_ACTIVITIES),
    contextAgents=array(
        struct(
            "objectType agent",
            objectType=word("contextAgent"),
            agent=reference("Agent"),
            relevantTypes={**array(IRI), "minItems": 1},
        )
    ),
    contextGroups=array(
        struct(
            "objectType group",
            objectType=word("contextGroup"),
            group=reference("Group"),
            relevantTypes={**array(IRI), "minItems": 1},
        )
    ),
    revision=STRING,
    platform=STRING,
    language=STRING,
    statement=reference("StatementRef"),
    extensions=EXTENSIONS,
)
_EVENT: Mapping[str, Schema] = {
    "actor": reference("Actor"),
    "verb": struct("id", id=IRI, display=LANGUAGE_MAP),
    "result": reference("Result"),
    "context": reference("Context"),
    "timestamp": TIMESTAMP,
    "attachments": array(reference("Attachment")),
}
_TARGETS = tuple(map(reference, ("Activity", "Agent", "Group", "StatementRef")))

SCHEMAS: Mapping[str, Schema] = {
    "Agent": {**struct(objectType=word("Agent"), name=STRING, **_IDENTIFIERS), **_ONE_IDENTIFIER},
    "Group": {
        **struct("objectType", **_MEMBERS, **_IDENTIFIERS),
        "oneOf": [*_ONE_IDENTIFIER["oneOf"], {"required": ["member"], "not": {"anyOf": _ONE_IDENTIFIER["oneOf"]}}],
    },
    "Actor": either(reference("Agent"), reference("Group")),
    "Activity": struct("id", objectType=word("Activity"), id=IRI, definition=_DEFINITION),
    "StatementRef": struct("objectType id", objectType=word("StatementRef"), id=UUID),
    "SubStatement": struct(
        "objectType actor verb object", objectType=word("SubStatement"), object=either(*_TARGETS), **_EVENT
    ),
    "Result": _RESULT,
    "Context": _CONTEXT,
    "Attachment": struct(
        "usageType display contentType length sha2",
        usageType=IRI,
        display=LANGUAGE_MAP,
        description=LANGUAGE_MAP,
        contentType=STRING,
        length=INTEGER,
        sha2={"type": "string", "pattern": "^([0-9a-fA-F]{2}){28,64}$"},
        fileUrl=IRI,
    ),
    "Statement": struct(
        "actor verb object",
        id=UUID,
        object=either(*_TARGETS, reference("SubStatement")),
        stored=TIMESTAMP,
        authority=reference("Actor"),
        version={"type": "string", "pattern": "^(1\\.0|2\\.0)(\\.[0-9]+)?$"},
        **_EVENT,
    ),
    "StatementResult": struct(
        "statements more",
        statements=array(reference("Statement")),
        more={"type": "string", "description": "Relative IRL of the next page; empty on the last one"},
    ),
    "Person": struct(
        "objectType",
        objectType=word("Person"),
        name=array(STRING),
        mbox=array(MBOX),
        mbox_sha1sum=array(SHA1),
        openid=array(IRI),
        account=array(_IDENTIFIERS["account"]),
    ),
    "About": struct("version", version=array(STRING), extensions=EXTENSIONS),
    "Problem": {
        "description": "Problem details (RFC 9457)",
        **struct(
            "type title status detail",
            type=STRING,
            title=STRING,
            status={"type": "integer", "minimum": 400, "maximum": 599},
            detail=STRING,
            problems=array(struct("pointer message", pointer=STRING, message=STRING)),
            problem_count=INTEGER,
        ),
    },
}
