"""One statement as people read it, and below it the exact text that the log keeps."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from typing import Any

import msgspec
from flask import Blueprint, Response, render_template
from sqlalchemy import Connection

from lrs.enclosing import enclosed_with
from lrs.errors import NotFound
from lrs.recording import commitment
from lrs.resources.lrs import this_lrs
from lrs.store import attachments
from lrs.store.detail import Detail, detail_of
from lrs.store.signatures import findings_of
from lrs.web import wording
from lrs.web.session import reader
from lrs.xapi.attachments import declared
from lrs.xapi.decode import stored_statement
from lrs.xapi.signatures import weakest
from lrs.xapi.values import is_uuid, iso

blueprint = Blueprint("statement_pages", __name__)


@blueprint.get("/statements/<statement_id>")
def statement(statement_id: str) -> str:
    """Show one statement of the reader's log, voided or not."""
    log = reader().log
    with this_lrs().engine.connect() as connection:
        found = _detail(connection, log.log_id, statement_id)
        findings = findings_of(connection, log.log_id, found.statement_id)
        held = enclosed_with(connection, log.log_id, [found.body] if found.body else [])
    signed = {"outcome": weakest(one.outcome for one in findings), "findings": findings}
    shown = {"attachments": _attachments(found, {one.sha2.lower() for one in held}), "signed": signed}
    return render_template("statement.html", one=found, said=_said(found), **shown, **_proof(found))


@blueprint.get("/statements/<statement_id>/attachments/<sha2>")
def attachment(statement_id: str, sha2: str) -> Response:
    """Hand out the data of an attachment as a file: never shown in place, for anybody may have sent it."""
    lrs, log_id = this_lrs(), reader().log.log_id
    with lrs.engine.connect() as connection:
        body = _detail(connection, log_id, statement_id).body
        held = enclosed_with(connection, log_id, [body] if body else [])
    found = next((one for one in held if one.sha2.lower() == sha2.lower()), None)
    if found is None:
        raise NotFound("the data of this attachment is not kept here")
    response = Response(attachments.read(lrs.engine, log_id, found.sha2), content_type=found.content_type)
    response.content_length = found.length
    response.headers["Content-Disposition"] = f'attachment; filename="{found.sha2[:16]}"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _detail(connection: Connection, log_id: int, statement_id: str) -> Detail:
    found = detail_of(connection, log_id, statement_id.lower()) if is_uuid(statement_id) else None
    if found is None:
        raise NotFound(f"no statement of this district has the id {statement_id}")
    return found


def _attachments(found: Detail, held: Collection[str]) -> list[dict[str, Any]]:
    """Return what the statement says of its attachments; `is_held` where their data came with it."""
    one = stored_statement(found.body) if found.body else None
    return [
        {
            "name": wording.first_text(each["display"]) or each["usageType"],
            "usage": each["usageType"],
            "content_type": each["contentType"],
            "length": each["length"],
            "sha2": each["sha2"].lower(),
            "url": each.get("fileUrl"),
            "is_held": each["sha2"].lower() in held,
        }
        for _, each in (declared(one) if one else [])
    ]


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
