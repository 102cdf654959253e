"""Writes test pictures into this folder, and reference files with what Pillow and numpy make of them.

    python make.py PHOTO

PHOTO is ISIC_0000003.jpg of the ISIC 2017 training set (CC0). Pillow 13.0.0 and numpy 2.4.6 are pinned. Pillow decodes
JPEG with libjpeg-turbo and WebP with libwebp. A reference is a PPM file (P6), which is read without a decoder. The tests
need no Python.
"""

import io
import json
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(20170301)


def save_reference(name, rgb):
    rgb = np.asarray(rgb, dtype=np.uint8)
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"P6 %d %d 255\n" % (rgb.shape[1], rgb.shape[0]) + rgb.tobytes())


def save(name, data):
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def encoded(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def opened(data):
    return Image.open(io.BytesIO(data))


def png(samples, bit_depth, color_type):
    """A PNG of samples with 16 bits a channel, which Pillow can't write."""
    height, width, channels = samples.shape
    big = samples.astype(">u2" if bit_depth == 16 else "u1")
    rows = b"".join(b"\0" + big[y].tobytes() for y in range(height))
    return png_file(width, height, bit_depth, color_type, 0, rows)


def png_interlaced(samples):
    """A PNG with Adam7 interlacing, which Pillow can't write."""
    height, width, _ = samples.shape
    rows = b""
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        part = samples[y0::dy, x0::dx]
        if part.size:
            rows += b"".join(b"\0" + row.tobytes() for row in part)
    return png_file(width, height, 8, 2, 1, rows)


def png_file(width, height, bit_depth, color_type, interlace, rows):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, bit_depth, color_type, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def over_white(rgb, alpha):
    """The picture composited over white, rounded to the nearest. A division by 255 has no ties."""
    rgb, alpha = rgb.astype(np.int64), alpha.astype(np.int64)[..., None]
    return ((rgb * alpha + 255 * (255 - alpha)) * 2 + 255) // 510


def to_eight_bits(samples):
    """16-bit samples as 8-bit ones, rounded to the nearest. A division by 257 has no ties."""
    return (samples.astype(np.int64) * 2 + 257) // 514


def jpeg_files(photo):
    # The chroma subsamplings of cameras, progressive coding, and restart markers.
    for name, options in {
        "444": dict(subsampling=0),
        "422": dict(subsampling=1),
        "420": dict(subsampling=2),
        "progressive": dict(subsampling=2, progressive=True),
        "restart": dict(subsampling=2, restart_marker_blocks=3),
    }.items():
        data = encoded(photo, "JPEG", quality=90, **options)
        save(f"jpeg/{name}.jpg", data)
        save_reference(f"jpeg/{name}.ppm", opened(data).convert("RGB"))

    grey = encoded(photo.convert("L"), "JPEG", quality=90)
    save("jpeg/grey.jpg", grey)
    save_reference("jpeg/grey.ppm", opened(grey).convert("RGB"))

    # All four inks occur: black is half of the minimum of the other three.
    ink = 255 - np.asarray(photo).astype(np.int64)
    black = ink.min(axis=2, keepdims=True) // 2
    inks = np.concatenate([(ink - black) * 255 // np.maximum(255 - black, 1), black], axis=2).clip(0, 255)
    cmyk = encoded(Image.fromarray(inks.astype(np.uint8), "CMYK"), "JPEG", quality=90, subsampling=0)
    save("jpeg/cmyk.jpg", cmyk)
    save_reference("jpeg/cmyk.ppm", opened(cmyk).convert("RGB"))
    # The same samples are declared as YCCK. The colours make no sense, but each decoder must give the same.
    ycck = cmyk.replace(b"Adobe\0d\0\0\0\0\0", b"Adobe\0d\0\0\0\0\2")
    assert ycck != cmyk
    save("jpeg/ycck.jpg", ycck)
    save_reference("jpeg/ycck.ppm", opened(ycck).convert("RGB"))

    # RGB without a conversion to YCbCr. One file has the letters R, G and B as component identifiers. The other has 1, 2
    # and 3, so that only the Adobe segment declares RGB.
    rgb = encoded(photo, "JPEG", quality=90, keep_rgb=True)
    save("jpeg/rgb.jpg", rgb)
    numbered = rgb
    for letter, number in zip(b"RGB", b"\1\2\3"):
        numbered = numbered.replace(bytes([letter, 0x11, 0]), bytes([number, 0x11, 0]))
    scan = numbered.index(b"\xff\xda\x00\x0c\x03") + 5
    numbered = numbered[:scan] + b"\1" + numbered[scan + 1 :]
    numbered = numbered[: scan + 2] + b"\2" + numbered[scan + 3 : scan + 4] + b"\3" + numbered[scan + 5 :]
    save("jpeg/rgb-numbered.jpg", numbered)
    assert np.array_equal(opened(rgb).convert("RGB"), opened(numbered).convert("RGB"))
    save_reference("jpeg/rgb.ppm", opened(rgb).convert("RGB"))


def scaled_files(photo):
    for name, options in {"420": dict(subsampling=2), "444": dict(subsampling=0)}.items():
        data = encoded(photo, "JPEG", quality=90, **options)
        save(f"scaled/{name}.jpg", data)
        for part in [2, 4, 8]:
            scaled = opened(data)
            size = tuple(-(-side // part) for side in scaled.size)
            scaled.draft("RGB", tuple(side // part for side in scaled.size))
            assert scaled.size == size
            save_reference(f"scaled/{name}-{part}.ppm", scaled.convert("RGB"))


def other_files(photo):
    rgb = np.asarray(photo)
    height, width, _ = rgb.shape
    save_reference("photo.ppm", rgb)
    alpha = np.add.outer(np.arange(height) * 3, np.arange(width) * 2).clip(0, 255).astype(np.uint8)
    rgba = Image.fromarray(np.dstack([rgb, alpha]), "RGBA")
    save_reference("alpha.ppm", over_white(rgb, alpha))
    grey = np.asarray(photo.convert("L"))
    save_reference("grey.ppm", np.dstack([grey] * 3))
    save_reference("grey-alpha.ppm", over_white(np.dstack([grey] * 3), alpha))
    wide = RNG.integers(0, 65536, (height, width, 4), dtype=np.uint16)
    save_reference("rgb16.ppm", to_eight_bits(wide[..., :3]))
    save_reference("rgba16.ppm", over_white(to_eight_bits(wide[..., :3]), to_eight_bits(wide[..., 3])))
    save_reference("grey16.ppm", np.dstack([to_eight_bits(wide[..., 0])] * 3))
    palette = photo.quantize(40)
    save_reference("palette.ppm", palette.convert("RGB"))
    bits = photo.convert("1")
    save_reference("bits.ppm", bits.convert("RGB"))
    # Palette colour 0 is transparent.
    on_white = np.where(np.asarray(palette)[..., None] == 0, 255, np.asarray(palette.convert("RGB")))
    save_reference("palette-alpha.ppm", on_white)

    save("png/rgb.png", encoded(photo, "PNG"))
    save("png/interlaced.png", png_interlaced(rgb))
    save("png/rgba.png", encoded(rgba, "PNG"))
    save("png/grey.png", encoded(photo.convert("L"), "PNG"))
    save("png/grey-alpha.png", encoded(Image.fromarray(np.dstack([grey, alpha]), "LA"), "PNG"))
    save("png/palette.png", encoded(palette, "PNG"))
    save("png/palette-alpha.png", encoded(palette, "PNG", transparency=0))
    save("png/bits.png", encoded(bits, "PNG"))
    save("png/rgb16.png", png(wide[..., :3], 16, 2))
    save("png/rgba16.png", png(wide, 16, 6))
    save("png/grey16.png", png(wide[..., :1], 16, 0))

    save("webp/lossless.webp", encoded(photo, "WEBP", lossless=True))
    save("webp/lossless-alpha.webp", encoded(rgba, "WEBP", lossless=True, exact=True))
    lossy = encoded(photo, "WEBP", quality=85)
    save("webp/lossy.webp", lossy)
    save_reference("webp/lossy.ppm", opened(lossy).convert("RGB"))

    save("bmp/rgb.bmp", encoded(photo, "BMP"))
    save("bmp/palette.bmp", encoded(palette, "BMP"))
    save("bmp/grey.bmp", encoded(photo.convert("L"), "BMP"))
    save("bmp/bits.bmp", encoded(bits, "BMP"))

    save("tiff/rgb.tif", encoded(photo, "TIFF"))
    save("tiff/lzw.tif", encoded(photo, "TIFF", compression="tiff_lzw"))
    save("tiff/deflate.tif", encoded(photo, "TIFF", compression="tiff_adobe_deflate"))
    save("tiff/packbits.tif", encoded(photo, "TIFF", compression="packbits"))
    save("tiff/rgba.tif", encoded(rgba, "TIFF", compression="tiff_lzw"))
    save("tiff/grey.tif", encoded(photo.convert("L"), "TIFF", compression="tiff_lzw"))
    save("tiff/bits.tif", encoded(bits, "TIFF"))
    save("tiff/grey16.tif", encoded(Image.fromarray(wide[..., 0]), "TIFF", compression="tiff_lzw"))
    save("tiff/palette.tif", encoded(palette, "TIFF"))
    save("tiff/float.tif", encoded(Image.fromarray(np.float32(grey) / 255), "TIFF"))


def oriented_files(photo):
    upright = photo.resize((31, 20), Image.BOX)
    for value in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = value
        save(f"exif/{value}.png", encoded(upright, "PNG", exif=exif))
        save(f"exif/{value}.webp", encoded(upright, "WEBP", lossless=True, exif=exif))
        save(f"exif/{value}.tif", encoded(upright, "TIFF", tiffinfo={0x0112: value}, compression="tiff_lzw"))
        save(f"exif/{value}.jpg", encoded(upright, "JPEG", quality=95, subsampling=0, exif=exif))
        transposed = ImageOps.exif_transpose(opened(encoded(upright, "PNG", exif=exif)))
        save_reference(f"exif/{value}.ppm", transposed.convert("RGB"))
        transposed = ImageOps.exif_transpose(opened((HERE / f"exif/{value}.jpg").read_bytes()))
        save_reference(f"exif/{value}-jpeg.ppm", transposed.convert("RGB"))


def yuv_files():
    """Frames of an odd size, so that the size of the chroma planes is rounded up. Samples are random bytes."""
    width, height = 37, 23
    columns, rows = (width + 1) // 2, (height + 1) // 2
    y = RNG.integers(0, 256, (height, width), dtype=np.uint8)
    u = RNG.integers(0, 256, (rows, columns), dtype=np.uint8)
    v = RNG.integers(0, 256, (rows, columns), dtype=np.uint8)
    save("yuv/i420.bin", y.tobytes() + u.tobytes() + v.tobytes())
    save("yuv/nv12.bin", y.tobytes() + np.dstack([u, v]).tobytes())
    save("yuv/nv21.bin", y.tobytes() + np.dstack([v, u]).tobytes())

    def nearest(plane):
        return plane.repeat(2, axis=0).repeat(2, axis=1)[:height, :width].astype(np.float64)

    for matrix, (kr, kb) in {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}.items():
        # The matrix is the inverse of the standard's definition of Y, Pb and Pr by R, G and B.
        kg = 1 - kr - kb
        forward = np.array([[kr, kg, kb], [0, 0, 0], [0, 0, 0]])
        forward[1] = (np.array([0, 0, 1]) - forward[0]) / (2 * (1 - kb))
        forward[2] = (np.array([1, 0, 0]) - forward[0]) / (2 * (1 - kr))
        inverse = np.linalg.inv(forward)
        for extent, (black, luma_range, chroma_range) in {"limited": (16, 219, 224), "full": (0, 255, 255)}.items():
            luma = (y - float(black)) / luma_range
            analog = np.dstack([luma, (nearest(u) - 128) / chroma_range, (nearest(v) - 128) / chroma_range])
            rgb = np.rint(analog @ inverse.T * 255).clip(0, 255)
            save_reference(f"yuv/{matrix}-{extent}.ppm", rgb)


def pattern(name, width, height):
    """A test pattern. The tests compute it by the same formulas (src/preprocess/tests.rs)."""
    x, y = np.meshgrid(np.arange(width, dtype=np.uint64), np.arange(height, dtype=np.uint64))
    if name == "checkerboard":
        return np.dstack([(x + y) % 2 * 255] * 3).astype(np.uint8)
    if name == "lines":
        return np.dstack([(x % 7 == 3) * 255, (y % 11 == 5) * 255, ((x % 7 == 3) | (y % 11 == 5)) * 255]).astype(np.uint8)
    if name == "gradient":
        return np.dstack([x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), (x + y) % 256]).astype(np.uint8)
    if name == "noise":
        channels = [((x * 2654435761 + y * 2246822519 + c * 3266489917) ^ (x * y * 668265263)) % 2**32 for c in range(3)]
        return np.dstack([(c * 374761393 % 2**32) >> np.uint64(24) for c in channels]).astype(np.uint8)
    raise ValueError(name)


def resized_by_torchvision(image, shorter_side, size, resample):
    """The result of torchvision's Resize(shorter_side) and CenterCrop(size), computed by their documented rules."""
    width, height = image.size
    if width <= height:
        new = (shorter_side, int(shorter_side * height / width))
    else:
        new = (int(shorter_side * width / height), shorter_side)
    image = image.resize(new, resample)
    left = int(round((new[0] - size[0]) / 2.0))
    top = int(round((new[1] - size[1]) / 2.0))
    return image.crop((left, top, left + size[0], top + size[1]))


def resize_files(photo):
    cases = [
        # (pattern, size, policy, size of the result, colour, shorter side of a crop or fill of a letterbox)
        ("photo", None, "stretch", (64, 64), "rgb", None),
        ("photo", None, "stretch", (112, 80), "bgr", None),
        ("photo", None, "stretch", (61, 47), "gray", None),
        ("photo", None, "crop", (64, 64), "rgb", 73),
        ("photo", None, "crop", (64, 64), "gray", None),
        ("photo", None, "letterbox", (64, 64), "rgb", 114),
        ("photo", None, "stretch", (189, 189), "rgb", None),
    ]
    for name in ["checkerboard", "lines", "gradient", "noise"]:
        cases += [
            (name, (301, 227), "stretch", (64, 64), "rgb", None),
            (name, (256, 192), "stretch", (64, 48), "rgb", None),
            (name, (97, 61), "stretch", (96, 96), "rgb", None),
            (name, (31, 20), "stretch", (65, 64), "rgb", None),
            (name, (1333, 750), "stretch", (32, 32), "rgb", None),
            (name, (301, 227), "crop", (64, 63), "rgb", 71),
            (name, (60, 131), "crop", (48, 48), "rgb", 64),
            (name, (301, 227), "letterbox", (64, 64), "rgb", 0),
            (name, (50, 131), "letterbox", (63, 64), "gray", 255),
            # For very wide and very tall pictures, the order of the two passes differs.
            (name, (1999, 10), "stretch", (32, 32), "rgb", None),
            (name, (10, 1999), "stretch", (32, 32), "rgb", None),
            (name, (1999, 10), "crop", (32, 32), "rgb", 40),
            (name, (10, 1999), "crop", (32, 32), "rgb", None),
            (name, (1999, 3), "letterbox", (32, 32), "rgb", 7),
            (name, (1, 1), "stretch", (5, 4), "rgb", None),
            (name, (4096, 3), "stretch", (16, 3), "rgb", None),
        ]
    filtered = [("bilinear", case) for case in cases]
    filtered += [("bicubic", case) for case in cases if case[0] in ("photo", "lines", "noise")]
    listed = []
    for number, (filter, (name, size, policy, to, color, extra)) in enumerate(filtered):
        resample = Image.Resampling[filter.upper()]
        image = photo if name == "photo" else Image.fromarray(pattern(name, *size))
        shorter_side = (extra or max(to)) if policy == "crop" else None
        image = image.convert("L") if color == "gray" else image
        if policy == "stretch":
            made = image.resize(to, resample)
        elif policy == "crop":
            made = resized_by_torchvision(image, shorter_side, to, resample)
        elif min(image.size) > 3:
            made = ImageOps.pad(image, to, resample, fill(image, extra))
        else:
            made = padded(image, to, extra, resample)
        array = np.asarray(made.convert("RGB"))
        array = array[..., ::-1] if color == "bgr" else array
        save_reference(f"resize/{number:02}.ppm", array)
        listed.append(
            {
                "pattern": name,
                "width": image.size[0],
                "height": image.size[1],
                "input": {
                    "color": color,
                    "width": to[0],
                    "height": to[1],
                    "resize": {"policy": policy, "filter": filter}
                    | ({"shorter_side": extra} if policy == "crop" and extra else {})
                    | ({"fill": extra} if policy == "letterbox" else {}),
                    "mean": [0.5] if color == "gray" else [0.485, 0.456, 0.406],
                    "std": [0.5] if color == "gray" else [0.229, 0.224, 0.225],
                },
            }
        )
    save_reference("resize/photo.ppm", photo)
    save("resize/cases.json", (json.dumps(listed, indent=0) + "\n").encode())


def fill(image, level):
    return level if image.mode == "L" else (level,) * 3


def padded(image, to, level, resample):
    """The letterbox of a picture that `ImageOps.contain` would make 0 pixels high: one line in the middle."""
    strip = image.resize((to[0], 1), resample)
    made = Image.new(image.mode, to, fill(image, level))
    made.paste(strip, (0, round((to[1] - 1) * 0.5)))
    return made


def main():
    photo = Image.open(sys.argv[1]).convert("RGB")
    small = photo.crop((80, 60, 80 + 97, 60 + 71))
    jpeg_files(small)
    scaled_files(photo.crop((2, 30, 2 + 253, 30 + 189)))
    other_files(small)
    oriented_files(photo.crop((80, 60, 80 + 124, 60 + 80)))
    yuv_files()
    resize_files(photo.crop((2, 30, 2 + 253, 30 + 189)))


main()
