"""What was refused, for the people who must mend a tool: the newest refusals with their reasons, each with its body."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from lrs.errors import NotFound
from lrs.resources import refusals
from lrs.web.session import reader

blueprint = Blueprint("refusal_pages", __name__)
PAGE = 50


@blueprint.get("/refusals")
def listed() -> str:
    """Show the newest refusals, or those before one."""
    given = request.args.get("before", "")
    before = int(given) if given.isdecimal() and len(given) < 10 else None
    found = refusals.listed_for(reader(), PAGE + 1, before)
    older = found[PAGE - 1].id if len(found) > PAGE else None
    return render_template("refusals.html", found=found[:PAGE], older=older)


@blueprint.get("/refusals/<int:refusal_id>")
def one(refusal_id: int) -> str:
    """Show one refusal: every reason, and the body while it is kept."""
    found = refusals.one_for(reader(), refusal_id)
    if found is None:
        raise NotFound("no refusal of this district has this address")
    told, body = found
    return render_template("refusal.html", one=told, body=None if body is None else body.decode("utf-8", "replace"))
