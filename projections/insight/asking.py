"""What the resources of analysts share: the blueprint, who sees learners, and where studies are run."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app
from sqlalchemy import Engine

from lrs.resources.auth import READ_ALL
from lrs.resources.lrs import this_lrs
from lrs.store.credentials import Credential

blueprint = Blueprint("insight", __name__, url_prefix="/api/v1")


def sees_learners(one: Credential) -> bool:
    """Whether a credential may see which learners they are, and not only how many."""
    return bool(one.scopes & READ_ALL)


def engine_here() -> Engine:
    """Return the engine of the projections' database."""
    found: Engine = current_app.extensions["projections"]
    return found


def smallest_group() -> int:
    """Return how many learners a group has at least that is told of to who may not see learners."""
    return this_lrs().settings.smallest_group


def object_with(**members: Any) -> dict[str, Any]:
    """Return the schema of an object with these members at least."""
    return {"type": "object", "properties": members, "required": list(members)}
