"""Draws one SVG from standard input to a PNG on standard output: `python svg_process.py WIDTH HEIGHT`.

A process of its own, because resvg ends the whole process when it runs out of memory. It runs no script and reads
no file and no address that a drawing names; whoever starts it has looked for them anyway, and ends it in time.
"""

import resource
import sys
from pathlib import Path

MEMORY = 1 << 30  # bytes
SECONDS = 15  # of a processor
FONT = "Reading Room Sans"  # for words in a font that this machine has not got: they must not vanish


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import resvg_py

    width, height = map(int, sys.argv[1:])
    drawn = resvg_py.svg_to_bytes(
        svg_string=sys.stdin.buffer.read().decode(),
        width=width,
        height=height,
        font_files=[str(Path(__file__).parent / "fonts" / "reading-room-sans.ttf")],
        font_family=FONT,
        serif_family=FONT,
        sans_serif_family=FONT,
    )
    sys.stdout.buffer.write(drawn)


if __name__ == "__main__":
    main()
