"""Real pictures for tests, and hostile ones."""

from __future__ import annotations

from io import BytesIO
from zlib import crc32

from PIL import Image, ImageDraw
from PIL.TiffImagePlugin import IFDRational

_ORIENTATION, _GPS = 0x0112, 0x8825


def drawing(size: tuple[int, int] = (64, 48), *, mode: str = "RGB") -> Image.Image:
    """A small picture whose left upper corner is red."""
    picture = Image.new(mode, size, "white")
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] // 2, size[1] // 2), fill="red")
    return picture


def picture(file_format: str = "JPEG", size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    """The bytes of such a picture."""
    file = BytesIO()
    drawing(size).save(file, file_format, **options)
    return file.getvalue()


def picture_with_position(*, orientation: int = 6) -> bytes:
    """A JPEG as a phone writes it: it says where it was taken, and is to be turned."""
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    exif[_GPS] = {1: "N", 2: (IFDRational(31), IFDRational(14), IFDRational(3)), 3: "E", 4: (IFDRational(121),) * 3}
    return picture("JPEG", exif=exif, comment=b"home of the customer")


def bomb() -> bytes:
    """A PNG of some kilobytes that says it has 900 million pixels."""
    whole = bytearray(picture("PNG"))
    whole[16:24] = (30_000).to_bytes(4, "big") * 2
    whole[29:33] = crc32(whole[12:29]).to_bytes(4, "big")
    return bytes(whole)
