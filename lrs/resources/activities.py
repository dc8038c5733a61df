"""The Activities Resource: xAPI 1.0.3 Communication 2.5."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, Response

from lrs.resources import headers
from lrs.resources.auth import READ_ALL, require
from lrs.resources.lrs import this_lrs
from lrs.store.canonical import definitions
from lrs.xapi.parameters import iri, only

blueprint = Blueprint("activities", __name__)
READERS = READ_ALL | {"define"}


@blueprint.get("/activities")
def get() -> Response:
    """Answer an Activity with all that statements told of it; one that none spoke of, with its id (2.0 4.1.6.4)."""
    log_id, _ = require(READERS).log.log_id, headers.version()
    activity = only(headers.arguments(), "activityId", iri)
    with this_lrs().direct.connect() as connection:
        definition = definitions(connection, log_id, [activity]).get(activity)
    found: dict[str, Any] = {"objectType": "Activity", "id": activity}
    if definition:
        found["definition"] = definition
    return Response(msgspec.json.encode(found), content_type="application/json")
