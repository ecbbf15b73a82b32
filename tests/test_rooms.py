"""The house plan: imports run one way between the rooms, and no two modules of a room import each other."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("content", "newsletter", "resource_center")  # from the ground up
MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for room in ROOMS
    for file in (ROOT / room).rglob("*.py")
}

pytestmark = pytest.mark.once


def imports(module: str) -> set[str]:
    """Our own modules that this one imports, also inside functions, but not for types alone."""
    tree = ast.parse(MODULES[module].read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    named = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = absolute(module, node)
            named |= {f"{source}.{alias.name}" for alias in node.names} | {source}
    found = {name for name in named if name in MODULES and name != module}
    # `from a.b import c` is about a.b.c when that is a module, and about a.b otherwise.
    return {name for name in found if not any(other.startswith(f"{name}.") for other in found)}


def absolute(module: str, node: ast.ImportFrom) -> str:
    """The full name of what a `from` import names, with its dots resolved."""
    if not node.level:
        return node.module or ""
    package = module.split(".") if MODULES[module].name == "__init__.py" else module.split(".")[:-1]
    return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


def room(module: str) -> str:
    return module.split(".")[0]


def test_imports_run_one_way_between_the_rooms():
    wrong = [
        f"{module} imports {other}"
        for module in MODULES
        for other in imports(module)
        if ROOMS.index(room(other)) > ROOMS.index(room(module))
    ]
    assert wrong == []


def test_no_modules_of_a_room_import_each_other_in_a_circle():
    graph = {module: {other for other in imports(module) if room(other) == room(module)} for module in MODULES}
    state: dict[str, str] = defaultdict(str)

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert state[module] != "open", " -> ".join((*path[path.index(module) :], module))
        if state[module] == "done":
            return
        state[module] = "open"
        for other in sorted(graph[module]):
            visit(other, (*path, module))
        state[module] = "done"

    for module in sorted(graph):
        visit(module, ())


@pytest.mark.parametrize("inner", ["content.images", "content.search"])
def test_an_inner_room_is_entered_by_its_door_alone(inner):
    """What its `__init__` offers is all that the rest of the house knows of it."""
    behind = {module for module in MODULES if module.startswith(f"{inner}.")}
    assert behind
    wrong = {module: past for module in MODULES.keys() - behind - {inner} if (past := imports(module) & behind)}
    assert wrong == {}


def test_no_module_bears_a_name_without_meaning():
    meaningless = {"utils", "helpers", "common", "core", "services", "manager", "misc"}
    assert [module for module in MODULES if meaningless & set(module.split("."))] == []
