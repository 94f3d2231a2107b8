"""The command line, as a user's shell would start it."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent


def profiler(python: Path | str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-P", "-m", "profiler.cli", *arguments]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
