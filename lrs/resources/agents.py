"""The Agents Resource: xAPI 1.0.3 Communication 2.4."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response

from lrs.resources import headers
from lrs.resources.auth import READ_ALL, require
from lrs.resources.lrs import this_lrs
from lrs.store.canonical import names
from lrs.xapi.actors import ifi
from lrs.xapi.canonical import person
from lrs.xapi.parameters import identified, only

blueprint = Blueprint("agents", __name__)
READERS = READ_ALL | {"define"}


@blueprint.get("/agents")
def get() -> Response:
    """Answer the Person of an agent: with every name that it was given, or with nothing but what was asked."""
    log_id, _ = require(READERS).log.log_id, headers.version()
    agent = only(headers.arguments(), "agent", identified)
    with this_lrs().direct.connect() as connection:
        found = person(agent, names(connection, log_id, ifi(agent) or ""))
    return Response(msgspec.json.encode(found), content_type="application/json")
