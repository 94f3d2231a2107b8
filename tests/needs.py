"""Marks of tests that need what `pip install -e '.[dev]'` alone does not bring."""

import shutil
from importlib.util import find_spec

import pytest

NEEDS_LITERT = pytest.mark.skipif(find_spec("ai_edge_litert") is None, reason="no ai_edge_litert")
NEEDS_TENSORFLOW = pytest.mark.skipif(find_spec("tensorflow") is None, reason="no tensorflow")
NEEDS_COMPILER = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
