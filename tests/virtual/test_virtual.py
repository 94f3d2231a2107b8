"""Virtual boards. The real apt, dpkg-deb and pip set them up, from small packages of the real names; the emulator is a
stand-in.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from virtual_packages import (
    EXECUTABLE,
    MINOR,
    PYTHON,
    here,
    make_configuration,
    make_repository,
    make_wheel,
    make_wheels,
)

from profiler import virtual
from profiler.errors import ProfilerError
from profiler.virtual import debian, folder, guest, wheels

EMULATOR = """#!/bin/sh
echo "$0 $*" >> "$EMULATED"
test -z "$BROKEN" || { echo "Traceback"; echo "ImportError: $BROKEN"; exit 1; }
"""
PACKAGE = Path(virtual.__file__).parent.parent
KERAS = {"tensorflow": here("tensorflow"), "keras": here("keras")}
LITERT = {"python": f"{MINOR}.1", "ai-edge-litert": here("ai-edge-litert"), "numpy": here("numpy")}
STEPS = ("reading", "downloading", "unpacking", "compiling the s", "asking", "compiling the p", "trying")

HAS_APT = bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))
needs_apt = pytest.mark.skipif(not HAS_APT, reason="there is no apt here")


def silent(line: str) -> None:
    """Hears a setup's lines."""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Sources of apt and pip."""
    place = tmp_path_factory.mktemp("packages")
    apt = make_repository(place / "debs") if HAS_APT else Path(os.devnull)
    return SimpleNamespace(apt=apt, wheels=make_wheels(place / "wheels"))


@pytest.fixture
def home(tmp_path: Path, packages: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all boards, not there yet, with those sources and a stand-in for the emulator."""
    return settle(tmp_path, packages, monkeypatch)


def settle(tmp_path: Path, packages: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Path:
    programs = tmp_path / "programs"
    program(programs / "qemu-aarch64", EMULATOR)
    variables = {
        "XDG_CACHE_HOME": str(tmp_path / "a cache"),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "EMULATED": str(tmp_path / "emulated"),
        "APT_CONFIG": str(packages.apt),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(packages.wheels),
        "PIP_CONFIG_FILE": os.devnull,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "a cache" / "profiler" / "virtual"


def program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture(scope="module")
def made(packages: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pi5, also with Keras, and pi4, all whole."""
    with pytest.MonkeyPatch.context() as patch:
        place = settle(tmp_path_factory.mktemp("made"), packages, patch)
        virtual.setup("pi5", False, silent)
        virtual.setup("pi4", False, silent)
        virtual.setup("pi5", True, silent)
    return place


@pytest.fixture
def boards(home: Path, made: Path) -> Path:
    """The folder of all boards with those three."""
    copy = Path(shutil.copytree(made, home, symlinks=True))
    for link in copy.glob("boards/*/site"):
        here = copy / "sites" / link.readlink().name
        link.unlink()
        link.symlink_to(here.resolve())
    return copy


def names(place: Path) -> set[str]:
    return {entry.name for entry in place.iterdir()}


@needs_apt
def test_a_setup_is_whole(home: Path) -> None:
    told: list[str] = []
    found = virtual.setup("pi5", False, told.append)
    assert found == virtual.find("pi5", False)
    assert (found.key, found.title, found.cpu) == ("pi5", "Raspberry Pi 5", "cortex-a76")
    assert found.packages == LITERT
    assert found.python == found.root / EXECUTABLE[1:]
    assert found.python.read_text() == f"# {EXECUTABLE[1:]}\n"
    assert (found.root / "site").readlink() == found.site.resolve()
    assert (found.site / "numpy" / "__init__.py").samefile(found.root / "site" / "numpy" / "__init__.py")
    assert list((found.site / "numpy" / "__pycache__").glob("*.pyc"))
    assert list((found.root / "usr" / "lib" / PYTHON / "__pycache__").glob("os.*.pyc"))
    # The loader's path, which this release's packages leave to base-files; and nothing that no network needs.
    assert (found.root / "lib" / "ld-linux-aarch64.so.1").exists()
    assert not (home / "system" / "usr" / "share").exists()
    assert not (home / "system" / "usr" / "bin" / "dpkg").exists()
    assert names(home) == {"lock", "system", "sites", "boards"}
    assert names(home / "sites") == {"litert"}
    assert names(home / "boards") == {"pi5-litert"}
    assert len(told) == len(STEPS)
    assert all(line.startswith(step) for line, step in zip(told, STEPS, strict=True))
    assert "(4 packages)" in told[1]


@pytest.mark.slow
@needs_apt
def test_what_is_set_up_needs_no_network(boards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.environ["PATH"].split(os.pathsep)[0] + ":/nowhere")
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    before = {path: path.lstat().st_mtime_ns for path in boards.rglob("*") if path.parent != boards}
    # The emulator's stand-in is a shell script.
    program(Path(os.environ["PATH"].split(":")[0]) / "qemu-aarch64", "#!/bin/sh\n")
    assert virtual.setup("pi5", False, silent) == virtual.find("pi5", False)
    # A further board shares what is there.
    assert virtual.setup("pi3", False, silent).cpu == "cortex-a53"
    after = {path: path.lstat().st_mtime_ns for path in boards.rglob("*") if path.parent != boards}
    assert {path: when for path, when in after.items() if "pi3" not in str(path) and path.name != "boards"} == before


@pytest.mark.slow
@needs_apt
def test_an_interrupted_setup_is_no_setup_and_goes_on(home: Path) -> None:
    begun = []
    for step in STEPS:
        told: list[str] = []

        def interrupt(line: str, told: list[str] = told, step: str = step) -> None:
            told.append(line)
            if line.startswith(step):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            virtual.setup("pi5", False, interrupt)
        begun.append(told[0].split()[0])
        assert virtual.installed() == ()
        with pytest.raises(ProfilerError, match="is not set up"):
            virtual.find("pi5", False)
    # What was whole was not made again: the system by the sixth.
    assert begun == [*["reading"] * 5, "asking", "asking"]
    told = []
    virtual.setup("pi5", False, told.append)
    assert told == ["trying it"]


@pytest.mark.slow
@needs_apt
def test_a_killed_setup_goes_on_where_it_was(home: Path, tmp_path: Path) -> None:
    count = tmp_path / "count"
    fatal = f"""#!/bin/sh
echo "$3" >> {count}
test "$(wc -l < {count})" != 2 || kill -KILL $PPID
exec {shutil.which("dpkg-deb")} "$@"
"""
    program(tmp_path / "programs" / "dpkg-deb", fatal)
    code = "from profiler import virtual; virtual.setup('pi5', False, print)"
    killed = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (home / "system.part").exists()
    debs = {path: path.stat().st_mtime_ns for path in (home / "downloads" / "debs").iterdir()}
    assert len(debs) == 4
    copied: dict[Path, int] = {}

    def look(line: str) -> None:
        if line.startswith("unpacking"):
            copied.update({path: path.stat().st_mtime_ns for path in debs})

    assert virtual.setup("pi5", False, look).packages == LITERT
    assert copied == debs
    assert names(home) == {"lock", "system", "sites", "boards"}


@needs_apt
def test_two_setups_at_once_take_turns(boards: Path) -> None:
    waiting, told = threading.Event(), []

    def tell(line: str) -> None:
        told.append(line)
        waiting.set()

    with (boards / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = threading.Thread(target=virtual.setup, args=("pi5", False, tell))
        thread.start()
        assert waiting.wait(30)
        assert told == ["waiting for another setup to end"]
    thread.join(30)
    assert told[1:] == ["trying it"]


def test_a_folder_that_goes_while_one_waits_for_it(home: Path) -> None:
    waiting, held = threading.Event(), []

    def hold() -> None:
        with folder.locked(home, lambda _line: waiting.set()):
            held.append((home / "lock").exists())

    home.mkdir(parents=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = threading.Thread(target=hold)
        thread.start()
        assert waiting.wait(30)
        shutil.rmtree(home)
    thread.join(30)
    assert held == [True]


@needs_apt
def test_packages_for_another_python_are_none(boards: Path) -> None:
    record = boards / "system" / "whole.json"
    (boards / "system" / "usr" / "bin" / "python3.99").touch()
    record.write_text(record.read_text().replace(f"{MINOR}.1", "3.99.1"))
    assert virtual.installed() == ()


@needs_apt
def test_keras_and_more_stand_beside(boards: Path) -> None:
    assert virtual.find("pi5", False).packages == LITERT
    keras = virtual.find("pi5", True)
    assert keras.packages == LITERT | KERAS
    more = virtual.setup("pi5", True, silent, ["more"])
    assert more.packages == LITERT | KERAS | {"more": "3.0"}
    for file in ("tensorflow/__init__.py", "numpy/__init__.py"):
        assert (more.site / file).samefile(keras.site / file)
    assert not (more.site / "whole.json").samefile(keras.site / "whole.json")
    assert virtual.find("pi5", True, ["more"]) == virtual.find("pi5", False, ["more"]) == more
    assert virtual.find("pi5", True) == keras
    with pytest.raises(ProfilerError, match="Pi 4 was set up with less than this: profiler virtual setup pi4 --keras"):
        virtual.find("pi4", True)


@needs_apt
def test_a_board_with_more_will_do(boards: Path) -> None:
    shutil.rmtree(boards / "boards" / "pi5-litert")
    assert virtual.setup("pi5", False, silent) == virtual.find("pi5", False) == virtual.find("pi5", True)
    assert "import numpy, ai_edge_litert.interpreter, tensorflow" in Path(os.environ["EMULATED"]).read_text()
    assert names(boards / "boards") == {"pi4-litert", "pi5-keras"}


@needs_apt
def test_boards_are_removed_with_what_nobody_shares(boards: Path) -> None:
    whole = folder.size_bytes(boards)
    sizes = [size for _, size in virtual.installed()]
    assert all(0 < size <= whole for size in sizes)
    freed = virtual.remove("pi5")
    assert freed == whole - folder.size_bytes(boards) > 0
    assert names(boards / "boards") == {"pi4-litert"}
    assert names(boards / "sites") == {"litert"}
    assert [found.key for found, _ in virtual.installed()] == ["pi4"]
    assert virtual.remove("pi5") == 0
    assert virtual.remove("pi4") > 0
    assert not boards.exists()
    assert virtual.remove(None) == 0


@needs_apt
def test_all_are_removed(boards: Path) -> None:
    (boards / "downloads").mkdir()
    size = folder.size_bytes(boards)
    assert virtual.remove(None) == size
    assert not boards.exists()


@needs_apt
@pytest.mark.parametrize(
    "lost", [f"system{EXECUTABLE}", "system/whole.json", "sites/litert/whole.json", "boards/pi5-litert/proc/cpuinfo"]
)
def test_a_damaged_board_is_mended(lost: str, boards: Path) -> None:
    shutil.rmtree(boards / "boards" / "pi5-keras")
    (boards / lost).unlink()
    with pytest.raises(ProfilerError, match=r"Pi 5 is damaged: profiler virtual setup pi5$"):
        virtual.find("pi5", False)
    assert virtual.setup("pi5", False, silent).packages == LITERT
    assert (boards / lost).exists()


@needs_apt
def test_a_folder_that_was_moved_is_damaged(boards: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    boards.rename(tmp_path / "virtual")
    monkeypatch.setattr(virtual, "user_cache", lambda: tmp_path)
    assert virtual.installed() == ()
    with pytest.raises(ProfilerError, match="is damaged: profiler virtual setup pi5"):
        virtual.find("pi5", False)


@needs_apt
def test_a_lost_package_is_damage(boards: Path) -> None:
    shutil.rmtree(boards / "sites" / "litert" / f"numpy-{here('numpy')}.dist-info")
    assert [found.root.name for found, _ in virtual.installed()] == ["pi5-keras"]
    virtual.setup("pi4", False, silent)
    assert [found.root.name for found, _ in virtual.installed()] == ["pi4-litert", "pi5-keras", "pi5-litert"]


@needs_apt
def test_a_board_that_does_not_run_is_none(boards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKEN", "no numpy")
    for key in ("pi3", "pi4"):
        remedy = f"profiler virtual remove {key}, then set it up again"
        with pytest.raises(ProfilerError, match=rf"does not work \(ImportError: no numpy\): {remedy}"):
            virtual.setup(key, False, silent)
    assert names(boards / "boards") >= {"pi3-litert.part", "pi4-litert"}
    assert virtual.remove("pi3") > 0
    assert names(boards / "boards") == {"pi4-litert", "pi5-keras", "pi5-litert"}


@needs_apt
def test_without_an_emulator_it_is_not_tried(boards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest, "emulator", lambda: None)
    told: list[str] = []
    virtual.setup("pi3", False, told.append)
    assert told == ["qemu-aarch64 is not installed, so it was not tried: sudo apt install qemu-user"]


@needs_apt
def test_another_python_compiles_by_the_guest(boards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = debian.System("3.7.3", "2.28")
    assert not guest.same_bytecode(other)
    with pytest.raises(ProfilerError, match="cannot be compiled"):
        guest.compile_all(boards / "system" / "etc", "/etc", boards / "system", other)
    assert "/usr/bin/python3.7 -P -s -S -m compileall" in Path(os.environ["EMULATED"]).read_text()
    monkeypatch.setattr(guest, "emulator", lambda: None)
    with pytest.raises(ProfilerError, match=r"Python 3.7 is not this Python, and qemu-aarch64 is not installed"):
        guest.compile_all(boards / "system" / "etc", "/etc", boards / "system", other)


@needs_apt
def test_newer_versions_here_are_told(boards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "versions", lambda place=None: {**LITERT, "numpy": "99"} if place is None else LITERT)
    told: list[str] = []
    virtual._compare(virtual.Virtual("pi5", "", boards, boards, boards, "", LITERT), told.append)
    assert told == [f"it has numpy {here('numpy')}, this machine has 99: `profiler virtual remove` and set it up anew"]


def test_unknown_boards_and_packages(home: Path) -> None:
    for call in (lambda: virtual.setup("pi6", False, silent), lambda: virtual.remove("pi6")):
        with pytest.raises(ProfilerError, match="no virtual board 'pi6': use one of pi5, pi4, pi3"):
            call()
    with pytest.raises(
        ProfilerError, match="the virtual Raspberry Pi 5 is not set up: profiler virtual setup pi5 --ke"
    ):
        virtual.find("pi5", True)
    with pytest.raises(ProfilerError, match="'; rm' is not a Python package's name"):
        virtual.setup("pi5", False, silent, ["; rm"])
    assert not home.exists() or names(home) == {"lock"}


def test_no_apt(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ProfilerError, match="there is no apt-get"):
        virtual.setup("pi5", False, silent)


@needs_apt
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("deb [trusted=yes] file:/nowhere ./", "apt could not download Debian's arm64 package lists: .*/nowhere"),
        ("# none", "this machine's apt sources have no arm64 python3"),
    ],
)
def test_sources_of_no_use(source: str, said: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APT_CONFIG", str(make_configuration(tmp_path, source)))
    with pytest.raises(ProfilerError, match=said):
        virtual.setup("pi5", False, silent)


@needs_apt
def test_a_network_that_goes_away(home: Path, packages: SimpleNamespace) -> None:
    deb = packages.apt.parent / "libc6.deb"
    deb.rename(deb.with_suffix(".gone"))
    try:
        with pytest.raises(
            ProfilerError, match=r"apt could not download Debian's arm64 Python: .*libc6.*: check the ne"
        ):
            virtual.setup("pi5", False, silent)
    finally:
        deb.with_suffix(".gone").rename(deb)


@needs_apt
@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Cannot open: Not a directory", r"deb cannot be unpacked \(./a: Cannot open: Not a directory\): run it again"),
        ("Cannot write: No space left on device", r"no space is left in .*virtual: free some, or set XDG_CACHE_HOME"),
    ],
)
def test_a_package_that_cannot_be_unpacked(reason: str, said: str, home: Path, tmp_path: Path) -> None:
    text = f"#!/bin/sh\necho 'tar: ./a: {reason}'; echo 'dpkg-deb: error: tar failed'; exit 2\n"
    program(tmp_path / "programs" / "dpkg-deb", text)
    with pytest.raises(ProfilerError, match=said):
        virtual.setup("pi5", False, silent)


@pytest.mark.slow
@needs_apt
def test_versions_that_arm64_has_not(boards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(boards / "sites")
    make_wheel(tmp_path / "other", "numpy", "0.1")
    make_wheel(tmp_path / "other", "ai-edge-litert", here("ai-edge-litert"))
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "other"))
    told: list[str] = []
    assert virtual.setup("pi5", False, told.append).packages == LITERT | {"numpy": "0.1"}
    assert told[1] == "not all of this machine's versions can be had for arm64; trying others"
    shutil.rmtree(boards / "sites")
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    with pytest.raises(ProfilerError, match=r"pip could not install the arm64 packages: .*ai-edge-litert"):
        virtual.setup("pi5", False, silent)


@needs_apt
def test_no_package_index(boards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(boards / "sites")
    # A port where nobody listens: reserved, and refused at once.
    for name, value in {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:1/", "PIP_RETRIES": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_FIND_LINKS")
    with pytest.raises(
        ProfilerError, match=r"pip could not reach the package index \(Connection refused\): check the n"
    ):
        virtual.setup("pi5", False, silent)


@needs_apt
def test_no_pip(boards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(boards / "sites")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "bin" / "python"))
    with pytest.raises(ProfilerError, match=r"this Python has no pip: .*venv/bin/python -m ensurepip"):
        virtual.setup("pi5", False, silent)


def test_no_room(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=50 * 2**20))
    with pytest.raises(ProfilerError, match=r"Pi 5 needs about 350 MiB in .*, where 50 MiB are free"):
        virtual.setup("pi5", False, silent)
    with pytest.raises(ProfilerError, match=r"needs about 2600 MiB"):
        virtual.setup("pi5", True, silent)


def test_a_disk_that_fills(home: Path) -> None:
    with pytest.raises(ProfilerError, match=r"no space is left in .*virtual"), folder.locked(home, silent):
        Path("/dev/full").write_text("a page and more" * 1000)


def test_a_folder_that_cannot_be(home: Path) -> None:
    home.parent.parent.mkdir(parents=True)
    home.parent.write_text("not a folder")
    with pytest.raises(ProfilerError, match=r"virtual cannot be written \(.*\): set XDG_CACHE_HOME"):
        virtual.setup("pi5", False, silent)
