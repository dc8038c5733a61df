"""The application: one Flask app over one store. The composition root hands in what the other packages add."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from sqlalchemy import Engine

from lrs.errors import InvalidRequest
from lrs.recording import Gate
from lrs.resources import (
    about,
    activities,
    agents,
    alternate,
    compression,
    cors,
    documents,
    headers,
    health,
    openapi,
    problems,
    refusals,
    signatures,
    statements,
    tags,
)
from lrs.resources.auth import credential
from lrs.resources.lrs import Lrs
from lrs.resources.operations import OPERATIONS
from lrs.settings import Settings
from lrs.store.engine import committing
from lrs.store.log import logs
from lrs.store.writer import Writer
from lrs.web import layout

if TYPE_CHECKING:
    from lrs.resources.bearer import Issuer


def create_app(settings: Settings, engine: Engine, gate: Gate) -> Flask:
    """Return the learning record store as a WSGI application; the root registers pages and projections on it."""
    app = Flask("lrs", template_folder="web/templates", static_folder="web/static")
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = None
    writer = Writer(engine, gate.act_verbs, settings.append_queue_limit)
    direct = committing(engine)
    app.extensions["lrs"] = Lrs(settings, engine, writer, gate, _issuer(settings), direct=direct)
    problems.register(app)
    alternate.register(app, settings.body_limit_bytes)
    for one in (statements, documents, activities, agents, about):
        app.register_blueprint(one.blueprint, url_prefix="/xapi")
    app.register_blueprint(signatures.blueprint)
    app.register_blueprint(health.blueprint)
    health.add_check(app, "log", lambda: _database_answers(engine))
    layout.register(app)
    app.before_request(_refuse_unreadable_query)
    compression.register(app)
    tags.register(app)
    cors.register(app)
    app.after_request(_mark_xapi)
    refusals.register(app, engine, settings.refusal_days)
    openapi.register(app)
    openapi.describe(app, OPERATIONS)
    return app


def _issuer(settings: Settings) -> Issuer | None:
    """Return the issuer of bearer tokens, if one is set; what checks tokens costs memory, so it is loaded only then."""
    if not settings.oauth_issuer:
        return None
    from lrs.resources.bearer import Issuer

    return Issuer(settings)


def _refuse_unreadable_query() -> None:
    """Refuse it, but a wrong credential first: whoever is known is told what every answer to him tells."""
    try:
        headers.refuse_unreadable_query()
    except InvalidRequest:
        if headers.authorization():
            credential()
        raise


def _mark_xapi(response: Response) -> Response:
    if not request.path.startswith("/xapi"):
        return response
    if response.status_code >= 400 and "credential" in g:
        headers.drain()
    return headers.add_version(response)


def _database_answers(engine: Engine) -> bool:
    with engine.connect() as connection:
        logs(connection)
    return True
