"""A real nginx in front of a site, in a folder of its own: no file of the system is read, no port of it is taken."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.live import free_port

CONFIGURATION = """daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass {behind}; {headers} }}
    }}
}}
"""


class Nginx:
    """A reverse proxy. Bare unless it is told otherwise: it passes no header that tells of itself or of the reader."""

    def __init__(self, executable: str, folder: Path, behind: str, headers: str = "") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "nginx.conf"
        file.write_text(CONFIGURATION.format(folder=folder, port=self.port, behind=behind, headers=headers))
        # -e: its own error log also before it has read its configuration; -g: root's nginx would change to nobody.
        alone = ["-g", "user root;"] if os.getuid() == 0 else []
        self.command = [executable, "-p", str(folder), "-c", str(file), "-e", str(folder / "error.log"), *alone]

    def __enter__(self) -> Nginx:
        self.process = subprocess.Popen(self.command)
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=5).close()
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
            else:
                return self
        self.__exit__()
        raise AssertionError(f"nginx does not answer at {self.url}")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)
