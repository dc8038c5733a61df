"""`/health`: the process answers. `/ready`: everything that it needs is up, each part by name."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Flask, Response, current_app, jsonify
from sqlalchemy.exc import SQLAlchemyError

blueprint = Blueprint("health", __name__)
Check = Callable[[], bool]


def add_check(app: Flask, name: str, check: Check) -> None:
    """Let `/ready` answer 200 only while this check holds too."""
    app.extensions.setdefault("ready", {})[name] = check


@blueprint.get("/health")
def health() -> Response:
    """Answer that the process is alive."""
    return jsonify({"status": "ok"})


@blueprint.get("/ready")
def ready() -> tuple[Response, int]:
    """Answer 200 when every part is up, else 503 with the parts that are not."""
    checks: dict[str, Check] = current_app.extensions.get("ready", {})
    found = {name: _holds(check) for name, check in checks.items()}
    return jsonify({"ready": all(found.values()), "parts": found}), 200 if all(found.values()) else 503


def _holds(check: Check) -> bool:
    try:
        return check()
    except SQLAlchemyError:
        return False
