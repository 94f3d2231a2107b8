"""The browser that pages are tried in, and what a test of a page needs."""

import shutil
from importlib.util import find_spec

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_PACKAGES = ("playwright", "axe_playwright_python")

IN_A_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: sudo apt install chromium"),
    *(pytest.mark.skipif(find_spec(name) is None, reason=f"no {name}") for name in _PACKAGES),
]
