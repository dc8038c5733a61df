"""The pages of the rules and the policies: in plain words, every version, who approved it, what it holds for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, render_template, request

from lrs.web import layout
from lrs.web.session import reader
from projections.answering import view_for
from projections.credit.pages import policy_lines
from projections.registry import Acts
from projections.rulebook import one_of, policies_of, rules_of
from projections.wording import names_of, rule_sentences

blueprint = Blueprint("rule_pages", __name__, template_folder="templates")


def register(app: Flask) -> None:
    """Add the pages."""
    app.register_blueprint(blueprint)
    layout.add_link(app, "Rules", "rule_pages.rules")


@blueprint.get("/rules")
def rules() -> str:
    """Show every mastery rule and every credit policy, with the words of the newest version."""
    with view_for(reader(), request.args.get(layout.AS_OF) or None) as view:
        acts = view.acts()
        found = [_rule_shown(one, acts) for one in rules_of(acts)]
        policies = [_policy_shown(one, acts) for one in policies_of(acts)]
        return render_template("rules.html", as_of=view.as_of(), rules=found, policies=policies)


@blueprint.get("/rules/<key>")
def rule(key: str) -> str:
    """Show one mastery rule with all its versions."""
    with view_for(reader(), request.args.get(layout.AS_OF) or None) as view:
        acts = view.acts()
        found = _rule_shown(one_of(rules_of(acts), key, "rules"), acts)
        return render_template("rule.html", as_of=view.as_of(), one=found, kind="Mastery rule")


@blueprint.get("/policies/<key>")
def policy(key: str) -> str:
    """Show one credit policy with all its versions."""
    with view_for(reader(), request.args.get(layout.AS_OF) or None) as view:
        acts = view.acts()
        found = _policy_shown(one_of(policies_of(acts), key, "policies"), acts)
        return render_template("rule.html", as_of=view.as_of(), one=found, kind="Credit policy")


def _rule_shown(found: Mapping[str, Any], acts: Acts) -> dict[str, Any]:
    """Return a rule with its versions, the newest first, in sentences that begin no deeper than the page."""
    names = names_of(acts)
    versions = [
        {**one, "lines": [(1, line) for line in rule_sentences(one, one["scale"], names)], "words": _held_words(one)}
        for one in reversed(found["versions"])
    ]
    return {**found, "versions": versions}


def _held_words(one: Mapping[str, Any]) -> str:
    """Return in a word whether a version holds for anything now, did, or will."""
    if any(each["until"] is None for each in one["holds_for"]):
        return "In force"
    return "Superseded" if one["holds_for"] else "Holds for no competency"


def _policy_shown(found: Mapping[str, Any], acts: Acts) -> dict[str, Any]:
    names = names_of(acts)
    versions = [
        {**one, "lines": policy_lines(one, names)[1:], "words": "In force" if one["in_force"] else "Superseded"}
        for one in reversed(found["versions"])
    ]
    return {**found, "versions": versions}
