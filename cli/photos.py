"""Photos from the operator's own files."""

from __future__ import annotations

from pathlib import Path

from domain.exceptions import InvalidInputError
from domain.pictures import LARGEST, Photo, PictureError, PictureFault, read_picture


def read_photo(path: Path) -> Photo:
    """The photo in a file. Raises InvalidInputError when there is none, it is too large, or it is no picture."""
    try:
        if path.stat().st_size > LARGEST:
            raise PictureError(path.name, PictureFault.TOO_LARGE)
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInputError("photo", f"{path}: {error.strerror}") from error
    return read_picture(path.name, content)
