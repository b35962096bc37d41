"""Photos are read by their content and written anew: what is not picture does not survive (S-30, S-71)."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO

import pytest
from PIL import Image, ImageCms

from domain.pictures import LARGEST, LONGEST_SIDE, PictureError, PictureFault, clean_name, read_picture
from tests.pictures import bomb, drawing, picture, picture_with_position

F = PictureFault


def opened(content: bytes) -> Image.Image:
    shown = Image.open(BytesIO(content))
    shown.load()
    return shown


def refused(content: bytes) -> PictureFault:
    with pytest.raises(PictureError) as refusal:
        read_picture("x.jpg", content)
    assert refusal.value.field == "photo"
    return refusal.value.fault


@pytest.mark.parametrize(
    ("file_format", "media_type", "name"),
    [("JPEG", "image/jpeg", "tap.jpg"), ("PNG", "image/png", "tap.png"), ("WEBP", "image/jpeg", "tap.jpg")],
)
def test_a_picture_is_written_anew_whatever_its_name_says(file_format: str, media_type: str, name: str) -> None:
    photo = read_picture("tap.html", picture(file_format))

    assert (photo.media_type, photo.file_name) == (media_type, name)
    assert opened(photo.content).size == (64, 48)
    assert read_picture("tap.html", picture(file_format)) == photo


def test_the_place_where_it_was_taken_is_removed_and_the_picture_stands_upright() -> None:
    sent = picture_with_position()
    assert dict(Image.open(BytesIO(sent)).getexif().get_ifd(0x8825))

    kept = opened(read_picture("x.jpg", sent).content)

    assert kept.size == (48, 64)
    red, green, _ = kept.convert("RGB").getpixel((44, 4))  # type: ignore[misc]
    assert red > 200
    assert green < 60
    assert not dict(kept.getexif())
    assert not {"exif", "comment", "icc_profile", "xmp"} & set(kept.info)


def _with_zip(content: bytes) -> bytes:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("evil.html", "<script>alert(1)</script>")
    return content + archive.getvalue()


@pytest.mark.parametrize(
    "sent",
    [
        picture("JPEG", comment=b"<script>alert(1)</script>"),
        picture("JPEG") + b"<html><script>alert(1)</script>",
        picture("PNG") + b"<?php system('id'); ?><script>",
        _with_zip(picture("JPEG")),
        _with_zip(picture("WEBP")),
    ],
)
def test_what_hides_in_or_behind_a_picture_is_gone(sent: bytes) -> None:
    kept = read_picture("x.jpg", sent).content

    assert not re.search(rb"script|<html|php|evil|PK\x03\x04", kept)
    assert not zipfile.is_zipfile(BytesIO(kept))
    assert opened(kept).size == (64, 48)


@pytest.mark.parametrize(
    "sent",
    [
        b"GIF89a/*<script>alert(1)</script>*/=1;",
        picture("GIF"),
        picture("TIFF"),
        picture("BMP"),
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<html>",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
        b"",
        b"\x00",
        bytes(1000),
    ],
)
def test_what_is_no_jpeg_png_or_webp_is_refused(sent: bytes) -> None:
    assert refused(sent) is F.WRONG_TYPE


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_a_picture_that_broke_off_is_refused(file_format: str) -> None:
    whole = picture(file_format, (300, 300))

    for length in (3, 8, 20, len(whole) // 2, len(whole) * 3 // 4):
        assert refused(whole[:length]) in {F.BROKEN, F.WRONG_TYPE}


def test_a_broken_picture_of_any_kind_is_refused_and_never_a_crash() -> None:
    for whole in (picture("JPEG"), picture("PNG"), picture("WEBP"), picture_with_position()):
        for place in range(0, len(whole), max(1, len(whole) // 120)):
            broken = bytearray(whole)
            broken[place] ^= 0xFF
            try:
                photo = read_picture("x.jpg", bytes(broken))
            except PictureError:
                continue
            assert opened(photo.content).size


def test_a_file_of_30_megabytes_is_refused_unread() -> None:
    assert refused(picture("JPEG") + bytes(30 * 1024 * 1024)) is F.TOO_LARGE
    assert refused(bytes(LARGEST + 1)) is F.TOO_LARGE


def test_a_bomb_of_pixels_is_refused_before_a_pixel_is_read() -> None:
    assert refused(bomb()) is F.TOO_MANY_PIXELS
    assert refused(picture("PNG", (7100, 7100))) is F.TOO_MANY_PIXELS


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    whole = picture("JPEG", progressive=True)
    scan = whole.rindex(b"\xff\xda")

    assert refused(whole[:scan] + whole[scan:-2] * 300 + b"\xff\xd9") is F.BROKEN


def test_a_large_picture_is_made_smaller_and_keeps_its_shape() -> None:
    kept = opened(read_picture("x.jpg", picture("JPEG", (6000, 3000))).content)

    assert kept.size == (LONGEST_SIDE, LONGEST_SIDE // 2)


def test_of_a_moving_picture_the_first_frame_is_kept() -> None:
    frames = [drawing(), Image.new("RGB", (64, 48), "blue")]
    for file_format in ("PNG", "WEBP"):
        file = BytesIO()
        frames[0].save(file, file_format, save_all=True, append_images=frames[1:], lossless=True)

        kept = opened(read_picture("x", file.getvalue()).content)

        assert getattr(kept, "n_frames", 1) == 1
        red, _, blue = kept.convert("RGB").getpixel((4, 4))  # type: ignore[misc]
        assert red > 200 > blue


def test_a_drawn_signature_lies_on_white() -> None:
    drawn = Image.new("RGBA", (300, 100), (0, 0, 0, 0))
    drawn.paste((0, 0, 0, 255), (10, 10, 100, 20))
    file = BytesIO()
    drawn.save(file, "PNG")

    photo = read_picture("signature.png", file.getvalue())

    assert photo.media_type == "image/png"
    assert opened(photo.content).mode == "RGB"
    assert opened(photo.content).getpixel((200, 50)) == (255, 255, 255)
    assert opened(photo.content).getpixel((50, 15)) == (0, 0, 0)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "RGBA"])
def test_every_mode_of_png_is_read(mode: str) -> None:
    file = BytesIO()
    drawing(mode="L").convert(mode).save(file, "PNG")

    assert opened(read_picture("x.png", file.getvalue()).content).mode == "RGB"


def test_a_photograph_for_print_becomes_one_for_the_screen() -> None:
    file = BytesIO()
    drawing().convert("CMYK").save(file, "JPEG")

    assert opened(read_picture("x.jpg", file.getvalue()).content).mode == "RGB"


def test_colours_of_another_space_are_turned_into_srgb_and_a_broken_profile_does_no_harm() -> None:
    good = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    for profile in (good, b"no profile", good[:200]):
        kept = opened(read_picture("x.jpg", picture("JPEG", icc_profile=profile)).content)
        assert "icc_profile" not in kept.info


def test_a_large_photograph_that_came_as_png_is_kept_as_jpeg() -> None:
    file = BytesIO()
    Image.effect_noise((1500, 1500), 90).convert("RGB").save(file, "PNG")

    photo = read_picture("noise.png", file.getvalue())

    assert (photo.media_type, photo.file_name) == ("image/jpeg", "noise.jpg")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd.jpg"),
        (r"C:\Users\wang\tap.jpeg", "tap.jpg"),
        ("水管 漏水.jpg", "水管 漏水.jpg"),
        ("\x00a\r\nb\ud800.jpg", "ab.jpg"),
        ("invoice\u202egpj.exe", "invoicegpj.jpg"),
        ("...", "photo.jpg"),
        ("", "photo.jpg"),
        (".htaccess", "htaccess.jpg"),
        ("<script>.jpg", "script.jpg"),
        ("x" * 500 + ".jpg", "x" * 80 + ".jpg"),
        ("😀.png", "😀.jpg"),
    ],
)
def test_a_name_is_only_a_name(sent: str, kept: str) -> None:
    assert clean_name(sent, ".jpg") == kept
