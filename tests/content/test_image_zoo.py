"""The zoo: every kind of picture goes through the normalizer, and what it lets in is drawn in every size we use."""

import subprocess
import sys
from io import BytesIO
from itertools import chain

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from PIL import Image, ImageChops, ImageStat

from content.images import UndrawablePicture, normalize_picture
from content.images.colors import convert_to_srgb
from content.models import CreditedImage
from content.models.images import JPEG
from content.pictures import SHAPES
from newsletter.messages.tree import PICTURE
from tests.content import picture_zoo as zoo

FILTERS = {
    *(spec for shape in SHAPES.values() for spec in shape.filters),
    *(PICTURE, f"width-1280|{JPEG}", "max-165x165", "max-800x600"),
}
MOST = settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS
OF_EVERY_MODE, TURNED_EVERY_WAY = dict(zoo.of_every_mode()), dict(zoo.turned_every_way())
OF_SEVERAL_PICTURES = dict(zoo.of_several_pictures())
HARMLESS_DRAWINGS, HOSTILE_DRAWINGS = dict(zoo.harmless_drawings()), dict(zoo.hostile_drawings())

pytestmark = pytest.mark.once


def normalized(data, name="picture"):
    return normalize_picture(ContentFile(data), name)


def opened(picture):
    return Image.open(BytesIO(picture.read()))


def corners(image):
    """The colors in the four corners, clockwise from the upper left."""
    image = image.convert("RGB")
    across, down = image.width - 3, image.height - 3
    return [image.getpixel(place) for place in ((2, 2), (across, 2), (across, down), (2, down))]


def is_near(color, other, by=40):
    return all(abs(one - two) <= by for one, two in zip(color, other, strict=True))


def assert_is_plain(picture):
    image = opened(picture)
    image.load()
    assert (image.format, image.mode) in (("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "RGBA"))
    assert not {"icc_profile", "exif", "comment", "xmp"} & set(image.info)
    assert getattr(image, "n_frames", 1) == 1


@pytest.mark.parametrize("name", OF_EVERY_MODE)
def test_every_mode_of_every_format_becomes_plain_srgb(name):
    data = OF_EVERY_MODE[name]
    picture = normalized(data, name)

    assert_is_plain(picture)
    assert picture.upload == data


@pytest.mark.parametrize("mode", ["La", "RGBa", "HSV", "LA", "PA", "LAB", "I;16", "I;16L", "I;16B", "I", "F"])
def test_modes_that_few_files_have_are_converted_too(mode):
    premultiplied = {"La": "LA", "RGBa": "RGBA"}.get(mode)
    made = zoo.in_mode(zoo.photo(), premultiplied).convert(mode) if premultiplied else zoo.in_mode(zoo.photo(), mode)

    assert convert_to_srgb(made).mode in ("RGB", "RGBA")


@pytest.mark.parametrize("mode", ["I;16", "I", "F", "L"])
def test_gray_of_any_depth_keeps_its_brightness(mode):
    kind = "PNG" if mode == "L" else "TIFF"
    gray = opened(normalized(zoo.encoded(zoo.in_mode(zoo.flag(), mode), kind))).convert("L")

    assert max(ImageStat.Stat(ImageChops.difference(gray, zoo.flag().convert("L"))).mean) < 2


def test_sixteen_bits_are_scaled_and_not_cut_off():
    (color,) = {*corners(opened(normalized(zoo.encoded(Image.new("I;16", (40, 30), 30_000), "PNG"))))}

    assert is_near(color, (117, 117, 117), by=1)


@pytest.mark.parametrize("name", TURNED_EVERY_WAY)
def test_every_orientation_is_upright_in_the_file(name):
    data = TURNED_EVERY_WAY[name]
    picture = normalized(data, name)
    image = opened(picture)

    assert image.size == (picture.width, picture.height) == (48, 32)
    assert all(is_near(*pair) for pair in zip(corners(image), corners(zoo.flag()), strict=True))
    assert image.getexif() == {}


def test_a_profile_is_applied_and_left_out():
    profile = zoo.profile_that_swaps_red_and_green()
    for kind in ("PNG", "JPEG", "WEBP", "TIFF"):
        picture = normalized(zoo.encoded(Image.new("RGB", (40, 30), (255, 0, 0)), kind, icc_profile=profile))
        assert is_near(corners(opened(picture))[0], (0, 255, 0)), kind
        picture.seek(0)
        assert_is_plain(picture)


def test_a_profile_is_applied_beside_transparency():
    image = Image.new("RGBA", (40, 30), (255, 0, 0, 128))
    drawn = opened(normalized(zoo.encoded(image, "PNG", icc_profile=zoo.profile_that_swaps_red_and_green())))

    assert is_near(drawn.getpixel((9, 9)), (0, 255, 0, 128))


def test_a_gray_profile_is_applied():
    image = Image.new("L", (40, 30), 128)
    drawn = opened(normalized(zoo.encoded(image, "PNG", icc_profile=zoo.profile_of_bright_gray())))

    assert is_near(corners(drawn)[0], (188, 188, 188), by=6)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_drawn_in_the_colors_of_its_profile_or_plainly_without_one(kind):
    image = Image.new("CMYK", (40, 30), (255, 0, 0, 0))
    plain = opened(normalized(zoo.encoded(image, kind)))
    profiled = opened(normalized(zoo.encoded(image, kind, icc_profile=zoo.profile_with_a_red_ink_for_cyan())))
    paper = opened(normalized(zoo.encoded(Image.new("CMYK", (40, 30)), kind)))

    assert is_near(corners(plain)[0], (0, 255, 255))
    red, green, blue = corners(profiled)[0]
    assert red > 200 and green < 60 and blue < 60
    assert is_near(corners(paper)[0], (255, 255, 255))


@pytest.mark.parametrize(
    "profile", [b"no profile", zoo.profile_of_bright_gray(), zoo.profile_that_swaps_red_and_green()[:200]]
)
def test_a_broken_profile_or_one_of_another_kind_is_left_out(profile):
    picture = normalized(zoo.encoded(zoo.flag(), "PNG", icc_profile=profile))

    assert is_near(corners(opened(picture))[0], zoo.RED, by=3)
    picture.seek(0)
    assert_is_plain(picture)


@pytest.mark.parametrize("part", range(1, 11))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF"])
def test_a_picture_cut_off_anywhere_is_refused(kind, part):
    data = zoo.encoded(zoo.photo((240, 160)), kind)

    with pytest.raises(UndrawablePicture) as refused:
        normalized(data[: len(data) * part // 11])
    assert refused.value.reason.endswith(".")


def test_a_cut_off_heic_photograph_is_refused():
    for part in range(1, 11):
        data = zoo.HEIC.read_bytes()
        with pytest.raises(UndrawablePicture):
            normalized(data[: len(data) * part // 11])


def test_without_the_decoder_a_heic_photograph_is_refused_with_the_way_out():
    """In a process of its own, which can not import the decoder."""
    program = (
        "import sys; sys.modules['pi_heif'] = None\n"
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
        "import django; django.setup()\n"
        "from pathlib import Path; from django.core.files.base import ContentFile\n"
        "from content.images import UndrawablePicture, normalize_picture\n"
        "try: normalize_picture(ContentFile(Path(sys.argv[1]).read_bytes()), 'a.heic')\n"
        "except UndrawablePicture as refused: print(refused.reason)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(zoo.HEIC)], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == (
        "This is an HEIC photograph, which this site can not read. Save it as JPEG and upload that."
    )


@pytest.mark.parametrize("name", OF_SEVERAL_PICTURES)
def test_of_several_pictures_the_first_is_kept_and_said(name):
    data = OF_SEVERAL_PICTURES[name]
    picture = normalized(data, name)

    assert picture.is_first_of_several
    assert is_near(corners(opened(picture))[0], zoo.RED)


def test_a_file_of_two_views_as_telephones_write_it_is_one_picture():
    views = [zoo.photo(), zoo.photo((60, 40))]
    picture = normalized(zoo.encoded(views[0], "MPO", save_all=True, append_images=views[1:]), "view.jpg")

    assert not picture.is_first_of_several
    assert_is_plain(picture)


def test_too_many_pixels_are_refused_before_any_is_decoded():
    file = BytesIO(zoo.encoded(Image.new("1", (MOST // 5000 + 1, 5000)), "PNG"))
    head = file.getvalue()[:60]  # nothing of the pixels themselves
    with pytest.raises(UndrawablePicture, match="at most 50 million"):
        normalized(head)


def test_the_frames_of_an_animation_count():
    frames = [Image.new("1", (2000, 2000), number % 2) for number in range(14)]
    with pytest.raises(UndrawablePicture, match="at most 50 million"):
        normalized(zoo.encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))


def test_a_file_that_is_too_large_is_not_even_read():
    class Huge(ContentFile):
        def read(self, *_size):
            raise AssertionError("it was read")

    file = Huge(b"")
    file.size = settings.WAGTAILIMAGES_MAX_UPLOAD_SIZE + 1
    with pytest.raises(UndrawablePicture, match="at most 20 MB"):
        normalize_picture(file, "huge.png")


def test_what_is_no_picture_is_refused_with_a_sentence():
    for data in (b"", b"no picture", b"\0" * 100, b"%PDF-1.4", b"GIF89a", b"\xff\xd8\xff\xe0", b"II*\0\0\0\0\0"):
        with pytest.raises(UndrawablePicture) as refused:
            normalized(data)
        assert refused.value.reason.endswith(".")


def test_the_contents_decide_and_not_the_name():
    assert normalized(zoo.encoded(zoo.photo(), "JPEG"), "IMG_1.HEIC").name == "IMG_1.jpg"
    assert normalized(zoo.encoded(zoo.flag(), "PNG"), "../../x y.jpg").name == "x_y.png"
    assert normalized(zoo.encoded(zoo.flag(), "PNG"), ".png").name == "png.png"
    assert normalized(zoo.encoded(zoo.flag(), "PNG"), "///").name == "picture.png"


def test_nothing_but_the_picture_is_in_the_file_and_all_of_it_in_the_upload():
    data = zoo.with_private_facts()
    picture = normalized(data)
    contents = picture.read()

    for private in (b"SERIAL-4711", b"Taken at home", b"Exif", b"Ana Maguire"):
        assert private in data and private not in contents
    assert picture.upload == data


def test_an_untouched_photograph_loses_nothing_visible():
    data = zoo.encoded(zoo.photo((400, 300)), "JPEG", quality=80)
    before, after = Image.open(BytesIO(data)), opened(normalized(data))

    assert before.quantization == after.quantization
    assert max(ImageStat.Stat(ImageChops.difference(before, after)).mean) < 0.5


# --- Drawings


@pytest.mark.parametrize("name", HARMLESS_DRAWINGS)
def test_a_harmless_drawing_becomes_a_png(name):
    data = HARMLESS_DRAWINGS[name]
    picture = normalized(data, name)
    image = opened(picture)

    assert picture.name.endswith(".png")
    assert max(image.size) == 2000
    if name == "lettered.svg":
        assert image.convert("RGBA").getchannel("A").getextrema() == (0, 255)  # words in a font that nobody has
    else:
        assert is_near(image.convert("RGB").getpixel((999, 500)), zoo.RED, by=3)


@pytest.mark.parametrize("name", HOSTILE_DRAWINGS)
def test_a_hostile_drawing_is_refused_with_a_sentence(name):
    data = HOSTILE_DRAWINGS[name]
    with pytest.raises(UndrawablePicture) as refused:
        normalized(data, name)
    assert refused.value.reason.endswith(".")
    for quoted in ("<", ">", "127.0.0.1", "passwd"):  # one of Wagtail's forms shows what is said as HTML
        assert quoted not in refused.value.reason


# --- All sizes


@pytest.mark.django_db
def test_whatever_is_let_in_can_be_drawn_in_every_size():
    kept = 0
    pictures = OF_EVERY_MODE | TURNED_EVERY_WAY | OF_SEVERAL_PICTURES
    pictures |= {name: HARMLESS_DRAWINGS[name] for name in ("gradient.svg", "lettered.svg")}
    for name, data in chain(pictures.items(), zoo.in_every_size(MOST)):
        image = CreditedImage.objects.create(title=name, file=ContentFile(data, name))
        for spec, size in image.get_renditions(*FILTERS).items():
            assert size.is_drawn and size.width >= 1 and size.height >= 1, (name, spec)
        with Image.open(image.file.path) as stored:
            assert (image.width, image.height) == stored.size
        kept += 1
        image.delete()
    assert kept > 100
