"""The house's rules: a room imports lower floors only, nothing imports in a circle, and each name means one thing."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "profiler"

FLOORS: dict[int, set[str]] = {
    1: {"errors", "records", "sanitize", "version"},
    2: {"machine", "pixels", "runtimes", "store"},
    3: {"analysis", "camera", "modelfile", "virtual"},
    4: {"counters", "export", "images", "validity", "worker"},
    5: {"measure", "report", "zoo"},
    6: {"compare", "live", "miss_curve"},
    7: {"cli"},
}
WORKER_MAY = {"errors", "images", "runtimes"}
REPORT_MAY_NOT = {"counters", "runtimes", "sweep", "measure", "process", "worker"}
WORKER_MAY = {"errors", "records", "runtimes", "camera", "pixels"}
"""Whatever the measured process imports lands in its counts."""
REPORT_MAY_NOT = {"camera", "counters", "measure", "runtimes", "worker"}
"""A report knows nothing of measuring, nor of the machine that renders it."""
HEAVY = {"ai_edge_litert", "cv2", "h5py", "jinja2", "keras", "matplotlib", "pandas", "pyarrow", "pyperf"}
HEAVY |= {"pylatexenc", "scipy", "starlette", "tensorflow", "tflite_runtime", "uvicorn"}
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__") for path in FILES}


def floor(room: str) -> int:
    return next(number for number, rooms in FLOORS.items() if room in rooms)


def room(path: Path) -> str:
    """The name in FLOORS of a file: its module, or the package it is in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imported(path: Path, top_level: bool = False) -> frozenset[str]:
    """Dotted names that a file imports, within functions too; with `top_level`, only when it is imported itself."""
    tree = ast.parse(path.read_text())
    names: set[str] = set()
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def modules(path: Path) -> set[str]:
    """Modules of this package that a file imports."""
    own = (name for name in imported(path) if name.startswith("profiler."))
    return {name if name in MODULES else name.rpartition(".")[0] for name in own}


def rooms(path: Path) -> set[str]:
    """Rooms of this package that a file imports."""
    return {module.split(".")[1] for module in modules(path) if module != "profiler"}


INSIDE = [path for path in FILES if path != PACKAGE / "__init__.py"]


@pytest.mark.parametrize("path", INSIDE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_lower_floors_only(path: Path) -> None:
    mine = room(path)
    assert not {name for name in rooms(path) - {mine} if floor(name) >= floor(mine)}


def test_every_room_has_a_floor_and_every_floor_its_rooms() -> None:
    there = {room(path) for path in INSIDE}
    assert there == set().union(*FLOORS.values())
    assert len(there) <= 27


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {path: ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in FILES}
    left = {names[path].removesuffix(".__init__"): modules(path) for path in FILES}
    while free := {name for name, needs in left.items() if not (needs - {name}) & set(left)}:
        left = {name: needs for name, needs in left.items() if name not in free}
    assert not left


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_late(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path, top_level=True)} & HEAVY


def test_a_class_name_means_one_thing() -> None:
    trees = [ast.walk(ast.parse(path.read_text())) for path in FILES]
    found = Counter(node.name for nodes in trees for node in nodes if isinstance(node, ast.ClassDef))
    assert not [name for name, times in found.items() if times > 1]


def test_the_package_itself_imports_nothing_but_its_version_until_it_is_asked() -> None:
    assert imported(PACKAGE / "__init__.py", top_level=True) <= {"profiler.version.__version__"}


def test_only_the_command_line_reads_the_command_line() -> None:
    assert not [path for path in INSIDE if room(path) != "cli" and "sys.argv" in path.read_text()]


def test_the_worker_imports_only_what_it_needs() -> None:
    for path in (PACKAGE / "worker.py", *(PACKAGE / "runtimes").glob("*.py")):
        assert rooms(path) <= WORKER_MAY


def test_the_report_knows_nothing_of_measuring() -> None:
    for wing in ("analysis", "compare", "report", "validity"):
        for path in (PACKAGE / wing).rglob("*.py"):
            assert not rooms(path) & REPORT_MAY_NOT


def test_benchmarks_import_nothing_from_tests() -> None:
    for path in (PACKAGE.parent / "benchmarks").glob("*.py"):
        assert not [name for name in imported(path) if name.startswith("tests.")]
