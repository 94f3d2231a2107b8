"""The frames as CSV files, one a frame: UTF-8, a head line, what is absent empty, moments in ISO 8601 (UTC)."""

from typing import TYPE_CHECKING, Any

from profiler.export.frames import StudyFrames
from profiler.export.tidy_tables import table

if TYPE_CHECKING:
    import pandas as pd


def files(study: StudyFrames, _name: str) -> dict[str, bytes]:
    """A file a frame, `runs.csv` and so on."""
    return {f"{name}.csv": _file(frame) for name, frame in study.tables.items()}


def _file(frame: "pd.DataFrame") -> bytes:
    return table(tuple(frame.columns), zip(*(_written(frame[name]) for name in frame.columns), strict=True))


def _written(column: "pd.Series[Any]") -> list[object]:
    """Whole numbers without a decimal point, moments in ISO 8601, None where there is nothing."""
    bare = column.astype(object).mask(column.isna(), None).tolist()
    if column.dtype == "Float64":
        return [int(value) if value is not None and value.is_integer() else value for value in bare]
    if column.dtype.kind == "M":
        return [value and value.isoformat() for value in bare]
    return bare
