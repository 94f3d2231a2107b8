"""Virtual boards: a Raspberry Pi's own programs on an emulated core, in the user's cache folder.

    system/           Debian's arm64 Python and the libraries it needs, for all boards
    sites/SITE/       a set of arm64 wheels: `litert`, `keras`
    boards/KEY-SITE/  the root of a board's file system: links to both, and what its kernel shows of its CPUs
    downloads/        apt's and pip's, until the setup is whole

Each is made under another name and renamed when it is whole. Nothing of the host's packages is read or changed, and
after the setup nothing is downloaded any more.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from profiler.errors import ProfilerError
from profiler.machine.host import user_cache
from profiler.records import R, from_json, to_json
from profiler.virtual import board, debian, folder, guest, run_tool, wheels
from profiler.virtual.board import Board
from profiler.virtual.debian import System
from profiler.virtual.wheels import Site

_RECORD = "whole.json"
_SYSTEM_MIB, _LITERT_MIB, _KERAS_MIB = 100, 250, 2500
"""Room for the system, and for the packages without and with TensorFlow. At the fullest it was 90, 140 and 1890 MiB
(Debian 12, LiteRT 2.3, TensorFlow 2.21), to which pip's copies of the wheels come where the package index lets it keep
them (45 and 360 MiB).
"""


class Virtual(NamedTuple):
    """A board that is set up.

    Attributes:
        key: `pi5`, `pi4`, `pi3`.
        root: The root of its file system, for QEMU.
        site: Its packages.
        python: Its Python in the root.
        cpu: QEMU's name of its core.
        packages: Versions of Python and of what was asked for, by name.
    """

    key: str
    title: str
    root: Path
    site: Path
    python: Path
    cpu: str
    packages: dict[str, str]


def setup(key: str, keras: bool, tell: Callable[[str], None], extra: Sequence[str] = ()) -> Virtual:
    """Sets a board up, or finds it set up; what an earlier setup left half made is made again.

    Args:
        keras: With TensorFlow.
        tell: Gets a line at every step.
        extra: Further packages, as pip names them.

    Raises:
        ProfilerError: No such board, no apt, no pip, no network, no room, or its Python does not run.
    """
    wanted = board.find(key)
    with folder.locked(_home(), tell):
        found = _search(key, keras, extra)
        if found is None:
            _make(wanted, keras, extra, tell)
            shutil.rmtree(_home() / "downloads", ignore_errors=True)
        else:
            _compare(found, tell)
            _prove(found, tell)
        return find(key, keras, extra)


def find(key: str, keras: bool, extra: Sequence[str] = ()) -> Virtual:
    """The board that has at least this, and the least beside it.

    Raises:
        ProfilerError: No such board, or it is not set up.
    """
    title = board.find(key).target.title
    found = _search(key, keras, extra)
    if found is None:
        others = [place for place in _boards() if _split(place)[0] == key]
        damaged = not all(map(_read, others))
        state = "is damaged" if damaged else "was set up with less than this" if others else "is not set up"
        raise ProfilerError(
            f"the virtual {title} {state}", f"profiler virtual setup {key}{' --keras' if keras else ''}"
        )
    return found


def installed() -> tuple[tuple[Virtual, int], ...]:
    """The boards that are set up, each with the bytes on the disk of all that it uses, what it shares included."""
    found = filter(None, map(_read, _boards()))
    return tuple((each, folder.size_bytes(each.root, each.site, _home() / "system")) for each in found)


def remove(key: str | None) -> int:
    """Removes a board, or all of them; what others share stays until the last goes.

    Returns:
        The bytes freed.

    Raises:
        ProfilerError: No such board.
    """
    if key is not None:
        board.find(key)
    home = _home()
    if not home.exists():
        return 0
    with folder.locked(home, lambda _line: None):
        before = folder.size_bytes(home)
        for place in (home / "boards").glob("*"):
            if key in (None, _split(place)[0]):
                shutil.rmtree(place)
        kept = {_split(place)[1] for place in _boards()}
        for site in (home / "sites").glob("*"):
            if site.name not in kept:
                shutil.rmtree(site)
        if kept:
            return before - folder.size_bytes(home)
        shutil.rmtree(home)
        return before


def command(virtual: Virtual, emulator: str, plugin: str | None) -> tuple[str, ...]:
    """The command of the board's Python, to which its arguments are added.

    Args:
        emulator: Path of qemu-aarch64.
        plugin: QEMU's plugin with its options.
    """
    return guest.command(emulator, plugin, virtual.root, virtual.cpu, _executable(virtual))


def environment(code: Path) -> dict[str, str]:
    """What is added to the environment of that command.

    Args:
        code: A folder from which the board's Python imports too.
    """
    return guest.environment(str(code))


def _make(wanted: Board, keras: bool, extra: Sequence[str], tell: Callable[[str], None]) -> None:
    """Makes what is not there whole: the system, the packages, the board."""
    home, site_name = _home(), _site_name(keras, extra)
    system = _system()
    site = _site(site_name, system)
    room = (0 if system else _SYSTEM_MIB) + (0 if site else _KERAS_MIB if keras else _LITERT_MIB)
    folder.require_room(home, room, wanted.target.title)
    if system is None:
        system = _make_system(tell)
    if site is None:
        site = _make_site(system, keras, extra, tell)
    with folder.making(home / "boards" / f"{wanted.key}-{site_name}") as part:
        up = Path("..", "..")
        board.build(part, wanted, up / "system", up / "sites" / site_name)
        _prove(_virtual(wanted, part, system, site), tell)


def _make_system(tell: Callable[[str], None]) -> System:
    home = _home()
    with folder.making(home / "system") as part:
        system = debian.unpack(part, home / "downloads", tell)
        tell(f"compiling the standard library{_slowly(system)}")
        guest.compile_all(part / system.library[1:], system.library, part, system)
        (part / _RECORD).write_bytes(to_json(system))
    return system


def _make_site(system: System, keras: bool, extra: Sequence[str], tell: Callable[[str], None]) -> Site:
    home, asked = _home(), wheels.requirements(keras, extra)
    base_name = _site_name(keras)
    base = _site(base_name, system) if extra else None
    tell("asking for arm64 wheels")
    with folder.making(home / "sites" / _site_name(keras, extra)) as part:
        wheels.install(part, extra if base else asked, base.versions if base else {}, system, home / "downloads", tell)
        if base:
            # The base's files get further names: TensorFlow's alone take more than a gigabyte.
            folder.link_tree(home / "sites" / base_name, part, _RECORD)
        tell(f"compiling the packages{_slowly(system)}")
        guest.compile_all(part, guest.SITE, home / "system", system)
        site = Site(system.minor, tuple(map(wheels.name, asked)), wheels.versions(part))
        (part / _RECORD).write_bytes(to_json(site))
    return site


def _slowly(system: System) -> str:
    return "" if guest.same_bytecode(system) else f" (by its own Python {system.minor}, emulated: this takes minutes)"


def _compare(found: Virtual, tell: Callable[[str], None]) -> None:
    """Says where this machine meanwhile has other versions than the board."""
    here = wheels.versions()
    for name, version in found.packages.items():
        if here.get(name, version) != version:
            tell(
                f"it has {name} {version}, this machine has {here[name]}: `profiler virtual remove` and set it up anew"
            )


def _prove(virtual: Virtual, tell: Callable[[str], None]) -> None:
    """Imports the board's engines under emulation.

    Raises:
        ProfilerError: They cannot be imported.
    """
    found = guest.emulator()
    if found is None:
        tell(f"qemu-aarch64 is not installed, so it was not tried: {guest.INSTALL}")
        return
    tell("trying it" + (" (TensorFlow takes half a minute)" if "tensorflow" in virtual.packages else ""))
    modules = ["numpy", "ai_edge_litert.interpreter", *(["tensorflow"] if "tensorflow" in virtual.packages else [])]
    status, output = run_tool.run(
        (*command(virtual, found, None), "-c", f"import {', '.join(modules)}"), guest.environment()
    )
    if status != 0:
        raise ProfilerError(
            f"the virtual {virtual.title} does not work ({run_tool.complaint(output)})",
            f"profiler virtual remove {virtual.key}, then set it up again",
        )


def _home() -> Path:
    return user_cache().absolute() / "virtual"


def _site_name(keras: bool, extra: Sequence[str] = ()) -> str:
    return "+".join(("keras" if keras else "litert", *sorted(map(wheels.name, extra))))


def _boards() -> list[Path]:
    """Roots of boards, whole or damaged."""
    return sorted(place for place in (_home() / "boards").glob("*-*") if place.suffix != folder.PART)


def _split(root: Path) -> tuple[str, str]:
    """The key of the board and the name of its site."""
    key, _, site_name = root.name.partition("-")
    return key, site_name


def _search(key: str, keras: bool, extra: Sequence[str]) -> Virtual | None:
    """Of the boards that are whole and have what is asked for the one with the least."""
    wanted = set(map(wheels.name, wheels.requirements(keras, extra)))
    found = [each for each in map(_read, _boards()) if each and each.key == key and wanted <= each.packages.keys()]
    return min(found, key=lambda each: len(each.packages), default=None)


def _read(root: Path) -> Virtual | None:
    """The board of that root; None where something of it is not there."""
    key, site_name = _split(root)
    system = _system()
    site = _site(site_name, system)
    if key not in board.known() or system is None or site is None or not (root / "proc" / "cpuinfo").exists():
        return None
    if (root / guest.SITE[1:]).resolve() != (_home() / "sites" / site_name).resolve():
        # Moved: the guest would not find its packages.
        return None
    return _virtual(board.find(key), root, system, site)


def _virtual(found: Board, root: Path, system: System, site: Site) -> Virtual:
    versions = {"python": system.python} | {name: site.versions[name] for name in site.asked}
    python = root / system.executable[1:]
    return Virtual(found.key, found.target.title, root, (root / guest.SITE[1:]).resolve(), python, found.cpu, versions)


def _executable(virtual: Virtual) -> str:
    """The path of the board's Python as the guest sees it."""
    return f"/{virtual.python.relative_to(virtual.root)}"


def _system() -> System | None:
    """The system, if it is whole."""
    place = _home() / "system"
    system = _record(place, System)
    return system if system and (place / system.executable[1:]).exists() else None


def _site(site_name: str, system: System | None) -> Site | None:
    """The packages of that name, if they are all there and for the system's Python."""
    place = _home() / "sites" / site_name
    site = _record(place, Site)
    if site is None or system is None or site.python != system.minor:
        return None
    return site if wheels.versions(place) == site.versions else None


def _record(place: Path, kind: type[R]) -> R | None:
    try:
        return from_json(kind, (place / _RECORD).read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
