"""The command line, in this process with a made worker; whole commands in test_main_job.py."""

import errno
import functools
import json
import subprocess
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from studies import made_study, put

from profiler import __version__, cli, virtual
from profiler.machine import host
from profiler.measure import run as measure
from profiler.measure import sweep
from profiler.records import Plan
from profiler.zoo import default as zoo

TFLITE = b"\x1c\0\0\0TFL3rest"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, list(arguments))


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_worker: Any) -> Path:
    """A folder with a model file, in which sweeps use the fake worker."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.tflite").write_bytes(TFLITE)
    monkeypatch.setattr(sweep, "run", functools.partial(sweep.run, worker=fake_worker))
    return tmp_path


QUICK = ("sweep", "--models", "litert=a.tflite", "--quick", "--counters", "software", "--source", "synthetic")


@pytest.mark.slow
def test_a_sweep_ends_with_a_table_and_the_reports_path(workplace: Path) -> None:
    done = invoke(*QUICK, "--name", "mine")
    assert done.exit_code == 0, done.output
    assert "12/12" in done.stderr or "11/12" in done.stderr
    assert "task-clock" in done.stdout
    assert done.stdout.splitlines()[-1] == "report: reports/mine/index.html"
    assert (workplace / "reports/mine/index.html").exists()
    assert len((workplace / "runs/mine/runs.jsonl").read_text().splitlines()) == 12


def test_a_study_has_a_name_by_itself(workplace: Path) -> None:
    assert invoke(*QUICK, "--images", "1,2", "--repeats", "1").exit_code == 0
    (folder,) = (workplace / "runs").iterdir()
    assert folder.name.endswith("-litert")


def test_the_same_name_twice(workplace: Path) -> None:
    assert invoke(*QUICK, "--name", "mine", "--repeats", "1").exit_code == 0
    again = invoke(*QUICK, "--name", "mine")
    assert again.exit_code == cli.CANNOT
    assert again.stderr == "profiler: study 'mine' exists in runs: give another name, or remove that folder\n"


def test_failed_runs_are_in_the_exit_status(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"litert": {"fault": "segv", "when": {"images": 5}}}))
    done = invoke(*QUICK, "--name", "mine")
    assert done.exit_code == cli.RUNS_FAILED
    assert done.stderr.splitlines()[-1] == "profiler: 4 runs failed; the report says which and why"
    assert "signal 11" in (workplace / "reports/mine/report.md").read_text()


def test_ctrl_c_is_in_the_exit_status(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = measure.measure
    seen = []

    def interrupted(*arguments: Any) -> Any:
        seen.append(arguments)
        if len(seen) > 7:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(sweep, "measure", interrupted)
    done = invoke(*QUICK, "--name", "mine")
    assert done.exit_code == cli.INTERRUPTED
    assert "what was done is kept in runs/mine" in done.stderr
    assert len((workplace / "runs/mine/runs.jsonl").read_text().splitlines()) == 7


def test_report_renders_the_newest_study_again(workplace: Path) -> None:
    invoke(*QUICK, "--name", "mine", "--repeats", "1")
    page = (workplace / "reports/mine/index.html").read_bytes()
    done = invoke("report", "--output", "again", "--format", "html,csv")
    assert done.exit_code == 0, done.output
    assert (workplace / "again/mine/index.html").read_bytes() == page


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a study in this folder's runs."""
    monkeypatch.chdir(tmp_path)
    study, runs = made_study(images=(1, 5), repeats=1)
    return put(tmp_path / "runs", (replace(study, name="mine"), runs)).name


def test_report_in_the_formats_that_are_asked_for(mine: str, tmp_path: Path) -> None:
    done = invoke("report", mine, "--output", "again", "--format", "json,MD, json")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == "report: again/mine/report.md"
    assert {path.suffix for path in (tmp_path / "again/mine").glob("[!.]*.*")} == {".md", ".json"}


def test_an_unknown_format_is_a_usage_error(workplace: Path) -> None:
    done = invoke("report", "--format", "html,docx")
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert "'docx' is no format; use all, or some of html,md,json,csv" in line


@pytest.mark.parametrize("started", [True, False])
def test_open_starts_a_browser_or_says_that_none_could_be(
    mine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: bool
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or started)  # type: ignore[func-returns-value]
    invoke("report", mine, "--format", "json")
    assert opened == []
    done = invoke("report", mine, "--format", "html", "--open")
    assert done.exit_code == 0
    assert opened == [(tmp_path / "reports/mine/index.html").as_uri()]
    assert ("no browser could be started: open reports/mine/index.html yourself" in done.stderr) != started


def test_a_report_that_cannot_be_written_is_one_line(mine: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = invoke("report", mine, "--output", "file", "--format", "json")
    assert done.exit_code == cli.CANNOT
    assert [line for line in done.stderr.splitlines() if line.startswith("profiler: the report cannot be written")]
    assert done.stderr.splitlines()[-1].endswith("use --output with a folder you may write to")


def plan_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Plan:
    """The plan that a command line asks for."""
    plans: list[Plan] = []

    def run(name: str, root: Path, plan: Plan, *_: Any) -> Any:
        plans.append(plan)
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep, "run", run)
    invoke("sweep", "--models", "litert=a.tflite", *arguments)
    return plans[0]


@pytest.mark.usefixtures("workplace")
def test_defaults_are_those_of_the_manual(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plan_of(monkeypatch) == Plan(
        models=("litert=a.tflite",),
        images=(1, 2, 5, 10, 20, 40),
        repeats=3,
        warmup=1,
        threads=1,
        regions=("process", "inference"),
        phases=False,
        event_set="lab",
        counters="auto",
        source="builtin",
        seed=0,
        timeout_s=300.0,
        cpus=None,
        keras_call="predict",
        simulated_images=(1, 2, 4),
    )


@pytest.mark.usefixtures("workplace")
def test_options_reach_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "usable_cpus", lambda: (0, 1, 2, 3))
    options = "--images 4,2,2 --threads default --cpus 0,2-3 --region load,first --phases --keras-call graph --warmup 0"
    plan = plan_of(monkeypatch, *options.split())
    assert (plan.images, plan.threads, plan.cpus, plan.regions) == ((2, 4), None, (0, 2, 3), ("load", "first"))
    assert (plan.phases, plan.keras_call, plan.warmup) == (True, "graph", 0)
    captured = plan_of(monkeypatch, "--source", "camera:2", "--capture-in-region")
    assert (captured.source, captured.capture_in_region) == ("camera:2", True)
    quick = plan_of(monkeypatch, "--quick")
    assert (quick.images, quick.repeats) == ((1, 5, 10), 2)
    own = plan_of(monkeypatch, "--quick", "--images", "3", "--repeats", "7")
    assert (own.images, own.repeats) == ((3,), 7)


@pytest.mark.usefixtures("workplace")
def test_on_a_virtual_board_the_defaults_are_a_simulations(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(monkeypatch, "--on", "pi5")
    assert (plan.on, plan.images, plan.repeats, plan.regions) == ("pi5", (1, 2, 4), 1, ("inference",))
    own = plan_of(
        monkeypatch, "--on", "pi4", "--images", "3", "--repeats", "2", "--region", "process", "--caches", "pi3"
    )
    assert (own.on, own.caches, own.images, own.repeats, own.regions) == ("pi4", "pi3", (3,), 2, ("process",))
    quick = plan_of(monkeypatch, "--quick", "--simulated-images", "8,4")
    assert quick.simulated_images == (4, 8)
    assert plan_of(monkeypatch, "--quick").simulated_images == (1, 2)


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize(
    "arguments",
    [
        "--images 0",
        "--images -1",
        "--images ten",
        "--images 1,,2",
        "--images 1.5",
        "--repeats 0",
        "--warmup -1",
        "--threads 0",
        "--threads many",
        "--cpus 99999",
        "--cpus a-b",
        "--cpus 3-1",
        "--region lunch",
        "--counters magic",
        "--timeout 0",
        "--seed -1",
        "--keras-call twice",
        "--simulated-images 0",
        "--on pi5 --counters perf",
        "--on pi5 --counters valgrind",
    ],
)
def test_options_that_make_no_sense_are_told_in_a_line(arguments: str) -> None:
    done = invoke("sweep", "--models", "litert=a.tflite", *arguments.split())
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("profiler: Invalid value for ")
    assert line.endswith("--help`")
    assert not Path("runs").exists()


def test_unknown_commands_and_options() -> None:
    for arguments in (("swep",), ("sweep", "--model", "keras"), ("report", "a", "b")):
        done = invoke(*arguments)
        assert done.exit_code == 2
        assert len(done.stderr.splitlines()) == 1
        assert "--help`" in done.stderr


def test_no_command_shows_what_there_is() -> None:
    done = invoke()
    assert done.exit_code == 2
    assert "doctor" in done.stderr


@pytest.mark.usefixtures("workplace")
def test_ctrl_c_before_the_first_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep, "inspect", interrupted)
    done = invoke(*QUICK)
    assert done.exit_code == cli.INTERRUPTED
    assert done.stderr.splitlines()[-1] == "profiler: stopped by Ctrl-C: nothing that was not finished is kept"


@pytest.mark.usefixtures("workplace")
def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/pool.npy")

    monkeypatch.setattr(sweep, "stage", full)
    done = invoke(*QUICK)
    assert done.exit_code == cli.CANNOT
    assert done.stderr.splitlines()[-1].startswith("profiler: /tmp/pool.npy cannot be used (No space left on device): ")
    assert not Path("runs").exists()


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ("sweep --models torch", "unknown model or runtime 'torch'"),
        ("sweep --models litert=gone.tflite", "gone.tflite cannot be read"),
        ("sweep --models keras=a.tflite", "is not a keras model"),
        ("sweep --models litert=a.tflite --source nowhere", "no image source or folder named 'nowhere'"),
        ("sweep --models litert=a.tflite --source camera:gone.avi", "there is no camera or file gone.avi"),
        ("sweep --models litert=a.tflite --source camera:a.tflite", "a.tflite is no video or picture"),
        (
            "sweep --models litert=a.tflite --capture-in-region --source synthetic",
            "images cannot be captured inside the region from 'synthetic'",
        ),
        ("sweep --models litert=a.tflite --name a/b", "cannot be a study's name"),
        ("sweep --models litert=a.tflite --caches pi9", "unknown machine 'pi9'"),
        ("sweep --models litert=a.tflite --caches none.toml", "none.toml"),
        ("sweep --models litert=a.tflite --on pi9", "pi9"),
        ("virtual setup pi9", "pi9"),
        ("virtual remove pi9", "pi9"),
        ("report", "no study in runs"),
        ("report nothing", "no study 'nothing'"),
        ("events --core z80", "z80"),
        ("models build --photos nowhere", "nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_line_with_a_remedy(arguments: str, cause: str) -> None:
    done = invoke(*arguments.split())
    assert done.exit_code == cli.CANNOT
    (line,) = done.stderr.splitlines()
    assert line.startswith("profiler: ")
    assert cause in line
    assert ": " in line.removeprefix("profiler: ")
    assert not Path("runs").exists()


def test_doctor_names_the_command_that_mends(pi5: Any, fake_perf: Any) -> None:
    fake_perf(refuse=True)
    done = invoke("doctor")
    assert done.exit_code == 0, done.output
    assert "sudo sysctl kernel.perf_event_paranoid=1" in done.stdout


def test_events_of_another_core() -> None:
    done = invoke("events", "--core", "cortex-a76")
    assert done.exit_code == 0, done.output
    assert "l2d_cache_inval" in done.stdout
    assert "exact" in done.stdout


def test_models_build_says_what_it_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def build(photos: Path, output: Path, seed: int, report: Callable[[str], object]) -> None:
        report(f"from {photos} to {output} with seed {seed}")

    monkeypatch.setattr(zoo, "build", build)
    done = invoke("models", "build", "--photos", str(tmp_path), "--seed", "7")
    assert done.stdout == f"from {tmp_path} to models with seed 7\n"


def test_virtual_boards_are_set_up_listed_and_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    board = virtual.Virtual("pi5", "Raspberry Pi 5", tmp_path, tmp_path, tmp_path, "cortex-a76", {"python": "3.11.2"})
    asked: list[object] = []

    def setup(key: str, keras: bool, tell: Callable[[str], None]) -> virtual.Virtual:
        asked.append((key, keras))
        tell("unpacking it")
        return board

    monkeypatch.setattr(virtual, "setup", setup)
    monkeypatch.setattr(virtual, "installed", lambda: ((board, 300 * 2**20),))
    monkeypatch.setattr(virtual, "remove", lambda key: asked.append(key) or 300 * 2**20)  # type: ignore[func-returns-value]
    done = invoke("virtual", "setup", "pi5", "--keras")
    assert done.stdout.splitlines() == [
        "unpacking it",
        "the virtual Raspberry Pi 5 is set up: `profiler sweep --on pi5`",
    ]
    assert invoke("virtual", "list").stdout == "pi5: Raspberry Pi 5, cortex-a76, 300 MiB; python 3.11.2\n"
    assert invoke("virtual", "remove").stdout == "300 MiB freed\n"
    assert invoke("virtual", "remove", "pi5").exit_code == 0
    assert asked == [("pi5", True), None, "pi5"]


def test_version() -> None:
    assert __version__ in invoke("--version").stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from profiler import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'rich', 'matplotlib', 'pandas', 'cv2', 'tensorflow', 'jinja2', 'msgspec'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
