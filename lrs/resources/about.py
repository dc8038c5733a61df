"""The About Resource: xAPI 1.0.3 Communication 2.8. It needs neither credential nor version header."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from lrs.errors import InvalidRequest, Problem

blueprint = Blueprint("about", __name__)
VERSIONS = ["2.0.0", "1.0.3", "1.0.2", "1.0.1", "1.0.0"]


@blueprint.get("/about")
def get() -> Response:
    """Answer the versions of xAPI that are spoken here."""
    if request.args:
        unknown = [Problem(f"?{name}", "unknown: remove it") for name in request.args]
        raise InvalidRequest("GET /about takes no query parameters", unknown)
    return jsonify({"version": VERSIONS})
