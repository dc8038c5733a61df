"""A small school for the pages: three competencies in a row, a credit policy, and learners with one story each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lrs.xapi.actors import ifi
from lrs.xapi.values import key64
from projections import acts
from projections.commands import actor_of
from projections.ids import learner_id
from projections.mastery.scales import DEFAULT_SCALE_DOCUMENT
from tests.district import District, statement
from tests.web.browser import Browser, signed_in

BASE = "https://school.example.org"
FRAMEWORK: dict[str, Any] = {
    "uri": f"{BASE}/framework",
    "title": "First numbers",
    "version": "2026",
    "scale": {"id": DEFAULT_SCALE_DOCUMENT["id"], "version": DEFAULT_SCALE_DOCUMENT["version"]},
    "competencies": [
        {"uri": f"{BASE}/{code}", "name": name, "statement": f"Can do {name.lower()}.", "code": code, "order": order}
        for order, (code, name) in enumerate([("N.1", "Counting"), ("N.2", "Adding"), ("N.3", "Taking away")])
    ],
    "progressions": [
        {"before": f"{BASE}/N.1", "after": f"{BASE}/N.2"},
        {"before": f"{BASE}/N.2", "after": f"{BASE}/N.3"},
    ],
}
POLICY: dict[str, Any] = {
    "id": f"{BASE}/policy",
    "version": 1,
    "title": "Numbers by demonstrated mastery",
    "course": {"code": "NUM-1", "title": "Numbers 1"},
    "units": "1",
    "require": {
        "all_of": [
            {"competency_at_level": {"competency": f"{BASE}/N.1", "level": "Secure"}},
            {
                "any_of": [
                    {"share_of_competencies": {"framework": f"{BASE}/framework", "level": "Secure", "share": "1"}},
                    {"evidence": {"kinds": ["performance_task"], "count": 2, "minimum_share": "0.8"}},
                ]
            },
        ]
    },
}
ALIGNMENTS = [
    {"activity": f"{BASE}/{name}", "competencies": [f"{BASE}/{code}"], "kind": kind}
    for name, code, kind in [
        ("count-1", "N.1", "performance_task"),
        ("count-2", "N.1", "performance_task"),
        ("practice", "N.1", "formative"),
        ("add-1", "N.2", "performance_task"),
    ]
]
HOSTILE = "<script>alert('it')</script>"


@dataclass(frozen=True)
class School:
    """A district's log with learners in it, and somebody who reads its pages."""

    district: District
    reader: Browser

    def address(self, learner: str) -> str:
        """Return the address of a learner's page."""
        return f"/learners/{self.id(learner)}"

    def id(self, learner: str) -> str:
        """Return the id of a learner by the account."""
        return learner_id(key64("agent", str(ifi(actor(learner)))))

    def decision(self, learner: str, place: int = 0, as_of: str | None = None) -> str:
        """Return the address of the newest decision on a learner and the competency at a place of the framework."""
        query = {"as_of": as_of} if as_of else {}
        found = self.district.someone.get(f"/api/v1/learners/{self.id(learner)}/mastery", query).json
        assert found
        return f"/decisions/{found['frameworks'][0]['competencies'][place]['decision']}"

    def credit(self, learner: str) -> str:
        """Return the address of the newest credit decision on a learner."""
        found = self.district.someone.get(f"/api/v1/learners/{self.id(learner)}/credit").json
        assert found
        return f"/decisions/{found['policies'][0]['decision']}"

    def send(self, *statements: dict[str, Any]) -> None:
        """Post statements and bring every projection up to them."""
        answer = self.district.someone.post(list(statements))
        assert answer.status_code == 200, answer.text
        self.district.fold()


def actor(learner: str, name: str | None = None) -> dict[str, Any]:
    """Return a learner of the school, as a tool names one."""
    agent = {"objectType": "Agent", "account": {"homePage": BASE, "name": learner}}
    return agent if name is None else {**agent, "name": name}


def scored(learner: str, activity: str, points: int, name: str | None = None, **more: Any) -> dict[str, Any]:
    """Return the statement of a work with so many points out of ten."""
    return {
        **statement(learner, "scored"),
        "actor": actor(learner, name or f"Learner {learner}"),
        "object": {"id": f"{BASE}/{activity}", "definition": {"name": {"en": f"The work {activity}"}}},
        "result": {"score": {"raw": points, "min": 0, "max": 10}},
        "context": {"platform": "Tool"},
        "timestamp": "2026-09-01T10:00:00Z",
        **more,
    }


def school_in(district: District) -> School:
    """Publish the school's documents in a district's log, and let its learners work."""
    _, registrar = actor_of(district.desk, district.log.slug)
    published = [acts.adopt(FRAMEWORK, registrar), acts.publish("policy", POLICY, registrar)]
    district.desk.append(district.log, published + [acts.align(one, registrar) for one in ALIGNMENTS])
    school = School(district, signed_in(district.client("all/read")))
    school.send(
        scored("one", "count-1", 9), scored("one", "count-2", 9), scored("one", "practice", 5),
        scored("two", "count-1", 9),
        scored("three", "count-1", 6, HOSTILE), scored("three", "count-2", 6, HOSTILE),
        scored("four", "unknown", 9),
        {**scored("four", "count-1", 9), "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"}},
    )  # fmt: skip
    return school
