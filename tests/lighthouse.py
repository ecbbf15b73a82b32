"""Lighthouse (npm package) on home, list and article of a site: the median of three runs for each category.

`python -m tests.lighthouse [--url URL]` needs Node.js and npx; without --url it starts a demo site of its own.
Exits 1 when a median lies under 95.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.chromium import ARGUMENTS, executable
from tests.screenshots import demo, first

VERSION = "13.5.0"
RUNS = 3
TRIES = 3  # a run that lost its trace (NO_NAVSTART) asks to be started again
GOAL = 95
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")


def scores(address: str, cache: Path) -> dict[str, float]:
    """One run of Lighthouse with its default (mobile) settings: category -> points of 100."""
    report = cache / "report.json"
    words = [
        *("npx", "--yes", f"lighthouse@{VERSION}", address, "--quiet", "--output=json", f"--output-path={report}"),
        *(f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags=--headless=new {' '.join(ARGUMENTS)}"),
    ]
    for left in reversed(range(TRIES)):
        done = subprocess.run(words, check=not left, env={**os.environ, "CHROME_PATH": executable()})
        if done.returncode == 0:
            break
    categories = json.loads(report.read_text())["categories"]
    return {name: categories[name]["score"] * 100 for name in CATEGORIES}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="measure this site instead of a fresh demo")
    options = parser.parse_args()
    worst = 100.0
    with demo(options.url) as url, tempfile.TemporaryDirectory() as cache:
        for path in ("/", "/resources/", first(url, "content.ArticlePage", "en")):
            runs = [scores(url + path, Path(cache)) for _ in range(RUNS)]
            medians = {name: statistics.median(run[name] for run in runs) for name in CATEGORIES}
            worst = min(worst, *medians.values())
            print(path, " ".join(f"{name} {points:.0f}" for name, points in medians.items()), flush=True)
    return int(worst < GOAL)


if __name__ == "__main__":
    sys.exit(main())
