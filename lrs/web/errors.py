"""What went wrong, as a page for whoever reads pages; everyone else gets problem details."""

from __future__ import annotations

from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from lrs.errors import CairnError
from lrs.resources import problems
from lrs.web.session import signed_in

MACHINES = ("/xapi", "/api", "/logs", "/health", "/ready", "/metrics", "/static")
"""Below these paths no person reads: their answers never become pages."""

SAID = {
    400: "This address cannot be understood",
    403: "This is not yours to see",
    404: "There is nothing here",
    405: "This page cannot be used in that way",
    500: "Something went wrong on our side",
}
INSIDE = "Nothing was lost. Please try again; if it happens again, tell whoever runs this server, with the time."


def register(app: Flask) -> None:
    """Answer people with pages, and leave all other answers as they are."""
    app.register_error_handler(CairnError, _answer)
    app.register_error_handler(HTTPException, _http_answer)


def wants_page() -> bool:
    """Tell whether a person with a browser is asking."""
    if any(request.path == one or request.path.startswith(f"{one}/") for one in MACHINES):
        return False
    offered = ["application/problem+json", "application/json", "text/html"]
    return request.accept_mimetypes.best_match(offered) == "text/html"


def _answer(error: CairnError) -> Response:
    if not wants_page():
        return problems.answer(error)
    status, title = problems.status_of(error)
    return _page(status, title, "" if status >= 500 else error.message, [str(one) for one in error.problems])


def _http_answer(error: HTTPException) -> Response:
    if not wants_page():
        return problems.http_answer(error)
    status = error.code or 500
    return _page(status, error.name, "" if status >= 500 else error.description or "", [])


def _page(status: int, title: str, detail: str, found: list[str]) -> Response:
    """Return an error page, with the navigation of whoever is signed in; one of the inside asks no database."""
    if status < 500:
        signed_in()
    said = INSIDE if status >= 500 else detail[:1].upper() + detail[1:]
    page = render_template("error.html", status=status, title=SAID.get(status, title), detail=said, problems=found)
    return make_response(page, status)
