"""What a worker is asked, as a sweep would ask it."""

import json
from pathlib import Path
from typing import Any, cast

from profiler.worker import Request


def asked(folder: Path, **fields: Any) -> Request:
    """Return a request for one image of LiteRT without a region; its record is to be in `folder`."""
    made = {
        "label": "litert",
        "runtime": "litert",
        "model": "m.tflite",
        "images": 1,
        "warmup": 1,
        "threads": 1,
        "call": "predict",
        "region": None,
        "pool": None,
        "camera": None,
        "record": str(folder / "record.json"),
        "look": False,
    }
    return cast(Request, made | fields)


def written(folder: Path, **fields: Any) -> Path:
    """Return the path of such a request, written to `folder`."""
    path = folder / "request.json"
    path.write_text(json.dumps(asked(folder, **fields)))
    return path
