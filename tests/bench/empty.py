"""The least that Flask can do with a statement: read the body, answer nothing. What a POST is compared with."""

from __future__ import annotations

from flask import Flask, Response, request

app = Flask("empty")


@app.route("/health")
@app.route("/xapi/statements", methods=["POST"])
def empty() -> Response:
    """Read the body and answer without content."""
    request.stream.read()
    return Response(b"[]", content_type="application/json")
