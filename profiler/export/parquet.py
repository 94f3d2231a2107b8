"""The frames as Parquet files, one a frame; `pandas.read_parquet` gives back the same frames, dtypes included."""

import io
from importlib.util import find_spec

from profiler.errors import ProfilerError
from profiler.export.frames import StudyFrames


def files(study: StudyFrames, _name: str) -> dict[str, bytes]:
    """A file a frame, `runs.parquet` and so on.

    Raises:
        ProfilerError: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise ProfilerError("pyarrow is not installed, which writes Parquet", "pip install pyarrow")
    made = {}
    for name, frame in study.tables.items():
        file = io.BytesIO()
        frame.to_parquet(file, engine="pyarrow", index=False)
        made[f"{name}.parquet"] = file.getvalue()
    return made
