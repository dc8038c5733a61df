"""One statement as people read it, and below it the exact text that the log keeps."""

from __future__ import annotations

import hmac
from typing import Any

import msgspec
from flask import Blueprint, render_template

from lrs.errors import NotFound
from lrs.recording import commitment
from lrs.resources.lrs import this_lrs
from lrs.store.detail import Detail, detail_of
from lrs.web import wording
from lrs.web.session import reader
from lrs.xapi.decode import stored_statement
from lrs.xapi.values import is_uuid, iso

blueprint = Blueprint("statement_pages", __name__)


@blueprint.get("/statements/<statement_id>")
def statement(statement_id: str) -> str:
    """Show one statement of the reader's log, voided or not."""
    log = reader().log
    with this_lrs().engine.connect() as connection:
        found = detail_of(connection, log.log_id, statement_id.lower()) if is_uuid(statement_id) else None
    if found is None:
        raise NotFound(f"no statement of this district has the id {statement_id}")
    return render_template("statement.html", one=found, said=_said(found), **_proof(found))


def _proof(found: Detail) -> dict[str, Any]:
    """Return the text without the blanks that say nothing, and whether it still gives the commitment."""
    if found.body is None or found.salt is None:
        return {"text": None, "is_proven": None}
    again = commitment(found.salt, found.body)
    text = msgspec.json.format(found.body, indent=2).decode()
    return {"text": text, "is_proven": hmac.compare_digest(again, found.commitment)}


def _said(found: Detail) -> dict[str, Any] | None:
    """Return what a statement says in words; None once its text was erased."""
    if found.body is None:
        return None
    one = stored_statement(found.body)
    about, context = one["object"], one.get("context", {})
    return {
        "who": wording.who(one["actor"]),
        "did": wording.did(one),
        "what": wording.what(about),
        "refers_to": about["id"] if about.get("objectType") == "StatementRef" else None,
        "result": list(wording.result_words(one.get("result", {}))),
        "platform": context.get("platform"),
        "timestamp": one.get("timestamp", iso(found.timestamp)),
        "authority": wording.who(one["authority"])[0],
        "credential": one["authority"].get("account", {}).get("name"),
    }
