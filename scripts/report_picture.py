"""Take the picture of a report that the README shows: report_picture.py PAGE PICTURE. It needs the extra `dev`."""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

COLOURS = 32
"""Enough for text and two accents; the file is a third of the full picture's."""


def main(page: Path, picture: Path) -> None:
    """Write the first screen of `page`, 1280 x 900, to `picture`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(page.resolve().as_uri())
        shot = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
        browser.close()
    shot.quantize(COLOURS).save(picture, optimize=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
