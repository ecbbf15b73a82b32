"""What exiftool reads in a file: a reader that others wrote, for all that a picture may say of itself."""

from __future__ import annotations

import json
import subprocess

# How the picture is encoded: nothing that tells who, where or with what it was taken.
STRUCTURE = {"ExifTool", "System", "Composite", "JFIF", "PNG", "PNG-pHYs", "RIFF", "QuickTime", "Meta", "GIF"}
ENCODING = {
    "FileType",
    "FileTypeExtension",
    "MIMEType",
    "ExifByteOrder",
    "ImageWidth",
    "ImageHeight",
    "EncodingProcess",
    "BitsPerSample",
    "ColorComponents",
    "YCbCrSubSampling",
}
CREDIT = {
    "IFD0:Artist": "artist",
    "IFD0:Copyright": "copyright",
    "XMP-dc:Creator": "creator",
    "XMP-dc:Rights": "notice",
    "XMP-photoshop:Credit": "credit line",
    "XMP-xmpRights:Marked": "marked",
    "XMP-xmpRights:WebStatement": "web statement",
    "XMP-xmpRights:UsageTerms": "usage terms",
}


def tags(*paths) -> list[dict[str, object]]:
    """All tags of files, one dictionary for each, as `group:tag`."""
    command = ["exiftool", "-json", "-G1", "-a", "-u", "-struct", *map(str, paths)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def credit(path) -> dict[str, object]:
    """The credit that a file carries."""
    return {CREDIT[name]: value for name, value in tags(path)[0].items() if name in CREDIT}


def beside_credit(found: dict[str, object]) -> list[str]:
    """The tags that are neither the credit, nor the colors, nor how the picture is encoded."""
    return [name for name in found if name not in {*CREDIT, "SourceFile"} and not is_structure(*name.split(":"))]


def is_structure(group: str, tag: str) -> bool:
    if group == "File":
        return tag in ENCODING
    if tag in {"Comment", "GPSPosition", "LensID"}:
        return False
    return group in STRUCTURE or group.startswith("ICC")
