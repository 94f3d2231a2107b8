"""What was found of models, kept beside them."""

from pathlib import Path

import pytest
from made_networks import made_check

from profiler.errors import ProfilerError
from profiler.modelfile import ModelFile, checks
from profiler.modelfile.digest import file_sha256
from profiler.records import Check


def model(folder: Path, label: str) -> ModelFile:
    path = folder / f"{label}.tflite"
    path.write_text(label)
    return ModelFile(label, "litert", path)


class TestKept:
    def files(self, folder: Path) -> list[ModelFile]:
        return [model(folder, label) for label in "ab"]

    def made(self, file: ModelFile, agree: int = 250, **fields: object) -> Check:
        return made_check(file.label, file_sha256(file.path), agree, file=file.path.name, **fields)

    def test_what_is_kept_is_known_of_the_same_file_alone(self, tmp_path: Path) -> None:
        first, second = self.files(tmp_path)
        check = self.made(first)
        checks.store([check], [first, second])
        assert checks.known(first.path, check.sha256) == (check, None)
        assert checks.known(second.path, file_sha256(second.path)) == (None, None)
        assert checks.known(tmp_path / "elsewhere" / "a.tflite", check.sha256) == (None, None)

    def test_each_folder_keeps_its_own(self, tmp_path: Path) -> None:
        files = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            files.append(model(tmp_path / name, name))
        checks.store([self.made(file) for file in files], files)
        assert all((file.path.parent / checks.FILE).exists() for file in files)

    def test_other_files_are_kept_and_a_file_made_anew_is_replaced(self, tmp_path: Path) -> None:
        files = first, second = self.files(tmp_path)
        old = self.made(first)
        checks.store([old, self.made(second)], files)
        first.path.write_text("made anew")
        new = self.made(first, agree=200)
        checks.store([new], files)
        assert checks.known(first.path, new.sha256) == (new, None)
        assert checks.known(first.path, old.sha256) == (None, None)
        assert checks.known(second.path, file_sha256(second.path))[0] is not None

    def test_what_knows_less_replaces_nothing(self, tmp_path: Path) -> None:
        files = (file, _) = self.files(tmp_path)
        before = self.made(file, agree=100)
        fewer = self.made(file, answers=before.answers[:0])
        itself = self.made(file, reference=file.label)
        again = self.made(file, agree=101)
        for check, kept in ((before, before), (fewer, before), (itself, before), (again, again)):
            checks.store([check], files)
            assert checks.known(file.path, check.sha256) == (kept, None)

    @pytest.mark.parametrize(
        ("text", "lack"), [("{", "is damaged"), ('{"a": 1}', "is damaged"), ('{"schema": 9, "checks": {}}', "schema 9")]
    )
    def test_a_damaged_file_is_said_and_not_overwritten(self, tmp_path: Path, text: str, lack: str) -> None:
        file, _ = self.files(tmp_path)
        (tmp_path / checks.FILE).write_text(text)
        check, why = checks.known(file.path, file_sha256(file.path))
        assert check is None
        assert lack in str(why)
        with pytest.raises(ProfilerError, match=lack):
            checks.readable([file])
        with pytest.raises(ProfilerError, match=lack):
            checks.store([self.made(file)], [file])
        assert (tmp_path / checks.FILE).read_text() == text

    def test_a_folder_that_cannot_be_written_is_said(self, tmp_path: Path) -> None:
        file, _ = self.files(tmp_path)
        # Also root cannot open a folder as a file.
        (tmp_path / f"{checks.FILE}.part").mkdir()
        with pytest.raises(ProfilerError, match=f"cannot be kept in {tmp_path}"):
            checks.store([self.made(file)], [file])
        assert not (tmp_path / checks.FILE).exists()
