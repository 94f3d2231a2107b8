"""The fakes say what the real ones were seen to say: recorded output of perf, and a real perf where there is one."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from made_requests import written
from reading import present

from profiler.records import PHASES, Completion, from_json

SAMPLES = Path(__file__).parent / "samples"
FakePerf = Callable[..., None]
FakeWorker = tuple[str, ...]

SUICIDE = ("python3", "-S", "-c", "import os; os.kill(os.getpid(), 9)")
CLIENT = """
import os, sys
control, ack = map(int, sys.argv[1:3])
for command in sys.argv[3:]:
    os.write(control, command.encode() + b"\\n")
    answer = os.read(ack, 5)
    if answer != b"ack\\n\\0":
        sys.exit(9)
sys.exit(7)
"""
"""Sends its arguments as commands, each acknowledged, and ends with 7."""
ORPHAN = """
import os, subprocess, threading
commands, control = os.pipe()
ack, acks = os.pipe()
me = str(threading.get_native_id())
call = ["perf", "stat", "-x", ";", "-o", "/dev/stdout", "-e", "cycles", "-D", "-1"]
subprocess.Popen([*call, "--control", f"fd:{commands},{acks}", "-t", me], pass_fds=(commands, acks))
os.write(control, b"enable\\n")
os.read(ack, 5)
os.kill(os.getpid(), 9)
"""
"""Has itself counted and dies."""


class Recorded(NamedTuple):
    """A sample's command and exit status, and what was true of its machine."""

    sample: str
    versions: tuple[str, ...]
    events: tuple[str, ...]
    truth: Mapping[str, Any] = MappingProxyType({})
    status: int = 0
    options: tuple[str, ...] = ()
    command: tuple[str, ...] = ("true",)


ALL, NEW = ("5.10", "6.1", "6.12"), ("6.1", "6.12")
TOO_LARGE = "{cycles,r08,r23,r24,r36,r37,r58,r17}"
RAW = ",".join(f"armv8_cortex_a76/event={code}/" for code in ("0x58", "0x11", "0x08", "0x24"))
SOFTWARE = "task-clock,context-switches,cpu-migrations,page-faults,major-faults,duration_time"
NO_LLC = {"unsupported": ["LLC-loads"]}
NO_PMU = {"no_pmu": True}
DELAYED = ("-D", "-1")

RECORDED = (
    Recorded("group", ("6.1",), ("{cycles,r08,r23,r24,r36,r37,r58}",)),
    Recorded("group-too-large", NEW, (TOO_LARGE,)),
    Recorded("group-unsupported-member", ("6.1",), ("{cycles,LLC-loads},instructions",), NO_LLC),
    Recorded("multiplexed", ("6.1",), ("cycles,r08,r23,r24,r36,r37,r58,r17",)),
    Recorded("multiplexed-groups", NEW, ("{cycles,r08,r23,r24},{r36,r37,r58,r17}", "{r08,r16,r18}")),
    Recorded("never-enabled", NEW, ("cycles,instructions,LLC-loads",), NO_LLC, options=DELAYED),
    Recorded("raw", ("6.1",), (RAW,)),
    Recorded("software", ("6.1",), (SOFTWARE,)),
    Recorded("user-only", NEW, ("cycles,instructions,task-clock",), {"user_only": True}),
    Recorded("kernel-refused", ("6.1",), ("cycles:k",), {"user_only": True}, 255),
    Recorded("refused", ("6.1",), ("cycles,instructions,task-clock",), {"refuse": True}, 255),
    Recorded("unknown-event", NEW, ("cycles,no_such_event",), status=129),
    Recorded("unknown-event", ("5.10",), ("bogus-event",), status=129),
    Recorded("unknown-pmu", NEW, ("no_such_pmu/event=0x58/",), status=129),
    Recorded("killed", ("6.1",), ("cycles,instructions,LLC-loads",), NO_LLC, command=SUICIDE),
    Recorded("no-pmu", ALL, ("cycles,instructions,task-clock,page-faults,LLC-loads",), NO_PMU),
    Recorded("no-pmu-member", ALL, ("{task-clock,instructions,page-faults}",), NO_PMU),
    Recorded("no-pmu-leader", ALL, ("{cycles,instructions}",), NO_PMU, 255),
    Recorded("no-pmu-user-only", ALL, ("task-clock,page-faults,cycles",), {**NO_PMU, "user_only": True}),
    Recorded("software-group", ALL, ("{task-clock,page-faults,context-switches}",), NO_PMU),
    Recorded("software-never-enabled", ALL, ("task-clock,page-faults",), NO_PMU, options=DELAYED),
)


def stat(*arguments: str, separator: str = ";", perf: str = "perf", fds: Sequence[int] = ()) -> tuple[int, str]:
    """The exit status of `perf stat -x` with these arguments, and all that it and its command print."""
    done = subprocess.run(
        [perf, "stat", "-x", separator, *arguments],
        env={**os.environ, "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        pass_fds=fds,
        check=False,
    )
    return done.returncode, done.stdout


def selected(events: Sequence[str]) -> list[str]:
    return [part for spec in events for part in ("-e", spec)]


def shape(text: str) -> list[str]:
    """What does not depend on the run: names, statuses, number of fields, full or part-time counters, messages."""
    return [_line_shape(line) for line in text.splitlines()]


def _line_shape(line: str) -> str:
    fields = re.split("[;,]", line)
    if line.startswith("# started on "):
        return re.sub(r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}", "DATE", line)
    if len(fields) != 7:
        # perf 5.10 and 6.1 point into a name that has a hyphen, at the part they do not understand.
        return re.sub(" +", " ", line)
    value, unit, event, run, percent, metric, metric_unit = fields
    percent = percent if float(percent) in (0, 100) else "part"
    metric_unit = re.sub("^[KMG]?/sec", "/sec", metric_unit)
    value, run, metric = (re.sub(r"\d+", "0", number) for number in (value, run, metric))
    return ";".join((value, unit, event, run, percent, metric, metric_unit))


def counted(text: str) -> dict[str, list[str]]:
    """The fields by event."""
    lines = (line.split(";") for line in text.splitlines())
    return {fields[2]: fields for fields in lines if len(fields) == 7}


def request(folder: Path, **fields: Any) -> Path:
    """A request file as the sweep writes it."""
    small = {"label": "small", "model": "/models/small.tflite", "images": 10, "threads": None, "region": "inference"}
    return written(folder, **{**small, **fields})


class Pipes:
    """Both pipes of perf's control, open for the time of a `with`."""

    def __enter__(self) -> "Pipes":
        self.commands, self.control = os.pipe()
        self.ack, self.acks = os.pipe()
        self.fds = (self.commands, self.control, self.ack, self.acks)
        self.options = ("-D", "-1", "--control", f"fd:{self.commands},{self.acks}")
        return self

    def __exit__(self, *_: object) -> None:
        for fd in self.fds:
            os.close(fd)

    def client(self, *commands: str) -> tuple[str, ...]:
        return (sys.executable, "-S", "-E", "-c", CLIENT, str(self.control), str(self.ack), *commands)


def counts_of(
    worker: FakeWorker, folder: Path, region: str, events: str = "cycles", output: str = "0001.perf", **fields: Any
) -> dict[str, list[str]]:
    """What the fake perf prints of a run of the fake worker."""
    command = (*worker, str(request(folder, region=region, **fields)))
    out = folder / output
    with Pipes() as pipes, pytest.MonkeyPatch.context() as patch:
        gated = region != "process"
        if gated:
            patch.setenv("PROFILER_GATE", f"fd:{pipes.control}:{pipes.ack}")
        options = pipes.options if gated else ()
        status, printed = stat("-o", str(out), *options, "-e", events, "--", *command, fds=pipes.fds)
    assert status == 0, printed
    return counted(out.read_text())


CASES = [(recorded, version) for recorded in RECORDED for version in recorded.versions]


@pytest.mark.parametrize(("recorded", "version"), CASES, ids=[f"{version}-{case.sample}" for case, version in CASES])
def test_the_fake_prints_what_perf_was_seen_to_print(recorded: Recorded, version: str, fake_perf: FakePerf) -> None:
    fake_perf(version=f"{version}.0", **recorded.truth)
    sample = (SAMPLES / f"perf-{version}-{recorded.sample}.txt").read_text()
    separator = "," if re.search("^[^;]*,,", sample) else ";"
    command = (*recorded.options, *selected(recorded.events), "--", *recorded.command)
    status, printed = stat(*command, separator=separator)
    assert shape(printed) == shape(sample)
    assert status == recorded.status


def test_every_sample_is_tried() -> None:
    tried = {f"perf-{version}-{recorded.sample}.txt" for recorded, version in CASES}
    elsewhere = {f"perf-6.1-{sample}.txt" for sample in ("never-scheduled", "attached", "no-such-thread")} | {
        f"perf-{v}-{s}.txt" for v in NEW for s in ("region", "output-file")
    }
    assert tried | elsewhere == {path.name for path in SAMPLES.glob("*.txt")}


@pytest.mark.parametrize("version", NEW)
def test_the_fake_writes_perfs_output_file(version: str, fake_perf: FakePerf, tmp_path: Path) -> None:
    fake_perf(version=version, **NO_LLC)
    out = tmp_path / "out"
    status, printed = stat("-o", str(out), "-e", "cycles,instructions,LLC-loads", "true")
    assert (status, printed) == (0, "")
    assert shape(out.read_text()) == shape((SAMPLES / f"perf-{version}-output-file.txt").read_text())


@pytest.mark.parametrize("version", NEW)
def test_the_fake_obeys_the_control_while_the_command_runs(version: str, fake_perf: FakePerf) -> None:
    fake_perf(version=version)
    with Pipes() as pipes:
        client = pipes.client("enable", "disable")
        status, printed = stat(*pipes.options, "-e", "{cycles,instructions}", "--", *client, fds=pipes.fds)
    assert status == 7
    assert shape(printed) == shape((SAMPLES / f"perf-{version}-region.txt").read_text())


ATTACHED = "{task-clock,page-faults,context-switches}"


def attached(perf: str, events: str, meter: Path, *commands: str) -> tuple[int, str]:
    """The status and the words of a perf attached to this thread, told these commands with work after each."""
    with Pipes() as pipes:
        call = [perf, "stat", "-x", ";", "-e", events, *pipes.options, "-t", str(threading.get_native_id())]
        environment = {**os.environ, "LC_ALL": "C"}
        with subprocess.Popen(call, stderr=subprocess.PIPE, text=True, env=environment, pass_fds=pipes.fds) as process:
            for command in commands:
                os.write(pipes.control, command.encode() + b"\n")
                assert os.read(pipes.ack, 5) == b"ack\n\0"
                with meter.open("ab") as work:
                    work.write(bytes(1_000_000))
            process.send_signal(signal.SIGINT)
            printed = process.communicate(timeout=60)[1]
    return process.returncode, printed


def test_the_fake_attached_prints_what_perf_was_seen_to_print(fake_perf: FakePerf, tmp_path: Path) -> None:
    meter = tmp_path / "meter"
    meter.touch()
    fake_perf(version="6.1.0", no_pmu=True, meter=str(meter))
    status, printed = attached("perf", ATTACHED, meter, "disable", "enable", "disable")
    assert status == -signal.SIGINT
    assert shape(printed) == shape((SAMPLES / "perf-6.1-attached.txt").read_text())


def test_the_fake_attaches_to_no_thread_that_is_not_there(fake_perf: FakePerf) -> None:
    fake_perf(version="6.1.0", no_pmu=True)
    sample = (SAMPLES / "perf-6.1-no-such-thread.txt").read_text()
    assert stat("-e", "task-clock", "-t", "99999999") == (255, sample)


def test_an_attached_perf_counts_the_meter_while_enabled(fake_perf: FakePerf, tmp_path: Path) -> None:
    meter, raw = tmp_path / "meter", tmp_path / "raw"
    meter.write_bytes(b"before")
    fake_perf(meter=str(meter))
    with Pipes() as pipes, meter.open("ab", buffering=0) as work:
        call = ["perf", "stat", "-x", ";", "-o", str(raw), "-e", "{cycles,instructions}", *pipes.options]
        call += ["-p", str(os.getpid())]
        with subprocess.Popen(call, stderr=subprocess.DEVNULL, pass_fds=pipes.fds) as process:
            for command, done in (("enable", 100), ("disable", 1000), ("enable", 10), ("disable", 1000)):
                os.write(pipes.control, command.encode() + b"\n")
                assert os.read(pipes.ack, 5) == b"ack\n\0"
                work.write(bytes(done))
            process.send_signal(signal.SIGINT)
    assert {name: fields[0] for name, fields in counted(raw.read_text()).items()} == {
        "cycles": "110",
        "instructions": "165",
    }


def test_an_attached_perf_ends_with_whom_it_counts(fake_perf: FakePerf) -> None:
    fake_perf()
    with subprocess.Popen([sys.executable, "-S", "-c", ORPHAN], stdout=subprocess.PIPE, text=True) as process:
        # Until somebody has waited for it, a dead process's threads are still there to see.
        assert process.wait() == -signal.SIGKILL
        # The fake has the pipe's end too: it is read to its end, so the fake has ended.
        assert "cycles" in present(process.stdout).read()


def test_an_event_never_on_a_counter_has_run_for_none_of_the_time(fake_perf: FakePerf) -> None:
    fake_perf(uncounted=["r17"])
    _, printed = stat("-e", "cycles", "-e", "r17", "true")
    line = printed.splitlines()[1]
    assert line in (SAMPLES / "perf-6.1-never-scheduled.txt").read_text().splitlines()


def test_turns_on_the_counters_are_the_kernels(fake_perf: FakePerf) -> None:
    fake_perf()
    _, printed = stat("-e", "{cycles,r08,r23,r24},{r36,r37,r58,r17},{r03,r16,r18}", "true")
    shares = [line.split(";")[4] for line in (SAMPLES / "perf-6.1-multiplexed-groups.txt").read_text().splitlines()]
    assert [fields[4] for fields in counted(printed).values()] == shares


@pytest.mark.parametrize(("version", "percent"), [("5.10.262", "66.67"), ("6.1.187", "66.00"), ("6.12.107", "66.00")])
def test_percentages_are_cut_since_6_1(version: str, percent: str, fake_perf: FakePerf) -> None:
    fake_perf(version=version, scaled={"cycles": 66.67})
    _, printed = stat("-e", "{cycles,instructions}", "true")
    assert [fields[4] for fields in counted(printed).values()] == [percent, percent]


@pytest.mark.parametrize(("version", "fields"), [("5.10.262", 6), ("6.1.187", 6), ("6.12.107", 7)])
def test_stalls_an_instruction_have_a_line_without_an_event(version: str, fields: int, fake_perf: FakePerf) -> None:
    fake_perf(version=version)
    _, printed = stat("-e", "cycles,instructions,stalled-cycles-backend", "true")
    extra = printed.splitlines()[2].split(";")
    assert extra[-1] == "stalled cycles per insn"
    assert extra[2] == ""
    assert len(extra) == fields


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        ("cycles:u", "cycles:u"),
        ("{cycles,instructions}:u", "cycles"),
        ("armv8_cortex_a76/event=0x11,name=cycles/u", "cycles"),
        ("armv8_cortex_a76/event=0x11/u", "armv8_cortex_a76/event=0x11/u"),
    ],
)
def test_names_are_echoed_as_perf_does(event: str, shown: str, fake_perf: FakePerf) -> None:
    fake_perf(user_only=True)
    status, printed = stat("-e", event, "true")
    assert status == 0
    assert next(iter(counted(printed))) == shown


def test_a_scope_that_perf_narrows_shows(fake_perf: FakePerf) -> None:
    fake_perf(user_only=True)
    _, printed = stat("-e", "armv8_cortex_a76/event=0x11,name=cycles/,armv8_cortex_a76/event=0x11/,cs", "true")
    assert list(counted(printed)) == ["cycles:u", "armv8_cortex_a76/event=0x11/u", "cs:u"]
    assert counted(printed)["cs:u"][0] == "0"


def test_tool_events_by_version(fake_perf: FakePerf) -> None:
    fake_perf(version="5.10.262")
    assert stat("-e", "duration_time", "true")[0] == 0
    assert stat("-e", "user_time", "true")[0] == 129
    fake_perf(version="6.1.187")
    _, printed = stat("-e", "duration_time,user_time,system_time", "true")
    assert [fields[1] for fields in counted(printed).values()] == ["ns", "ns", "ns"]


def test_tool_events_do_not_know_regions(fake_perf: FakePerf, fake_worker: FakeWorker, tmp_path: Path) -> None:
    """Seen in perf 6.1.187: the whole process's duration, and with --control no times of the child at all."""
    fake_perf()
    events = "task-clock,duration_time,user_time,system_time"
    whole = counts_of(fake_worker, tmp_path, "process", events)
    region = counts_of(fake_worker, tmp_path, "inference", events)
    assert float(region["task-clock"][0]) < float(whole["task-clock"][0])
    assert region["duration_time"][0] == whole["duration_time"][0]
    assert region["user_time"][0] == region["system_time"][0] == "<not counted>"


def test_a_perf_before_5_9_knows_no_control(fake_perf: FakePerf, tmp_path: Path) -> None:
    fake_perf(version="5.4.0")
    marker = tmp_path / "ran"
    status, printed = stat("-D", "-1", "--control=fd:1,2", "-e", "cycles", "--", "touch", str(marker))
    assert status == 129
    assert "unknown option `control=fd:1,2'" in printed
    assert not marker.exists()


def test_a_command_that_cannot_be_run(fake_perf: FakePerf) -> None:
    fake_perf()
    assert stat("-e", "cycles", "/no/such/command") == (255, "Workload failed: No such file or directory\n")


def test_commands_in_one_write_are_obeyed_in_turn_and_unknown_ones_never_acknowledged(fake_perf: FakePerf) -> None:
    fake_perf()
    with Pipes() as pipes:
        os.write(pipes.control, b"bogus\nenable\nping\ndisable\n")
        _, printed = stat(*pipes.options, "-e", "cycles", "true", fds=pipes.fds)
        assert os.read(pipes.ack, 100) == 3 * b"ack\n\0"
    assert printed.splitlines()[:3] == ["Events disabled", "Events enabled", "Events disabled"]
    assert counted(printed)["cycles"][0].isdigit()


def test_a_perf_that_does_not_acknowledge(fake_perf: FakePerf) -> None:
    fake_perf(no_ack=True)
    with Pipes() as pipes:
        os.set_blocking(pipes.ack, False)
        os.write(pipes.control, b"enable\n")
        _, printed = stat(*pipes.options, "-e", "cycles", "true", fds=pipes.fds)
        with pytest.raises(BlockingIOError):
            os.read(pipes.ack, 5)
    assert counted(printed)["cycles"][0].isdigit()


def test_counts_are_the_truth_of_the_region(fake_perf: FakePerf, fake_worker: FakeWorker, tmp_path: Path) -> None:
    fixed = {phase: 10**power for power, phase in enumerate(PHASES, 3)}
    fake_perf(
        models={
            "small": {
                "cycles": {"fixed": fixed, "per_image": 7},
                "instructions": {"fixed": 500, "per_image": 2},
                "task-clock": {"fixed": {"load": 12_345_678}},
            }
        }
    )
    events = "cycles,instructions,task-clock"
    runs = {region: counts_of(fake_worker, tmp_path, region, events) for region in ("process", *PHASES)}
    cycles = {region: int(run["cycles"][0]) for region, run in runs.items()}
    assert cycles == {
        **fixed,
        "process": sum(fixed.values()) + 70,
        "inference": fixed["inference"] + 70,
    }
    instructions = {region: run["instructions"][0] for region, run in runs.items()}
    assert instructions == {**dict.fromkeys(PHASES, "0"), "process": "520", "inference": "20"}
    assert runs["load"]["task-clock"][:2] == ["12.35", "msec"]
    assert runs["load"]["cycles"][3] == "12345678"


def test_a_model_is_found_by_its_runtime_too(fake_perf: FakePerf, fake_worker: FakeWorker, tmp_path: Path) -> None:
    fake_perf(models={"keras": {"cycles": {"per_image": 3}}})
    assert counts_of(fake_worker, tmp_path, "process", label="other", runtime="keras")["cycles"][0] == "30"


def test_noise_differs_by_run_and_not_by_folder(fake_perf: FakePerf, fake_worker: FakeWorker, tmp_path: Path) -> None:
    fake_perf(noise=0.01, seed=3)
    folders = [tmp_path / name for name in ("here", "there")]
    for folder in folders:
        folder.mkdir()
    here, there = (counts_of(fake_worker, folder, "process") for folder in folders)
    next_run = counts_of(fake_worker, folders[0], "process", output="0002.perf")
    assert here == there
    assert here["cycles"][0] != next_run["cycles"][0]
    assert int(next_run["cycles"][0]) == pytest.approx(3.061e9, rel=0.06)


def test_a_mistyped_truth_is_refused(fake_perf: FakePerf) -> None:
    fake_perf(unsuported=["cycles"])
    status, printed = stat("-e", "cycles", "true")
    assert status == 1
    assert "unsuported" in printed


@pytest.mark.parametrize("images", [0, 10])
def test_the_worker_leaves_a_completion_record(images: int, fake_worker: FakeWorker, tmp_path: Path) -> None:
    path = request(tmp_path, images=images, region=None)
    subprocess.run([*fake_worker, str(path)], check=True)
    text = (tmp_path / "record.json").read_text()
    record = from_json(Completion, text)
    assert tuple(record.phases) == PHASES
    assert len(record.latencies_ns) == len(record.top) == len(record.scores) == images
    assert record.phases["inference"].wall_ns == sum(record.latencies_ns)
    subprocess.run([*fake_worker, str(path)], check=True)
    assert (tmp_path / "record.json").read_text() == text


@pytest.mark.parametrize(
    ("fault", "status", "left"),
    [
        ("segv", -signal.SIGSEGV, None),
        ("norecord", 0, None),
        ("traceback", 1, None),
        ("error", 1, {"error": "the fake worker was told to fail", "remedy": "unset FAKE_WORKER"}),
    ],
)
def test_the_worker_fails_as_told(
    fault: str, status: int, left: dict[str, str] | None, fake_worker: FakeWorker, tmp_path: Path
) -> None:
    environment = {**os.environ, "FAKE_WORKER": json.dumps({"*": "norecord", "small": fault})}
    done = subprocess.run([*fake_worker, str(request(tmp_path))], env=environment, capture_output=True, check=False)
    record = tmp_path / "record.json"
    assert done.returncode == status
    assert (b"Traceback" in done.stderr) == (fault == "traceback")
    assert (json.loads(record.read_text()) if record.exists() else None) == left


def test_the_worker_hangs_inside_the_region(fake_worker: FakeWorker, tmp_path: Path) -> None:
    with Pipes() as pipes:
        environment = {
            **os.environ,
            "FAKE_WORKER": '{"small": "hang"}',
            "PROFILER_GATE": f"fd:{pipes.control}:{pipes.ack}",
        }
        command = [*fake_worker, str(request(tmp_path))]
        with subprocess.Popen(command, env=environment, pass_fds=pipes.fds) as process:
            os.write(pipes.acks, 2 * b"ack\n\0")
            received = b""
            while not received.endswith(b"enable\n"):
                received += os.read(pipes.commands, 64)
            assert process.poll() is None
            process.kill()
    assert received == b"disable\nenable\n"
    assert not (tmp_path / "record.json").exists()


def test_a_fault_strikes_only_where_and_as_often_as_told(fake_worker: FakeWorker, tmp_path: Path) -> None:
    fault = {"fault": "norecord", "when": {"images": 10, "region": "load"}, "once": str(tmp_path / "struck")}
    environment = {**os.environ, "FAKE_WORKER": json.dumps({"*": fault})}
    record = tmp_path / "record.json"

    def leaves_record(**fields: Any) -> bool:
        record.unlink(missing_ok=True)
        subprocess.run([*fake_worker, str(request(tmp_path, **fields))], env=environment, check=True)
        return record.exists()

    assert leaves_record(region="load", images=5)
    assert leaves_record(region="first")
    assert not leaves_record(region="load")
    assert leaves_record(region="load")


@pytest.mark.slow
def test_the_fake_is_like_the_perf_of_this_machine(fake_perf: FakePerf) -> None:
    real = shutil.which("perf")
    if real is None:
        pytest.skip("there is no perf on PATH")
    events = "task-clock:u,page-faults:u,context-switches:u"
    status, printed = stat("-e", events, "true", perf=real)
    if status:
        pytest.skip(f"perf counts nothing here: {printed.strip().splitlines()[:2]}")
    version = subprocess.run([real, "--version"], capture_output=True, text=True, check=True).stdout
    fake_perf(version=present(re.search(r"\d+\.\d+", version))[0])
    assert shutil.which("perf") != real
    outputs = []
    for perf in (real, "perf"):
        with Pipes() as pipes:
            client = pipes.client("ping", "disable", "enable", "disable")
            outputs.append(stat(*pipes.options, "-e", events, "--", *client, perf=perf, fds=pipes.fds))
    (real_status, really), (fake_status, fakely) = outputs
    assert shape(fakely) == shape(really)
    assert fake_status == real_status == 7


@pytest.mark.slow
def test_the_fake_attached_is_like_the_perf_of_this_machine(fake_perf: FakePerf, tmp_path: Path) -> None:
    real = shutil.which("perf")
    if real is None:
        pytest.skip("there is no perf on PATH")
    events = "{task-clock:u,page-faults:u,context-switches:u}"
    status, printed = stat("-e", events, "true", perf=real)
    if status:
        pytest.skip(f"perf counts nothing here: {printed.strip().splitlines()[:2]}")
    version = subprocess.run([real, "--version"], capture_output=True, text=True, check=True).stdout
    meter = tmp_path / "meter"
    meter.touch()
    fake_perf(version=present(re.search(r"\d+\.\d+", version))[0], meter=str(meter))
    commands = ("disable", "enable", "disable", "enable")
    (real_status, really), (fake_status, fakely) = (attached(perf, events, meter, *commands) for perf in (real, "perf"))
    assert shape(fakely) == shape(really)
    assert fake_status == real_status == -signal.SIGINT
