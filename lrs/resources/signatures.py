"""What was found of a statement's signatures, outside of xAPI: `/api/v1/statements/{id}/signatures`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify

from lrs.errors import NotFound
from lrs.resources.auth import READ_ALL, READ_MINE, require
from lrs.resources.lrs import this_lrs
from lrs.store.search import with_id
from lrs.store.signatures import findings_of
from lrs.xapi.signatures import weakest
from lrs.xapi.values import is_uuid

blueprint = Blueprint("signatures", __name__, url_prefix="/api/v1/statements")


@blueprint.get("/<statement_id>/signatures")
def get(statement_id: str) -> Response:
    """Answer the outcome of a statement and what was found of each signature when it came."""
    reader = require(READ_ALL | {READ_MINE})
    wanted, log_id = statement_id.lower(), reader.log.log_id
    with this_lrs().engine.connect() as connection:
        row = with_id(connection, log_id, wanted) if is_uuid(wanted) else None
        if row is None or not (reader.scopes & READ_ALL or row[2] == reader.authority_key):
            raise NotFound(f"no statement has the id {statement_id}")
        found: list[dict[str, Any]] = [asdict(one) for one in findings_of(connection, log_id, wanted)]
    outcome = weakest(one["outcome"] for one in found)
    return jsonify({"statement": wanted, "outcome": outcome, "signatures": found})
