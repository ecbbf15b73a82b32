"""Where Chromium is, and how it is started without reaching out to anybody."""

from __future__ import annotations

import os
import shutil

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str:
    """The path of the browser: the variable CHROMIUM, else `chromium` on PATH; empty when there is none."""
    if "CHROMIUM" in os.environ:
        return os.environ["CHROMIUM"]
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
