"""The pages of the conclusions: the district, a learner, a decision, the quarantine; each a read of one view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from flask import Blueprint, Flask, render_template, request

from lrs.errors import InvalidRequest, NotFound, Problem
from lrs.web import layout
from lrs.web.session import reader
from projections.answering import view_for
from projections.audit.pages import timeline
from projections.credit.pages import eligible, eligible_counts, standing_shown
from projections.credit.reading import credit_of
from projections.evidence.fold import acts_at
from projections.evidence.pages import NEWEST, PAGE, learners_found, listed, quarantine_count, quarantine_shown
from projections.evidence.reading import Wanted
from projections.ids import DecisionId, decision_key, learner_key
from projections.mastery.pages import decision_shown, strips
from projections.mastery.reading import competency_map
from projections.progress import progress_from
from projections.progress_pages import progress_shown
from projections.resources import record_of
from projections.rulebook import document_key
from projections.view import View

Key = TypeVar("Key")
blueprint = Blueprint("pages", __name__, template_folder="templates")
MOST_OPEN_STEPS = 40
"""A trail of more steps is folded up until it is asked for."""


def register(app: Flask) -> None:
    """Add the pages; the resources, and the frame of the pages, are there already."""
    app.register_blueprint(blueprint)
    layout.add_link(app, "Learners", "pages.overview")


@contextmanager
def opened_view() -> Iterator[View]:
    """Open a view of the reader's log as of the moment that the address names."""
    with view_for(reader(), request.args.get(layout.AS_OF) or None) as view:
        yield view


@blueprint.get("/")
def overview() -> str:
    """Show the district: how much there is, and every learner with a strip of levels."""
    wanted, page = request.args.get("q", "").strip(), _page()
    with opened_view() as view:
        acts = view.acts()
        rows, count = learners_found(view, wanted, page)
        keys = [row.learner for row in rows]
        levels, credit = strips(view, acts, keys), eligible(view, acts, keys)
        learners = [{**listed(row), "strip": levels[row.learner], "eligible": credit[row.learner]} for row in rows]
        return render_template(
            "overview.html",
            as_of=view.as_of(),
            learners=learners,
            wanted=wanted,
            count=count,
            page=page,
            pages=max(1, -(-count // PAGE)),
            competencies=len(acts.competencies),
            eligible=eligible_counts(view, acts),
            waiting=quarantine_count(view),
        )


def _page() -> int:
    given = request.args.get("page", "1")
    if not (given.isdecimal() and 1 <= int(given) <= 1_000_000):
        raise InvalidRequest("the page must be a whole number from 1 on", [Problem("?page", "write 1, 2, 3 …")])
    return int(given)


@blueprint.get("/learners/<learner>")
def learner(learner: str) -> str:
    """Show what a learner has mastered, what is missing, what comes next, and what every credit policy says."""
    with opened_view() as view:
        key = _key_of(learner_key, learner)
        found = competency_map(view, key)
        acts = view.acts()
        policies = [standing_shown(one, acts) for one in credit_of(view, key)["policies"]]
        who = {**found["learner"], "account": _account(found["learner"])}
        shown = progress_shown(found, progress_from(view, found), acts)
        return render_template("learner.html", as_of=found["as_of"], learner=who, policies=policies, **shown)


@blueprint.get("/decisions/<decision>")
def decision(decision: str) -> str:
    """Show one decision with everything that proves it."""
    with opened_view() as view:
        wanted = _key_of(decision_key, decision)
        return _credit_page(view, wanted) if wanted.is_credit else _mastery_page(view, wanted)


def _key_of(read: Callable[[str], Key], text: str) -> Key:
    """Return what an address names; raises NotFound in words that are not for programmers."""
    try:
        return read(text)
    except NotFound:
        raise NotFound("no learner and no decision of this district has this address") from None


def _mastery_page(view: View, wanted: DecisionId) -> str:
    record = record_of(view, wanted)
    acts = acts_at(view.connection, view.build("evidence"), wanted.position)
    shown = decision_shown(record, acts)
    return render_template("decision.html", one=record, shown=shown, **_proof(view, wanted, record))


def _credit_page(view: View, wanted: DecisionId) -> str:
    record = record_of(view, wanted)
    acts = acts_at(view.connection, view.build("evidence"), wanted.position)
    shown = standing_shown(record, acts)
    return render_template("credit.html", one=record, shown=shown, **_proof(view, wanted, record))


def _proof(view: View, wanted: DecisionId, record: dict[str, Any]) -> dict[str, Any]:
    """Return what the page of any decision shows besides the decision itself."""
    acts = view.acts()
    steps = timeline(view, wanted, acts)
    kind = "policy" if wanted.is_credit else "rule"
    return {
        "as_of": view.as_of(),
        "account": _account(record["learner"]),
        "document_key": document_key(kind, record[kind]["id"] or ""),
        "timeline": steps,
        "is_long": len(steps) > MOST_OPEN_STEPS,
    }


def _account(learner: dict[str, Any]) -> str:
    """Return the account name that a district knows a learner by, where it is not the name itself."""
    name = str(learner["agent"].get("account", {}).get("name", ""))
    return "" if name == learner["name"] else name


@blueprint.get("/quarantine")
def quarantine() -> str:
    """Show what could be evidence and is not, why, and how to mend it."""
    with opened_view() as view:
        return render_template("quarantine.html", as_of=view.as_of(), **quarantine_shown(view, _wanted()))


def _wanted() -> Wanted:
    """Return which of the quarantined statements the address asks for."""
    before = request.args.get("before", "")
    if before and not (before.isascii() and before.isdecimal() and len(before) < 19):
        raise InvalidRequest("before must be a position", [Problem("?before", "write a whole number")])
    reason, credential = request.args.get("reason") or None, request.args.get("credential") or None
    return NEWEST._replace(reason=reason, credential=credential, before=int(before) if before else None)
