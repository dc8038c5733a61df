"""The import law: adapters → projections → lrs; inside lrs a module imports from its own layer and those below."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("lrs", "projections", "adapters", "migrations")
MODULES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts
)

MAY_IMPORT = {
    "lrs": {"lrs"},
    "projections": {"projections", "lrs"},
    "adapters": {"adapters", "projections", "lrs"},
    "migrations": {"migrations"},
}
LAYERS = (
    {"lrs.errors"},
    {"lrs.xapi"},
    {"lrs.store", "lrs.settings", "lrs.progress", "lrs.memory"},
    {"lrs.recording", "lrs.enclosing", "lrs.retrieval"},
    {"lrs.exchange"},
    {"lrs.resources", "lrs.web"},
    {"lrs.app", "lrs.cli", "lrs.doctor", "lrs.exchange.commands"},
)
"""Low to high: a module imports from its own layer and those below it; of a room in a room, the inner one counts."""

PURE = {
    "lrs.xapi",
    "projections.evidence.resolve",
    "projections.frameworks.documents",
    "projections.frameworks.rubrics",
    "projections.frameworks.progression",
    "projections.frameworks.difference",
    "projections.evidence.normalise",
    "projections.mastery.scales",
    "projections.mastery.rules",
    "projections.mastery.rule_documents",
    "projections.mastery.wording",
    "projections.mastery.methods",
    "projections.mastery.arithmetic",
    "projections.mastery.tries",
    "projections.mastery.outcome",
    "projections.mastery.decide",
    "projections.mastery.roll_up",
    "projections.mastery.next_step",
    "projections.mastery.transitions",
    "projections.mastery.advisory",
    "projections.mastery.figures",
    "projections.mastery.timeline",
    "projections.credit.policies",
    "projections.credit.eligibility",
    "projections.credit.timeline",
    "projections.registry",
    "projections.ruling",
    "projections.acts",
}
FORBIDDEN_TO_PURE = {"sqlalchemy", "flask", "requests", "time", "random", "secrets", "os", "threading", "lrs.store"}


def module_name(path: Path) -> str:
    """Return the dotted name of a module's file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name: str, rooms: set[str]) -> bool:
    """Whether a module is one of the rooms, or lies inside one."""
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def layer_of(name: str) -> int | None:
    """Return the layer of a module of lrs; None for lrs itself and other packages."""
    found = [(len(room), place) for place, rooms in enumerate(LAYERS) for room in rooms if is_within(name, {room})]
    return max(found)[1] if found else None


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_package_imports_only_what_its_law_allows(path: Path) -> None:
    own = module_name(path).partition(".")[0]
    others = {name.partition(".")[0] for name in imported(path)} & {*PACKAGES, "wsgi", "tests"}
    assert others <= MAY_IMPORT[own]


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.parts[-2:] != ("lrs", "__init__.py")], ids=module_name
)
def test_inside_lrs_imports_point_downwards(path: Path) -> None:
    layer = layer_of(module_name(path))
    if layer is not None:
        above = [name for name in imported(path) if (layer_of(name) or 0) > layer]
        assert above == []


@pytest.mark.parametrize("path", [path for path in MODULES if is_within(module_name(path), PURE)], ids=module_name)
def test_a_pure_module_knows_no_clock_database_or_web(path: Path) -> None:
    assert [name for name in imported(path) if is_within(name, FORBIDDEN_TO_PURE)] == []


def test_every_module_of_lrs_has_a_layer() -> None:
    names = {module_name(path) for path in MODULES if path.is_relative_to(ROOT / "lrs")} - {"lrs"}
    assert [name for name in sorted(names) if layer_of(name) is None] == []


def test_no_module_is_imported_in_a_circle() -> None:
    graph = {module_name(path): set(imported(path)) for path in MODULES}
    edges = {
        name: {other for other in graph if any(one == other or one.startswith(f"{other}.") for one in found)} - {name}
        for name, found in graph.items()
    }
    while leaves := {name for name, found in edges.items() if not found & edges.keys()}:
        edges = {name: found for name, found in edges.items() if name not in leaves}
    packages = {name for name in edges if (ROOT / Path(*name.split(".")) / "__init__.py").exists()}
    assert sorted(edges.keys() - packages) == []
