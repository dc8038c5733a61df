"""The application: one Flask app over one store. The composition root hands in what the other packages add."""

from __future__ import annotations

import gc

from flask import Flask, Response, g, request
from sqlalchemy import Engine

from lrs.recording import Gate
from lrs.resources import about, headers, health, problems, statements
from lrs.resources.lrs import Lrs
from lrs.settings import Settings
from lrs.store.log import logs
from lrs.store.writer import Writer
from lrs.web import layout


def create_app(settings: Settings, engine: Engine, gate: Gate) -> Flask:
    """Return the learning record store as a WSGI application; the root registers pages and projections on it."""
    app = Flask("lrs", template_folder="web/templates", static_folder="web/static")
    app.url_map.strict_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = None
    writer = Writer(engine, gate.act_verbs, settings.append_queue_limit)
    app.extensions["lrs"] = Lrs(settings, engine, writer, gate)
    problems.register(app)
    for one in (statements.blueprint, about.blueprint):
        app.register_blueprint(one, url_prefix="/xapi")
    app.register_blueprint(health.blueprint)
    health.add_check(app, "log", lambda: _database_answers(engine))
    layout.register(app)
    app.after_request(_mark_xapi)
    return app


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


def settle_memory() -> None:
    """Take what is loaded out of the garbage collector's sight: batches then cost 10-15 µs a statement less."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
