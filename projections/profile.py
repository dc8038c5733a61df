"""The names of our own xAPI Profile: acts of the registrar, types of activities, extensions that carry documents.

The published profile itself is `profile.jsonld` beside this file; a test holds the two against each other.
"""

from __future__ import annotations

from typing import Final

PROFILE: Final = "https://w3id.org/xapi/cairn"
VERBS: Final = f"{PROFILE}/verbs/"

ADOPTED: Final = f"{VERBS}adopted"
ALIGNED: Final = f"{VERBS}aligned"
PUBLISHED: Final = f"{VERBS}published"
GRANTED: Final = f"{VERBS}granted"
REVOKED: Final = f"{VERBS}revoked"
ENROLLED: Final = f"{VERBS}enrolled"
LINKED: Final = f"{VERBS}linked"
UNLINKED: Final = f"{VERBS}unlinked"
OVERRODE: Final = f"{VERBS}overrode"
CLEARED: Final = f"{VERBS}cleared"
EXCUSED: Final = f"{VERBS}excused"

ACTIVITY_TYPES: Final = f"{PROFILE}/activity-types/"
EXTENSIONS: Final = f"{PROFILE}/extensions/"

REVISION: Final = f"{EXTENSIONS}revision"
TASK: Final = f"{EXTENSIONS}task"
ATTEMPT: Final = f"{EXTENSIONS}attempt"
CONTEXT: Final = f"{EXTENSIONS}context"
DISTRICT: Final = f"{EXTENSIONS}district"
DECISION: Final = f"{EXTENSIONS}decision"


def activity_type(document: str) -> str:
    """Return the activity type of what a document is about: framework, scale, rule, policy, normaliser, credential."""
    return ACTIVITY_TYPES + document


def extension(document: str) -> str:
    """Return the result extension that carries a document of this kind."""
    return EXTENSIONS + document
