"""Photos that people send: checked, limited in size, and written anew, so that only a picture is kept (S-30).

What a file holds beside its picture (the place where it was taken, markup, an archive at its end) does not survive.
"""

from __future__ import annotations

import re
import struct
import threading
import zlib
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from domain.exceptions import InvalidInputError

LARGEST = 10 * 1024 * 1024
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 2560
MOST_PHOTOS = 6
_FORMATS = ("JPEG", "PNG", "WEBP")
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png"}
# A drawing or a screen stays sharp as PNG; a photograph that came as PNG would be many times larger than as JPEG.
_LARGEST_PNG = 2 * 1024 * 1024
# Each scan of a progressive JPEG goes over all pixels again: a small file with thousands of them takes hours.
_MOST_SCANS = 200
_LONGEST_NAME = 80
# A picture takes up to 200 MB while it is read, whoever sends it.
_at_once = threading.BoundedSemaphore(2)
# What Pillow raises at a broken or hostile file.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)


class PictureFault(StrEnum):
    """Why a photo is not taken."""

    TOO_LARGE = "photo_too_large"
    WRONG_TYPE = "photo_wrong_type"
    TOO_MANY_PIXELS = "photo_too_many_pixels"
    BROKEN = "photo_broken"


_SENTENCES = {
    PictureFault.TOO_LARGE: "is larger than 10 MB; make it smaller",
    PictureFault.WRONG_TYPE: "is no JPEG, PNG or WebP picture",
    PictureFault.TOO_MANY_PIXELS: f"has more than {MOST_PIXELS // 1_000_000} million pixels; make it smaller",
    PictureFault.BROKEN: "is broken or was not sent whole; send it again",
}


class PictureError(InvalidInputError):
    """The file is no photo that can be kept; ``fault`` says why, for words in the sender's language."""

    def __init__(self, file_name: str, fault: PictureFault) -> None:
        super().__init__("photo", f"{file_name or 'the file'} {_SENTENCES[fault]}")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo's name, type and bytes."""

    file_name: str
    media_type: str
    content: bytes


def read_picture(file_name: str, content: bytes) -> Photo:
    """The picture in a file: upright, in sRGB, its longest side at most LONGEST_SIDE, as JPEG or small PNG.

    Of a moving picture the first frame. The same bytes give the same photo. Raises PictureError.
    """
    shown = clean_name(file_name, "")
    if len(content) > LARGEST:
        raise PictureError(shown, PictureFault.TOO_LARGE)
    if content.startswith(b"\xff\xd8") and content.count(b"\xff\xda") > _MOST_SCANS:
        raise PictureError(shown, PictureFault.BROKEN)
    with _at_once:
        try:
            written, media_type = _write_anew(content)
        except _NoPictureError as error:
            raise PictureError(shown, error.fault) from error
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise PictureError(shown, PictureFault.TOO_MANY_PIXELS) from error
        except _BROKEN as error:
            raise PictureError(shown, PictureFault.BROKEN) from error
    return Photo(clean_name(file_name, _SUFFIXES[media_type]), media_type, written)


class _NoPictureError(Exception):
    def __init__(self, fault: PictureFault) -> None:
        super().__init__(fault)
        self.fault = fault


def _write_anew(content: bytes) -> tuple[bytes, str]:
    try:
        opened = Image.open(BytesIO(content), formats=_FORMATS)
    except UnidentifiedImageError as error:
        is_known = content.startswith(_SIGNATURES)
        raise _NoPictureError(PictureFault.BROKEN if is_known else PictureFault.WRONG_TYPE) from error
    with opened:
        # Before a pixel is read: the size stands in the file's head.
        if opened.width * opened.height > MOST_PIXELS:
            raise _NoPictureError(PictureFault.TOO_MANY_PIXELS)
        was_png, profile = opened.format == "PNG", opened.info.get("icc_profile")
        opened.draft(None, (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is read at half or a quarter of its size
        upright = ImageOps.exif_transpose(opened)
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        picture = _opaque(_in_srgb(upright, profile))
    if was_png and len(png := _saved(picture, "PNG", optimize=True)) <= _LARGEST_PNG:
        return png, "image/png"
    return _saved(picture, "JPEG", quality=85, optimize=True), "image/jpeg"


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in the colours that every screen assumes; the profile itself is not kept."""
    if profile and picture.mode in {"RGB", "RGBA", "CMYK"}:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            mode = "RGBA" if picture.mode == "RGBA" else "RGB"
            turned = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
            return turned if turned is not None else picture
        except (ImageCms.PyCMSError, OSError, ValueError):
            return picture
    return picture


def _opaque(picture: Image.Image) -> Image.Image:
    """The picture on white, without anything that a file may carry beside it."""
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(layer, mask=layer.getchannel("A"))
        return ground
    # A new picture, because a converted one keeps comments and profiles in its ``info``.
    bare = Image.new("RGB", picture.size)
    bare.paste(picture.convert("RGB"))
    return bare


def _saved(picture: Image.Image, file_format: str, **options: int | bool) -> bytes:
    file = BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def clean_name(file_name: str, suffix: str) -> str:
    """The name alone, without folders, control characters and what turns the direction of text; with this suffix.

    Without a suffix it keeps its own; that is for messages.
    """
    last = re.split(r"[/\\]", file_name)[-1]
    plain = "".join(letter for letter in last if letter.isprintable() and letter not in '<>:"|?*').strip(" .")
    stem, dot, _ = plain.rpartition(".")
    name = stem if dot and suffix else plain
    return (name.strip(" .")[:_LONGEST_NAME].strip() or "photo") + suffix
