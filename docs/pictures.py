"""Draw the pictures of README and site from the demo, with the browser that is there: `make pictures`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from culture_metrics.reporting.parts.browser import find_browser

#: Width, and height down to beneath the first figure, in pixels.
SIZE = (1280, 1960)
#: Milliseconds of the page's own time within which its figures are drawn.
PATIENCE = 20_000


def main(page: Path, picture: Path) -> None:
    """Save the top of a page as a picture."""
    browser = find_browser()
    if browser is None:
        sys.exit("No Chrome, Edge or Chromium was found: pictures are left as they are.")
    width, height = SIZE
    subprocess.run(
        [
            str(browser), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--virtual-time-budget={PATIENCE}", f"--window-size={width},{height}", f"--screenshot={picture}",
            page.resolve().as_uri(),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
