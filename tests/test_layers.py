"""The house's one rule: a module imports lower layers only."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "profiler"

LAYERS = {
    0: {"errors", "plain", "records", "version"},
    1: {
        "events",
        "metrics",
        "stats",
        "machine",
        "machine_file",
        "geometry",
        "targets",
        "virtual",
        "metadata",
        "store",
        "images",
        "counters",
        "runtimes",
        "network",
        "process",
        "photos",
    },
    2: {
        "zoo",
        "worker",
        "measure",
        "simulation",
        "progress",
        "sweep",
        "curve",
        "accuracy",
        "report",
        "doctor",
        "inspection",
        "frames",
        "export",
        "comparison",
        "live",
    },
    3: {"cli", "terminal"},
}
WORKER_MAY = {"errors", "images", "runtimes"}
REPORT_MAY_NOT = {"counters", "runtimes", "sweep", "measure", "process", "worker"}
HEAVY = {"matplotlib", "pandas", "cv2", "tensorflow", "keras", "jinja2", "ai_edge_litert", "tflite_runtime", "h5py"}
HEAVY |= {"pyperf", "pyarrow", "starlette", "uvicorn"}

FILES = sorted(PACKAGE.rglob("*.py"))


def layer(module: str) -> int:
    return next(number for number, names in LAYERS.items() if module in names)


def room(path: Path) -> str:
    """The name in LAYERS of a file: its module, or the package it is in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path, top_level: bool = False) -> set[str]:
    """Dotted names that a file imports; with `top_level`, only when it is imported itself."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level else list(ast.walk(tree))
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own(path: Path) -> set[str]:
    """Rooms of this package that a file imports."""
    parts = [name.split(".") for name in imported(path) if name.startswith("profiler.")]
    return {part[1] for part in parts if part[1] != "__version__"}


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.name != "__init__.py" or path.parent != PACKAGE],
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_a_module_imports_lower_layers_only(path: Path) -> None:
    mine = room(path)
    higher = {name for name in own(path) - {mine} if layer(name) > layer(mine)}
    assert not higher


def test_the_package_itself_imports_its_version_alone_until_it_is_asked() -> None:
    assert imported(PACKAGE / "__init__.py", top_level=True) == {"profiler.version.__version__"}
    assert imported(PACKAGE / "version.py") == set()


def test_the_worker_imports_only_what_it_needs() -> None:
    assert own(PACKAGE / "worker.py") <= WORKER_MAY
    for path in (PACKAGE / "runtimes").glob("*.py"):
        assert own(path) <= WORKER_MAY


def test_the_report_knows_nothing_of_measuring() -> None:
    for path in (PACKAGE / "report").rglob("*.py"):
        assert not own(path) & REPORT_MAY_NOT


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_late(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path, top_level=True)} & HEAVY
