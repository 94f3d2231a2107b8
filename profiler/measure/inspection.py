"""What can be said of one model file: what is in it, and what its engine says of it."""

from pathlib import Path

from profiler import modelfile
from profiler.errors import ProfilerError
from profiler.measure.run import Look, look
from profiler.modelfile import ModelFile
from profiler.modelfile.digest import file_sha256
from profiler.records import Network, Record


class Inspection(Record, frozen=True, kw_only=True):
    """One file.

    Attributes:
        look: What its engine tells; None for the reason in `look_lack`.
    """

    file: str
    sha256: str
    runtime: str
    network: Network
    look: Look | None
    look_lack: str | None


def inspect(path: Path, load: bool | None) -> Inspection:
    """Reads the file, and has its engine load it.

    Args:
        load: Whether the engine is asked; None asks LiteRT's, which answers at once, and not Keras's.

    Raises:
        ProfilerError: Not a model, or damaged.
    """
    model, facts = modelfile.alone(path), modelfile.facts(path)
    asked = model.runtime == "litert" if load is None else load
    found, lack = _look(model) if asked else (None, "--load asks it")
    return Inspection(
        file=path.name,
        sha256=file_sha256(path),
        runtime=model.runtime,
        network=facts,
        look=found,
        look_lack=lack,
    )


def _look(model: ModelFile) -> tuple[Look | None, str | None]:
    try:
        return look(model), None
    except ProfilerError as error:
        return None, str(error)
