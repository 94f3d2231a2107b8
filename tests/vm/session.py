"""The virtual machines' answers, once a test session, for every test that wants them."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from reading import present
from vm import guest
from vm.image import Image, UnavailableError, image

from profiler import store
from profiler.records import Region, Run, Study
from profiler.virtual import folder

BOOT_LIMIT_S = 900


class Answers(NamedTuple):
    """What the payloads left.

    Attributes:
        study: Of `study.sh` on a Cortex-A76.
        levels: Of `levels.sh` on a Cortex-A72.
        live: Of `live.sh` on a Cortex-A76.
    """

    study: Path
    levels: Path
    live: Path

    def swept(self) -> tuple[Study, tuple[Run, ...]]:
        """The study that the guest made."""
        return store.load(self.study / "runs/study")

    def instructions(self, region: Region) -> dict[int, list[int]]:
        """Instructions of each run of a region, by images."""
        found: dict[int, list[int]] = {}
        for run in self.swept()[1]:
            if run.case.region == region:
                values = [int(present(count.value)) for count in run.counts if count.event == "inst_retired"]
                found.setdefault(run.case.images, []).extend(values)
        return found

    def instructions_an_image(self) -> float:
        """What the PMU counts for one more image in the region `inference`, user and kernel."""
        means = {images: sum(values) / len(values) for images, values in self.instructions("inference").items()}
        fewest, most = min(means), max(means)
        return (means[most] - means[fewest]) / (most - fewest)


def answers(factory: pytest.TempPathFactory) -> Answers:
    """Builds the image and boots the machines, or skips the test with the reason why that cannot be here."""
    try:
        disk = image()
    except UnavailableError as error:
        pytest.skip(f"no virtual machine with a PMU: {error}")
    mine = factory.getbasetemp()
    # Processes that share the tests out (pytest-xdist) have a folder each, in the session's own.
    return _booted(disk, (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "vm")


@cache
def _booted(disk: Image, place: Path) -> Answers:
    """The answers in `place`, from the first process of the session that wants them."""
    found = Answers(place / "study", place / "levels", place / "live")
    done = place / "done"
    with folder.locked(place, lambda _line: None):
        if not done.exists():
            _boot_all(disk, found)
            done.touch()
    return found


def _boot_all(disk: Image, found: Answers) -> None:
    with ThreadPoolExecutor() as pool:
        boots = (
            pool.submit(guest.boot, disk, guest.CORTEX_A76, "study.sh", found.study, BOOT_LIMIT_S),
            pool.submit(guest.boot, disk, guest.CORTEX_A72, "levels.sh", found.levels, BOOT_LIMIT_S),
            pool.submit(guest.boot, disk, guest.CORTEX_A76, "live.sh", found.live, BOOT_LIMIT_S),
        )
        for boot in boots:
            boot.result()


def said(folder: Path, name: str, where: str = "out") -> str:
    """What a command of a payload printed, to `out` or to `err`."""
    return (folder / f"{name}.{where}").read_text()


def status(folder: Path, name: str) -> int:
    """How that command ended."""
    return int(said(folder, name, "status"))
