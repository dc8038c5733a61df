"""The resources of analysts, all under `/api/v1`."""

from __future__ import annotations

from flask import Flask

from lrs.resources import openapi
from projections.insight import cohort_resources, study_resources
from projections.insight.asking import blueprint


def register(app: Flask) -> None:
    """Add the resources; the engine of the projections is there already."""
    app.register_blueprint(blueprint)
    openapi.describe(app, cohort_resources.OPERATIONS)
    openapi.describe(app, study_resources.OPERATIONS)
