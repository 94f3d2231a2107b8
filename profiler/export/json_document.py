"""The study and its runs as one JSON document."""

from msgspec.structs import replace

from profiler import records
from profiler.export import pyperf_metadata
from profiler.export.frames import StudyFrames
from profiler.records import Record, to_json

DOCUMENT = 1
"""Version of the document's own frame; that of the study in it is `study.schema`."""


class Document(Record, frozen=True, kw_only=True):
    """What the file holds.

    Attributes:
        document: Version of this frame.
        metadata: The machine under pyperf's names.
        study: As study.json holds it, in the newest schema.
        runs: As runs.jsonl holds them, in order.
    """

    document: int
    metadata: dict[str, pyperf_metadata.Value]
    study: records.Study
    runs: tuple[records.Run, ...]


def files(study: StudyFrames, name: str) -> dict[str, bytes]:
    """One line of JSON; `from_json(Document, ...)` reads it."""
    document = Document(
        document=DOCUMENT,
        metadata=pyperf_metadata.of_study(study.record),
        study=replace(study.record, schema=records.SCHEMA),
        runs=study.run_records,
    )
    return {name: to_json(document) + b"\n"}
