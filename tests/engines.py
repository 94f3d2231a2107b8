"""Marks of tests that need an engine, which `pip install -e '.[dev]'` alone does not bring."""

from importlib.util import find_spec

import pytest

NEEDS_LITERT = pytest.mark.skipif(find_spec("ai_edge_litert") is None, reason="no ai_edge_litert")
NEEDS_TENSORFLOW = pytest.mark.skipif(find_spec("tensorflow") is None, reason="no tensorflow")
