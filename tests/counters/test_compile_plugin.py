"""Compiling on first use, with the system's compiler."""

import ctypes
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from needs import NEEDS_COMPILER

from profiler.counters import UnusableError, compile_plugin

Fake = Callable[[str], None]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's empty cache folder; the compiler is the default one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    """A source whose `answer` is 41 more than its header's number."""
    folder = tmp_path / "sources"
    folder.mkdir()
    header, source = folder / "number.h", folder / "answer.c"
    header.write_text("#define NUMBER 1\n")
    source.write_text(
        '#include "number.h"\n'
        '__attribute__((visibility("default"))) int answer(void) { return 41 + NUMBER; }\n'
        "int hidden(void) { return 0; }\n"
    )
    return [header, source]


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Makes CC name a program with the given text."""

    def install(text: str) -> None:
        path = tmp_path / "fake-cc"
        path.write_text(text)
        path.chmod(0o755)
        monkeypatch.setenv("CC", str(path))

    return install


def never(*_arguments: Any, **_options: Any) -> None:
    raise AssertionError("compiled again")


@NEEDS_COMPILER
def test_a_library_is_made_and_answers(cache: Path, sources: list[Path]) -> None:
    made = compile_plugin.library("answer", sources)
    assert made.parent == cache / "profiler" / "build"
    assert made.name.startswith("answer-")
    library = ctypes.CDLL(str(made))
    assert library.answer() == 42
    with pytest.raises(AttributeError):
        _ = library.hidden


@NEEDS_COMPILER
def test_nothing_is_left_beside_it(cache: Path, sources: list[Path]) -> None:
    made = compile_plugin.library("answer", sources)
    assert list(made.parent.iterdir()) == [made]


@NEEDS_COMPILER
def test_it_is_made_once(cache: Path, sources: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    made = compile_plugin.library("answer", sources)
    monkeypatch.setattr(subprocess, "run", never)
    assert compile_plugin.library("answer", list(reversed(sources))) == made


@NEEDS_COMPILER
@pytest.mark.parametrize("changed", [0, 1])
def test_a_changed_source_or_header_is_another_library(cache: Path, sources: list[Path], changed: int) -> None:
    before = compile_plugin.library("answer", sources)
    text = sources[changed].read_text()
    sources[changed].write_text(text.replace("NUMBER 1", "NUMBER 2").replace("41", "42"))
    after = compile_plugin.library("answer", sources)
    assert after != before
    assert ctypes.CDLL(str(after)).answer() == 43


@NEEDS_COMPILER
def test_another_instruction_set_is_another_library(
    cache: Path, sources: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = compile_plugin.library("answer", sources)
    monkeypatch.setattr(platform, "machine", lambda: "pdp11")
    assert compile_plugin.library("answer", sources) != before


@NEEDS_COMPILER
def test_headers_are_found_in_the_folders_given(cache: Path, sources: list[Path], tmp_path: Path) -> None:
    elsewhere = tmp_path / "include"
    elsewhere.mkdir()
    header = sources[0].rename(elsewhere / sources[0].name)
    with pytest.raises(UnusableError, match=r"number\.h"):
        compile_plugin.library("answer", [header, sources[1]])
    made = compile_plugin.library("answer", [header, sources[1]], [elsewhere])
    assert ctypes.CDLL(str(made)).answer() == 42


@NEEDS_COMPILER
def test_cc_may_name_options_too(cache: Path, sources: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    plain = compile_plugin.library("answer", sources)
    monkeypatch.setenv("CC", f"{shutil.which('cc')} -DUNUSED")
    assert compile_plugin.library("answer", sources) != plain


@NEEDS_COMPILER
def test_many_at_once_make_one_whole_library(cache: Path, sources: list[Path]) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: compile_plugin.library("answer", sources), range(8)))
    assert len(made) == 1
    assert list(next(iter(made)).parent.iterdir()) == list(made)
    assert ctypes.CDLL(str(made.pop())).answer() == 42


def refusal(sources: list[Path]) -> UnusableError:
    with pytest.raises(UnusableError) as caught:
        compile_plugin.library("answer", sources)
    assert "\n" not in str(caught.value)
    return caught.value


def test_no_compiler(cache: Path, sources: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    error = refusal(sources)
    assert error.cause == "there is no C compiler 'cc'"
    assert "apt install gcc" in error.remedy


def test_a_compiler_that_is_not_there(cache: Path, sources: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-cc -O2")
    assert refusal(sources).cause == "there is no C compiler 'no-such-cc'"


@NEEDS_COMPILER
def test_a_source_that_does_not_compile(cache: Path, sources: list[Path]) -> None:
    sources[1].write_text('#warning "beside the point"\n#error "that is the point"\n')
    assert "that is the point" in refusal(sources).cause
    assert list((cache / "profiler" / "build").iterdir()) == []


@pytest.mark.parametrize(
    ("program", "cause"),
    [
        ("#!/bin/sh\necho 'fake-cc: out of memory' >&2\nexit 4\n", "(fake-cc: out of memory)"),
        ("#!/bin/sh\nexit 1\n", "(it says nothing)"),
        ("\0", "fake-cc cannot be run (Exec format error)"),
    ],
)
def test_a_compiler_that_fails(cache: Path, sources: list[Path], compiler: Fake, program: str, cause: str) -> None:
    compiler(program)
    assert cause in refusal(sources).cause


def test_a_compiler_that_does_not_end(
    cache: Path, sources: list[Path], compiler: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compile_plugin, "COMPILE_LIMIT_S", 0.05)
    compiler("#!/bin/sh\nexec sleep 600\n")
    error = refusal(sources)
    assert error.cause == "fake-cc takes longer than 0.05 s"
    assert "CC" in error.remedy


@NEEDS_COMPILER
def test_a_cache_folder_that_cannot_be_written(
    sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    error = refusal(sources)
    assert f"{tmp_path / 'file'}{os.sep}" in error.cause
    assert "XDG_CACHE_HOME" in error.remedy
