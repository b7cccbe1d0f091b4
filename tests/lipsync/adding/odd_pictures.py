"""Pictures that are none, are spoilt, or show no usable face; and unusual ones that must work all the same."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import cv2
import numpy as np

Pixels = np.ndarray


def encoded(suffix: str, pixels: Pixels) -> bytes:
    done, data = cv2.imencode(suffix, pixels)
    assert done
    return data.tobytes()


def png(width: int, height: int, rows: bytes, depth: int = 8, colour: int = 2, crc_off: int = 0) -> bytes:
    """`rows`: compressed already."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ crc_off)

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def flat_rows(width_bytes: int, height: int) -> bytes:
    """A picture of nothing, a thousandth of its size."""
    packer = zlib.compressobj(9)
    row = bytes(1 + width_bytes)
    return b"".join(packer.compress(row) for _ in range(height)) + packer.flush()


def with_pillow(pixels: Pixels, format: str, mode: str = "RGB", **options: object) -> bytes:
    from PIL import Image  # comes with scikit-image

    out = io.BytesIO()
    picture = Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)).convert(mode)
    picture.save(out, format, **options)
    return out.getvalue()


def _moving(pixels: Pixels, format: str) -> bytes:
    from PIL import Image

    frames = [Image.fromarray(np.roll(pixels[::2, ::2, ::-1], n, 1)) for n in range(3)]
    out = io.BytesIO()
    frames[0].save(out, format, save_all=True, append_images=frames[1:], duration=40)
    return out.getvalue()


def _zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("face.jpg", bytes(50_000_000))
    return out.getvalue()


def _exif(orientation: int) -> bytes:
    """An EXIF block that says how the camera was held."""
    return b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HH", orientation, 0) + bytes(4)


def crowd(face: Pixels, sizes: list[int]) -> Pixels:
    """Faces of these heights in pixels side by side."""
    out = np.full((max(sizes) + 40, sum(sizes) + 40 * len(sizes), 3), 190, np.uint8)
    x = 20
    for size in sizes:
        out[20 : 20 + size, x : x + size] = cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA)
        x += size + 40
    return out


def odd_pictures(astronaut: Pixels, cat: Pixels, profile: Pixels) -> dict[str, tuple[bytes, str]]:
    """Name → bytes, and words that the refusal must hold. `profile` looks aside."""
    jpeg, lossless = encoded(".jpg", astronaut), encoded(".png", astronaut)
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
    face = astronaut[0:260, 90:350]
    far = np.full((700, 700, 3), 200, np.uint8)
    far[300:420, 300:420] = cv2.resize(face, (120, 120), interpolation=cv2.INTER_AREA)
    return {
        "nothing.jpg": (b"", "empty"),
        "a letter.jpg": (b"Dear Sir, " * 50, "no JPEG, PNG"),
        "random.png": (np.random.default_rng(1).bytes(5000), "no JPEG, PNG"),
        "half.jpg": (jpeg[: len(jpeg) // 2], "too early"),
        "half.png": (lossless[: len(lossless) // 2], "too early"),
        "half.webp": (encoded(".webp", noise)[:2000], "too early"),
        "head only.jpg": (jpeg[:20], "too early"),
        "one pixel.png": (encoded(".png", astronaut[:1, :1]), "only 1 × 1"),
        "a hundred megapixels.png": (png(10_000, 10_000, flat_rows(30_000, 1)), "10000 × 10000"),
        "no size.png": (png(0, 0, b""), "only 0 × 0"),
        "two billion wide.png": (png(2**31 - 1, 2**31 - 1, b""), "scale it"),
        "a bomb of 39 megapixels.png": (png(6_200, 6_200, flat_rows(18_600, 6_200)), "No face"),
        "a bomb of 16 bit and alpha.png": (png(6_200, 6_200, flat_rows(49_600, 6_200), 16, 6), "No face"),
        "lies.png": (png(2_000, 2_000, zlib.compress(bytes(100))), "damaged"),
        "print colours.jpg": (with_pillow(astronaut, "JPEG", "CMYK"), "CMYK"),
        "moving.gif": (_moving(astronaut, "GIF"), "GIF"),
        "moving.webp": (_moving(astronaut, "WEBP"), "animation"),
        "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400), "HEIC"),
        "new.avif": (with_pillow(astronaut, "AVIF"), "AVIF"),
        "scan.tiff": (with_pillow(astronaut, "TIFF"), "TIFF"),
        "layers.psd": (b"8BPS\0\1" + bytes(400), "Photoshop"),
        "paper.jpg": (b"%PDF-1.7 " + bytes(400), "PDF"),
        "drawn.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>" + bytes(100), "no JPEG, PNG"),
        "a bomb.zip": (_zip_bomb(), "ZIP"),
        "a bomb.jpg": (b"\x1f\x8b\x08\0" + zlib.compress(bytes(10_000_000)), "archive"),
        "noise.png": (encoded(".png", noise), "No face"),
        "wall.png": (encoded(".png", np.full((400, 400, 3), 180, np.uint8)), "No face"),
        "cat.png": (encoded(".png", cat), "No face"),
        "five faces.png": (encoded(".png", crowd(face, [260] * 5)), "5 faces"),
        "two faces.png": (encoded(".png", crowd(face, [260, 220])), "--face"),
        "far away.png": (encoded(".png", far), "pixels high"),
        "aside.png": (encoded(".png", profile), "to the side"),
    }


def unusual_pictures(astronaut: Pixels, drawing: Pixels) -> dict[str, bytes]:
    """Pictures that work."""
    alpha = np.dstack([astronaut, np.full(astronaut.shape[:2], 255, np.uint8)])
    alpha[:, :60, 3] = 0
    turned = cv2.rotate(astronaut, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return {
        "alpha.png": encoded(".png", alpha),
        "sixteen bit.png": encoded(".png", astronaut.astype(np.uint16) * 257),
        "sixteen bit alpha.png": encoded(".png", alpha.astype(np.uint16) * 257),
        "grey.png": encoded(".png", cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY)),
        "grey.jpg": encoded(".jpg", cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY)),
        "palette.png": with_pillow(astronaut, "PNG", "P"),
        "progressive.jpg": with_pillow(astronaut, "JPEG", progressive=True),
        "turned by the camera.jpg": with_pillow(turned, "JPEG", exif=_exif(6)),
        "named wrongly.png": encoded(".jpg", astronaut),
        "photo.webp": encoded(".webp", astronaut),
        "photo.bmp": encoded(".bmp", astronaut),
        "drawing.png": encoded(".png", drawing),
        "one large and one small.png": encoded(".png", crowd(astronaut[0:260, 90:350], [400, 130])),
    }
