"""Pictures that are none, are too much, or are cut short: each gets a sentence that says what to do."""

from __future__ import annotations

import contextlib
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from workers.lipsync.errors import AvatarError
from workers.lipsync.photo import decode_photo, load_photo

PICTURE = np.full((160, 200, 3), (40, 90, 200), np.uint8)


def encoded(suffix: str, picture: np.ndarray = PICTURE) -> bytes:
    done, data = cv2.imencode(suffix, picture)
    assert done
    return data.tobytes()


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


def jpeg_with(components: int) -> bytes:
    """A JPEG's opening with that many colours."""
    frame = struct.pack(">HBHHB", 8 + 3 * components, 8, 512, 512, components) + b"\1\x11\0" * components
    return b"\xff\xd8\xff\xc0" + frame + b"\xff\xd9"


def refusal(data: bytes) -> AvatarError:
    with pytest.raises(AvatarError) as caught:
        decode_photo(data, "me.jpg")
    return caught.value


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_common_pictures_are_read(suffix: str) -> None:
    pixels = decode_photo(encoded(suffix))
    assert pixels.shape == (160, 200, 3)
    assert np.abs(pixels.astype(int) - PICTURE).max() < 12


def test_a_grey_picture_becomes_three_colours() -> None:
    assert decode_photo(encoded(".png", PICTURE[..., 0])).shape == (160, 200, 3)


def test_what_is_transparent_gets_a_light_ground() -> None:
    clear = np.dstack([PICTURE, np.zeros(PICTURE.shape[:2], np.uint8)])
    assert (decode_photo(encoded(".png", clear)) == 225).all()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_picture_cut_short_is_said_to_be_so(suffix: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (160, 200, 3), np.uint8)
    data = encoded(suffix, noise)
    error = refusal(data[: int(len(data) * share)])
    assert error.code == "damaged"
    assert "copy" in str(error)


def test_a_picture_of_one_pixel_is_too_small() -> None:
    error = refusal(encoded(".png", PICTURE[:1, :1]))
    assert error.code == "too_small"
    assert "1 × 1" in str(error)


@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (2**31 - 1, 2**31 - 1), (65_000, 1_000)])
def test_a_hundred_million_pixels_are_refused_before_they_are_unpacked(width: int, height: int) -> None:
    error = refusal(png_header(width, height))
    assert error.code == "too_big"
    assert "scale" in str(error)


def test_a_picture_that_promises_more_than_it_holds_does_not_crash() -> None:
    assert refusal(png_header(1000, 1000)[:-30] + b"IEND").code == "damaged"


def test_print_colours_are_refused_with_the_cure() -> None:
    error = refusal(jpeg_with(4))
    assert error.code == "format"
    assert "RGB" in str(error)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"GIF89a" + bytes(100), "GIF"),
        (b"", "empty"),
        (b"%PDF-1.7 " + bytes(100), "PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>" + bytes(60), "JPEG, PNG"),
        (b"\x89PNG\r\n\x1a\n", "JPEG, PNG"),
        (b"\xff\xd8\xff", "early"),
        (b"\xff\xd8" + bytes(50), "early"),
        (b"\xff\xd8\xff\xe0\0\0" + bytes(200), "early"),
        (b"BM" + bytes(10), "JPEG, PNG"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, word: str) -> None:
    assert word in str(refusal(data))


@pytest.mark.parametrize("seed", range(6))
def test_flipped_bytes_are_read_or_refused_but_never_crash(seed: int) -> None:
    random = np.random.default_rng(seed)
    for suffix in (".jpg", ".png", ".webp", ".bmp"):
        data = bytearray(encoded(suffix))
        for at in random.integers(0, min(len(data), 300), 8):
            data[at] = int(random.integers(0, 256))
        with contextlib.suppress(AvatarError):
            assert decode_photo(bytes(data)).shape[2] == 3


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(AvatarError, match="cannot be read"):
        load_photo(tmp_path / "nobody.jpg")


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(AvatarError, match="cannot be read"):
        load_photo(tmp_path)


def test_a_file_too_large_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "big.png"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(AvatarError, match="50 MB"):
        load_photo(path)
