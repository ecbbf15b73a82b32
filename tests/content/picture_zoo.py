"""Pictures of every kind, made on the spot: modes, formats, orientations, profiles, animations, drawings."""

import struct
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops, ImageCms

HEIC = Path(__file__).parent.parent / "data" / "pictures" / "red-and-blue.heic"
RED, GREEN, BLUE = (230, 20, 20), (20, 200, 20), (20, 20, 230)
MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "TIFF": ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "I;16", "I;16B", "I", "F"),
    "JPEG": ("1", "L", "RGB", "RGBX", "CMYK", "YCbCr"),
    "GIF": ("1", "L", "P", "RGB", "RGBA"),
    "WEBP": ("L", "LA", "P", "RGB", "RGBA"),
    "AVIF": ("L", "LA", "RGB", "RGBA"),
}
ENDINGS = {"JPEG": "jpg", "TIFF": "tif"}


def photo(size=(120, 80)):
    """A picture with thousands of colors, as a camera makes it."""
    across = Image.linear_gradient("L").resize(size)
    around = Image.radial_gradient("L").resize(size)
    return Image.merge("RGB", (across, around, ImageChops.invert(across)))


def flag(size=(48, 32), colors=(RED, BLUE, GREEN, (250, 250, 250))):
    """Four colors, clockwise from the upper left corner: which way up it is can be seen."""
    image = Image.new("RGB", size)
    half = (size[0] // 2, size[1] // 2)
    for place, color in zip(((0, 0), (half[0], 0), half, (0, half[1])), colors, strict=True):
        image.paste(color, (*place, place[0] + half[0], place[1] + half[1]))
    return image


def in_mode(image, mode):
    if mode.startswith("I;16") or mode == "I":
        return image.convert("L").convert("I").point(lambda value: value * 257).convert(mode)
    if mode == "F":
        return image.convert("L").convert("F").point(lambda value: value * (1 / 255))
    if mode == "LAB":
        return ImageCms.profileToProfile(
            image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    if mode in ("LA", "PA", "RGBA"):
        image = image.convert("RGBA")
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    if mode == "PA":
        palette, alpha = image.convert("RGB").convert("P"), image.getchannel("A")
        image = palette.convert("PA")
        image.putalpha(alpha)
        return image
    return image.convert(mode)


def encoded(image, kind, **options):
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def ending(kind):
    return ENDINGS.get(kind, kind.lower())


def of_every_mode():
    """File name and bytes of a picture in every mode that each format can hold."""
    for kind, modes in MODES.items():
        for mode in modes:
            yield f"{kind}-{mode.replace(';', '')}.{ending(kind)}", encoded(in_mode(photo(), mode), kind)
    transparent = photo().convert("P")
    yield "PNG-P-transparent.png", encoded(transparent, "PNG", transparency=3)
    yield "PNG-RGB-transparent.png", encoded(photo(), "PNG", transparency=(0, 0, 0))
    yield "GIF-transparent.gif", encoded(transparent, "GIF", transparency=3)
    yield "TIFF-jpeg.tiff", encoded(photo(), "TIFF", compression="jpeg")
    yield "TIFF-lzw.tiff", encoded(photo(), "TIFF", compression="tiff_lzw")
    yield "JPEG-progressive.jpeg", encoded(photo(), "JPEG", progressive=True)
    yield "WEBP-lossless.webp", encoded(photo(), "WEBP", lossless=True)
    yield "HEIF.heic", HEIC.read_bytes()


def turned(kind, orientation):
    """The flag, kept as a camera held at an angle keeps it, with the EXIF orientation that puts it right."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    image = flag() if undo is None else flag().transpose(undo)
    options = {"quality": 95} if kind in ("JPEG", "WEBP", "AVIF") else {}
    return encoded(image, kind, exif=exif, **options)


def turned_every_way():
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
        for orientation in range(1, 9):
            yield f"{kind}-turned-{orientation}.{ending(kind)}", turned(kind, orientation)


def in_every_size(most_pixels):
    """From one pixel to the most that are taken, in shapes that no page was made for."""
    for size in ((1, 1), (1, 2), (2, 1), (1, 3000), (3000, 1), (17_000, 3), (3, 17_000), (most_pixels // 8000, 8000)):
        yield f"size-{size[0]}x{size[1]}.png", encoded(Image.new("RGB", size, RED), "PNG")


# --- Profiles (ICC.1:2010), small ones whose effect can not be overlooked


def _profile(space, tags, connection=b"XYZ "):
    body, table, offset = b"", struct.pack(">I", len(tags)), 128 + 4 + 12 * len(tags)
    for name, data in tags:
        data += b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", 132 + 12 * len(tags) + len(body), b"", 0x02400000, b"prtr", space, connection)
    header += struct.pack(">6H4s4s", 2026, 1, 1, 0, 0, 0, b"acsp", b"").ljust(44, b"\0")
    header += struct.pack(">III", 0x0000F6D6, 0x00010000, 0x0000D32D)
    return header.ljust(128, b"\0") + table + body


def _number(value):
    return struct.pack(">i", round(value * 65536))


def _point(*values):
    return b"XYZ \0\0\0\0" + b"".join(map(_number, values))


def _described(words):
    text = words.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78


def _curve(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


def profile_that_swaps_red_and_green():
    red, green, blue = (0.436, 0.222, 0.014), (0.385, 0.717, 0.097), (0.143, 0.061, 0.714)
    curves = [(name, _curve(2.2)) for name in (b"rTRC", b"gTRC", b"bTRC")]
    points = [(b"rXYZ", _point(*green)), (b"gXYZ", _point(*red)), (b"bXYZ", _point(*blue))]
    named = [(b"desc", _described("Swapped")), (b"cprt", b"text\0\0\0\0none\0"), (b"wtpt", _point(0.964, 1, 0.825))]
    return _profile(b"RGB ", [*named, *points, *curves])


def profile_of_bright_gray():
    named = [(b"desc", _described("Bright gray")), (b"cprt", b"text\0\0\0\0none\0")]
    return _profile(b"GRAY", [*named, (b"wtpt", _point(0.964, 1, 0.825)), (b"kTRC", _curve(1.0))])


def profile_with_a_red_ink_for_cyan():
    """Paper is white, cyan ink red, and all other inks black."""
    white, red, black = (255, 128, 128), (136, 208, 195), (0, 128, 128)
    corners = b""
    for corner in range(16):
        corners += bytes(white if corner == 0 else red if corner == 8 else black)
    ramp = bytes(range(256))
    identity = b"".join(map(_number, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + ramp * 4 + corners + ramp * 3
    named = [(b"desc", _described("Red for cyan")), (b"cprt", b"text\0\0\0\0none\0")]
    return _profile(b"CMYK", [*named, (b"wtpt", _point(0.964, 1, 0.825)), (b"A2B0", table)], connection=b"Lab ")


# --- Several pictures in one file


def of_several_pictures():
    frames = [Image.new("RGB", (40, 30), color) for color in (RED, BLUE, GREEN)]
    more = {"save_all": True, "append_images": frames[1:]}
    yield "animated.gif", encoded(frames[0], "GIF", **more)
    yield "animated.webp", encoded(frames[0], "WEBP", lossless=True, **more)
    yield "animated.png", encoded(frames[0], "PNG", **more)
    yield "animated.avif", encoded(frames[0], "AVIF", **more)
    yield "pages.tiff", encoded(frames[0], "TIFF", **more)


def with_private_facts():
    """A photograph that says where and with what it was taken, with a preview inside."""
    exif = Image.Exif()
    exif[0x013B], exif[0x8298] = "Ana Maguire", "(c) 2026 Ana Maguire"
    exif.get_ifd(0x8769)[0xA431] = "SERIAL-4711"
    exif.get_ifd(0x8825).update({1: "N", 2: (41.0, 49.0, 0.0), 3: "W", 4: (71.0, 24.0, 0.0)})
    return encoded(photo(), "JPEG", exif=exif, comment=b"Taken at home", quality=95)


# --- Drawings

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {size}>{inside}</svg>'
RECTANGLE = '<rect width="30" height="20" fill="#e61414"/>'
BOX = 'viewBox="0 0 30 20"'
PIXEL = "data:image/png;base64,{}"


def drawing(inside=RECTANGLE, size=BOX, before=""):
    return (before + SVG.format(size=size, inside=inside)).encode()


def harmless_drawings():
    gradient = '<linearGradient id="g"><stop stop-color="#e61414"/></linearGradient>'
    w3c = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- from a program -->\n'
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n'
    )
    yield "plain.svg", drawing()
    yield "sized.svg", drawing(size='width="30" height="20"')
    yield "in-millimeters.svg", drawing(size='width="30mm" height="20mm" ' + BOX)
    yield "enormous.svg", drawing(size='width="900000" height="600000" viewBox="0 0 30 20"')
    yield "declared.svg", drawing(before=w3c)
    yield "gradient.svg", drawing(f'{gradient}<rect width="30" height="20" fill="url(#g)"/>')
    yield "styled.svg", drawing(f"<style>rect {{ fill: #e61414; }}</style>{RECTANGLE}")
    yield "used.svg", drawing(f'<defs><g id="r">{RECTANGLE}</g></defs><use xlink:href="#r"/>')
    yield "lettered.svg", drawing('<text x="2" y="15" font-size="12" font-family="Nobody Has It">Año</text>')
    yield "wide.svg", drawing(size=BOX + ' width="100%"', before="\ufeff")
    yield "utf-16.svg", drawing().decode().encode("utf-16")


def hostile_drawings():
    entity = '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    bomb = '<g id="a0"><rect width="1" height="1"/></g>'
    for level in range(1, 8):
        bomb += f'<g id="a{level}">' + f'<use xlink:href="#a{level - 1}"/>' * 10 + "</g>"
    yield "script.svg", drawing("<script>alert(1)</script>")
    yield "handler.svg", drawing('<rect width="3" height="3" onload="alert(1)"/>')
    yield "root-handler.svg", drawing(size=BOX + ' onload="alert(1)"')
    yield "link.svg", drawing(f'<a href="javascript:alert(1)">{RECTANGLE}</a>')
    yield "entity.svg", drawing("<text>&b;</text>", before=entity)
    yield "file.svg", drawing("<text>&x;</text>", before='<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>')
    yield "foreign-type.svg", drawing(before='<!DOCTYPE svg SYSTEM "http://127.0.0.1:9/x.dtd">')
    yield "image.svg", drawing('<image href="http://127.0.0.1:9/x.png" width="3" height="3"/>')
    yield "local-image.svg", drawing('<image xlink:href="/etc/passwd" width="3" height="3"/>')
    yield "nested.svg", drawing('<image href="data:image/svg+xml;base64,PHN2Zy8+" width="3" height="3"/>')
    yield "import.svg", drawing("<style>@import 'http://127.0.0.1:9/x.css';</style>" + RECTANGLE)
    yield "url.svg", drawing('<rect width="3" height="3" style="fill: url( http://127.0.0.1:9/x.svg#a )"/>')
    yield "font.svg", drawing("<style>@font-face { src: url('//127.0.0.1:9/f.woff') }</style>" + RECTANGLE)
    yield "use.svg", drawing('<use href="http://127.0.0.1:9/x.svg#a"/>')
    yield "html.svg", drawing('<foreignObject><body xmlns="http://www.w3.org/1999/xhtml">x</body></foreignObject>')
    yield "too-large.svg", drawing(size='width="1e30" height="1e30"')
    yield "without-size.svg", drawing(size="")
    yield "no-size.svg", drawing(size='viewBox="0 0 0 0"')
    yield "not-a-number.svg", drawing(size='viewBox="0 0 nan inf"')
    yield "empty.svg", drawing("")
    yield "multiplied.svg", drawing(bomb)
    yield "cut-off.svg", drawing()[:-9]
    yield "page.svg", b"<html><body><svg/></body></html>"
    yield "deep.svg", drawing("<g>" * 20_000 + "</g>" * 20_000)
