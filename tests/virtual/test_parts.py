"""What virtual boards are made of, and, in the slow tests, the real ones."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_requests import written
from virtual_packages import make_wheel
from virtual_pi import ready

from profiler import virtual
from profiler.machine import host, targets
from profiler.measure.run import START
from profiler.measure.simulated_runs import copy_worker
from profiler.records import Completion, from_json
from profiler.virtual import board, debian, guest, run_tool, wheels

MODEL = Path(__file__).parent.parent.parent / "models" / "cat-dog-mnv2.tflite"


@pytest.mark.parametrize("key", board.known())
def test_a_board_describes_itself_as_its_machine_file(key: str, tmp_path: Path) -> None:
    """`machine` reads the board's files as it reads a real one's, and finds the caches that are simulated."""
    for name in ("system/usr", "site"):
        (tmp_path / name).mkdir(parents=True)
    root = tmp_path / "boards" / key
    root.mkdir(parents=True)
    board.build(root, board.find(key), Path("..", "..", "system"), Path("..", "..", "site"))
    found, target = host.describe(root), targets.find(key)
    assert (found.uarch, found.cpus) == (target.uarch, target.cpus)
    assert found.board is not None
    assert found.board.startswith(target.title)
    facts = ("level", "type", "size_bytes", "ways", "line_bytes", "shared_by")
    assert [[getattr(cache, fact) for fact in facts] for cache in found.caches] == [
        [getattr(cache, fact) for fact in facts] for cache in target.caches
    ]
    assert (root / "usr").samefile(tmp_path / "system" / "usr")
    assert (root / "site").samefile(tmp_path / "site")
    cpu = root / "sys/devices/system/cpu/cpu3"
    assert (cpu / "cache/index2/shared_cpu_list").read_text() == ("3\n" if key == "pi5" else "0-3\n")
    assert (cpu / "cache/index2/shared_cpu_map").read_text() == ("8\n" if key == "pi5" else "f\n")


def test_the_command() -> None:
    found = virtual.Virtual("pi5", "", Path("/r"), Path("/s"), Path("/r/usr/bin/python3.11"), "cortex-a76", {})
    for plugin in (None, "p.so,out=x"):
        command = virtual.command(found, "/bin/qemu-aarch64", plugin)
        assert command[:5] == ("/bin/qemu-aarch64", "-L", "/r", "-cpu", "cortex-a76")
        assert (plugin is None) == ("-plugin" not in command)
        assert command[-6:] == ("-0", "/usr/bin/python3.11", "/r/usr/bin/python3.11", "-P", "-s", "-S")
    assert virtual.environment(Path("/code")) == {"PYTHONPATH": "/site:/code", "LC_ALL": "C"}


def test_requirements_are_read_as_on_the_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conditions that hold there and not here, and the other way round."""
    wanted = ["board; platform_machine == 'aarch64' and python_version < '3.8'", "not-here; python_version >= '3.8'"]
    wanted += ["exact; python_full_version == '3.7.3'", "compiled"]
    make_wheel(tmp_path, "all", "1.0", wanted)
    for name in ("board", "exact", "not-here"):
        make_wheel(tmp_path, name, "1.0")
    make_wheel(tmp_path, "compiled", "1.0", tag="cp37-cp37m-manylinux2014_aarch64")
    make_wheel(tmp_path, "compiled", "2.0", tag="cp37-cp37m-manylinux_2_31_aarch64")
    make_wheel(tmp_path, "compiled", "3.0", tag="cp37-cp37m-manylinux2014_x86_64")
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(name, value)
    site = tmp_path / "site"
    wheels.install(site, ["all"], {}, debian.System("3.7.3", "2.28"), tmp_path / "downloads", lambda _: None)
    assert wheels.versions(site) == dict.fromkeys(("all", "board", "exact", "compiled"), "1.0")


def test_wheels_of_older_glibcs_run() -> None:
    tags = wheels.platforms("2.36")
    assert tags[0] == "manylinux_2_36_aarch64"
    assert "manylinux_2_37_aarch64" not in tags
    assert tags[-4:] == ("manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64", "any")


@pytest.mark.parametrize(
    ("requirement", "name"), [("Pillow", "pillow"), ("ruamel.yaml>=0.18", "ruamel-yaml"), ("a__b[c]==1", "a-b")]
)
def test_names(requirement: str, name: str) -> None:
    assert wheels.name(requirement) == name


@given(
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", fullmatch=True), st.sampled_from(["", "==1.0", "[x]>2"])
)
def test_a_name_is_found_whatever_follows(name: str, rest: str) -> None:
    assert wheels.name(wheels.name(name) + rest) == wheels.name(name)


@pytest.mark.parametrize(
    ("version", "upstream"), [("1:2.36-9+deb12u1", "2.36"), ("3.11.2-6+deb12u5", "3.11.2"), ("x", "x")]
)
def test_upstream_versions(version: str, upstream: str) -> None:
    assert debian._Package("p", version).upstream == upstream


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "  Downloading tensorflow-2.21.0-cp311-cp311-manylinux_2_27_aarch64.whl (281.3 MB)",
            "tensorflow 2.21.0 (281 MB)",
        ),
        ("Downloading six-1.17.0-py2.py3-none-any.whl (11 kB)", None),
        ("Collecting numpy", None),
    ],
)
def test_downloads_worth_telling(line: str, told: str | None) -> None:
    heard: list[str] = []
    wheels._told(line, heard.append)
    assert heard == ([f"downloading {told}"] if told else [])


def test_what_a_program_complains_of() -> None:
    assert run_tool.complaint("a\nE: first\nE: second\nlast\n\n", "E: ") == "first"
    assert run_tool.complaint("a\nlast\n\n", "E: ") == "last"
    assert run_tool.complaint("") == "it says nothing"


def test_a_program_ends_with_whoever_waits_for_it() -> None:
    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_tool.run(("sh", "-c", "echo; exec tail -f /dev/null"), heard=interrupt)


@pytest.fixture
def guest_python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the real board's Python in a folder with a module of the host's, in a host's environment that would
    lead any other Python astray; `code` is a folder that it may import from.
    """
    (tmp_path / "hosts.py").touch()
    (tmp_path / "code").mkdir()

    def run(key: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        found = ready(key)
        emulator = guest.emulator()
        assert emulator is not None
        astray = {"PYTHONHOME": sys.prefix, "LD_LIBRARY_PATH": "/usr/lib/x86_64-linux-gnu", "LD_PRELOAD": ""}
        return subprocess.run(
            [*virtual.command(found, emulator, None), *arguments],
            env={**os.environ, **astray, **virtual.environment(tmp_path / "code")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.slow
def test_nothing_of_the_host_is_imported(
    guest_python: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    code = """
import json, os, platform, sys, importlib.util
import ai_edge_litert.interpreter, ctypes, lzma, numpy, ssl, sqlite3
found = [name for name in ("hosts", "pytest", "msgspec", "profiler", "site-packages") if importlib.util.find_spec(name)]
files = [module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
print(json.dumps([found, sys.path, platform.machine(), os.cpu_count(), files, os.environ.get("PYTHONHOME")]))
"""
    done = guest_python("pi5", "-c", code)
    assert done.returncode == 0, done.stderr
    found, path, arch, cpus, files, python_home = json.loads(done.stdout)
    assert (found, arch, cpus, python_home) == ([], "aarch64", 4, None)
    assert path[:2] == ["/site", str(tmp_path / "code")]
    library = path[3]
    assert library.startswith("/usr/lib/python3.")
    assert path[2:] == [f"{library.replace('.', '')}.zip", library, f"{library}/lib-dynload"]
    assert all(file.startswith(("/site/", f"{library}/")) for file in files)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["pi5", "pi4", "pi3"])
def test_the_real_worker_runs_on_every_board(
    key: str, guest_python: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    copy_worker(tmp_path / "code")
    done = guest_python(key, *START, str(written(tmp_path, model=str(MODEL), warmup=0)))
    assert done.returncode == 0, done.stderr
    completion = from_json(Completion, (tmp_path / "record.json").read_bytes())
    assert completion.engine is not None
    assert (completion.engine.package, completion.engine.delegate) == ("ai-edge-litert", "XNNPACK")
    assert completion.engine.version == ready(key).packages["ai-edge-litert"]
    # A black image is much the same to every core: the Pi 5's has instructions for dot products, and rounds otherwise.
    assert completion.scores[0] == pytest.approx(1.83, abs=0.1)


@pytest.mark.slow
def test_all_that_a_guest_imports_is_compiled(guest_python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """All that it imports was compiled before: no run pays for another's first import."""
    found = ready("pi5")
    code = "import sys, numpy, json, ai_edge_litert.interpreter as i; print(i.__cached__, json.__cached__)"
    done = guest_python("pi5", "-c", code)
    for cached in done.stdout.split():
        assert (found.root / cached[1:]).exists()
