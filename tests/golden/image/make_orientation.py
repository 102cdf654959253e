"""Writes `orientation/`: small pictures with orientation metadata, and what Pillow's `ImageOps.exif_transpose` gives.

    python make_orientation.py

It reads nothing. Pillow 13.0.0 is pinned. `1.ppm` to `8.ppm` are the picture in the eight orientations. `cases.json` has
one file a line, in base64, with the orientation that Pillow applied, 1 to 8. It is found by comparing pixels.

If Pillow refuses a file, the case has the name of its exception, and the orientation is 1 (docs/limits.md). A big-endian
BigTIFF, which Pillow can't read, has the orientation of its tag.

The script makes the files byte by byte (EXIF 2.32, TIFF 6.0, ISO/IEC 15948, RFC 9649), because Pillow can't write
damaged files.
"""

import base64
import io
import json
import pathlib
import struct
import warnings
import zlib

from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent / "orientation"

# Each 8×8 block has one level, so that JPEG is lossless.
LEVELS = [[10, 60, 110], [160, 210, 250]]
SIDE = 8
PICTURE = Image.new("L", (3 * SIDE, 2 * SIDE))
for row, levels in enumerate(LEVELS):
    for column, level in enumerate(levels):
        PICTURE.paste(level, (column * SIDE, row * SIDE, (column + 1) * SIDE, (row + 1) * SIDE))

PREFIX = b"Exif\0\0"
BIG = "BigTIFF, MM"
SHORT, LONG, ASCII = 3, 4, 2
# Tags of TIFF and EXIF.
MAKE, ORIENTATION, XMP, EXIF_DIRECTORY = 0x010F, 0x0112, 700, 0x8769


# What follows writes the structure of TIFF, which EXIF has too.


def entry(tag, kind, count, value, order="<"):
    """An entry of a directory, 12 bytes. A value of bytes is written as it is."""
    value = value if isinstance(value, bytes) else struct.pack(order + ("H" if kind == SHORT else "L"), value)
    return struct.pack(order + "HHL", tag, kind, count) + value.ljust(4, b"\0")


def tiff_header(order="<", first=8):
    return (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, first)


def directory(*entries, order="<", following=0, declared=None):
    count = len(entries) if declared is None else declared
    return struct.pack(order + "H", count) + b"".join(entries) + struct.pack(order + "L", following)


def exif(value, order="<"):
    """EXIF with an orientation alone."""
    return tiff_header(order) + directory(entry(ORIENTATION, SHORT, 1, value, order), order=order)


def with_thumbnail(value, order="<"):
    """EXIF whose second directory, that of a thumbnail, has another orientation."""
    second = 8 + 2 + 12 + 4
    first = directory(entry(ORIENTATION, SHORT, 1, value, order), order=order, following=second)
    return tiff_header(order) + first + directory(entry(ORIENTATION, SHORT, 1, value % 8 + 1, order), order=order)


# What follows writes containers with EXIF and XMP.


def segment(marker, body):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(*blocks, late=b""):
    out = io.BytesIO()
    PICTURE.save(out, "JPEG", quality=100, optimize=True)
    plain = out.getvalue()
    assert Image.open(io.BytesIO(plain)).tobytes() == PICTURE.tobytes()
    # The JFIF segment is left out, because Pillow reads EXIF early only if no resolution is declared.
    return plain[:2] + b"".join(blocks) + plain[20:] + late


def jpeg_exif(block):
    return segment(0xE1, PREFIX + block)


def jpeg_xmp(text):
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + text)


def chunk(kind, body):
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))


def png(*chunks, late=b""):
    width, height = PICTURE.size
    rows = b"".join(b"\0" + PICTURE.tobytes()[y * width : (y + 1) * width] for y in range(height))
    header = chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + data + late + chunk(b"IEND", b"")


def frame_control(number):
    width, height = PICTURE.size
    return chunk(b"fcTL", struct.pack(">LLLLLHHBB", number, width, height, 0, 0, 1, 10, 0, 0))


def apng(*first, second=b"", frames=2):
    """An animation of two frames, with chunks behind the pixels of the first and before those of the second."""
    still = png()
    end = still[-12:]
    at = still.index(b"IDAT") - 4
    pixels = still[at + 8 : -12 - 4]
    control = chunk(b"acTL", struct.pack(">LL", frames, 0)) if frames else b""
    moved = frame_control(1) + second + chunk(b"fdAT", struct.pack(">L", 2) + pixels)
    return still[:at] + control + frame_control(0) + still[at:-12] + b"".join(first) + moved + end


def profile(block, name="exif"):
    """A raw profile as ImageMagick writes it: name, length, and 36 bytes a line in hexadecimal."""
    digits = block.hex()
    lines = [digits[i : i + 72] for i in range(0, len(digits), 72)]
    return ("\n%s\n%8d\n" % (name, len(block)) + "\n".join(lines) + "\n").encode()


def text(kind, keyword, value):
    bodies = {
        "tEXt": lambda: keyword + b"\0" + value,
        "zTXt": lambda: keyword + b"\0\0" + zlib.compress(value, 9),
        "iTXt": lambda: keyword + b"\0\0\0\0\0" + value,
        "iTXt compressed": lambda: keyword + b"\0\1\0\0\0" + zlib.compress(value, 9),
    }
    return chunk(kind[:4].encode(), bodies[kind]())


def raw_profile(block, kind="zTXt", name="exif"):
    return text(kind, b"Raw profile type " + name.encode(), profile(block, name))


PNG_XMP = b"XML:com.adobe.xmp"


def riff(kind, body):
    return kind + struct.pack("<L", len(body)) + body + b"\0" * (len(body) % 2)


def webp_data():
    out = io.BytesIO()
    PICTURE.convert("RGB").save(out, "WEBP", lossless=True, method=6)
    return out.getvalue()[12:]


def webp_file(chunks):
    return b"RIFF" + struct.pack("<L", len(chunks) + 4) + b"WEBP" + chunks


def webp(*chunks, early=b"", flags=None):
    """A WebP file with chunks. The flags of VP8X are those of the chunks, 8 for EXIF and 4 for XMP, unless given."""
    after = b"".join(chunks)
    if flags is None:
        flags = 8 * (b"EXIF" in early + after) + 4 * (b"XMP " in after)
    size = b"".join(struct.pack("<L", side - 1)[:3] for side in PICTURE.size)
    return webp_file(riff(b"VP8X", bytes([flags, 0, 0, 0]) + size) + early + webp_data() + after)


def webp_animated(value):
    out = io.BytesIO()
    frames = [PICTURE.convert("RGB"), Image.new("RGB", PICTURE.size, "red")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], lossless=True, exif=PREFIX + exif(value))
    return out.getvalue()


def packed_rows():
    """The pixels in PackBits coding, as runs of eight."""
    rows = [b"".join(bytes([257 - SIDE, level]) for level in levels) for levels in LEVELS]
    return b"".join(row * SIDE for row in rows)


def tiff(*more, order="<", data=b"", page_after=False):
    """A TIFF of one page, or of two pages with different orientations. `data` is at offset 300."""
    pixels = packed_rows()
    width, height = PICTURE.size

    def page(at, entries, following):
        fields = [
            entry(256, LONG, 1, width, order),
            entry(257, LONG, 1, height, order),
            entry(258, SHORT, 1, 8, order),
            entry(259, LONG, 1, 32773, order),
            entry(262, SHORT, 1, 1, order),
            entry(273, LONG, 1, 8, order),
            *entries,
            entry(277, SHORT, 1, 1, order),
            entry(278, LONG, 1, height, order),
            entry(279, LONG, 1, len(pixels), order),
        ]
        fields.sort(key=lambda field: struct.unpack(order + "H", field[:2]))
        return directory(*fields, order=order, following=following)

    at = 8 + len(pixels)
    first = page(at, more, 0)
    file = tiff_header(order, at) + pixels + first
    if page_after:
        otherwise = entry(ORIENTATION, SHORT, 1, 3, order)
        file = tiff_header(order, at) + pixels + page(at, more, len(file)) + page(len(file), [otherwise], 0)
    return file.ljust(300, b"\0") + data if data else file


def bigtiff(value, order):
    pixels = packed_rows()
    width, height = PICTURE.size
    fields = [(256, width), (257, height), (258, 8), (259, 32773), (262, 1), (273, 16), (ORIENTATION, value)]
    fields += [(277, 1), (278, height), (279, len(pixels))]
    entries = b"".join(
        struct.pack(order + "HHQ", tag, SHORT, 1) + struct.pack(order + "H", number).ljust(8, b"\0")
        for tag, number in fields
    )
    first = struct.pack(order + "HHHQ", 43, 8, 0, 16 + len(pixels))
    return (b"II" if order == "<" else b"MM") + first + pixels + struct.pack(order + "Q", len(fields)) + entries + bytes(8)


def xmp(value, form="attribute"):
    if form == "attribute":
        return b'<rdf:Description tiff:Orientation="%s"/>' % value
    if form == "single quotes":
        return b"<rdf:Description tiff:Orientation='%s'/>" % value
    return b"<tiff:Orientation>%s</tiff:Orientation>" % value


# What follows makes the cases. Their names are in `cases.json`.


def valid(value):
    """(name, file) for every place that can hold an orientation."""
    yield "JPEG, EXIF, II", jpeg(jpeg_exif(exif(value)))
    yield "JPEG, EXIF, MM", jpeg(jpeg_exif(exif(value, ">")))
    yield "JPEG, thumbnail that says otherwise, II", jpeg(jpeg_exif(with_thumbnail(value)))
    yield "JPEG, thumbnail that says otherwise, MM", jpeg(jpeg_exif(with_thumbnail(value, ">")))
    others = [segment(0xE0, b"JFIF\0\1\1\1\0\1\0\1\0\0"), segment(0xE2, b"ICC_PROFILE\0\1\1"), segment(0xFE, b"comment")]
    yield "JPEG, EXIF after other segments", jpeg(*others, jpeg_xmp(xmp(b"%d" % (value % 8 + 1))), jpeg_exif(exif(value)))
    yield "PNG, eXIf, II", png(chunk(b"eXIf", exif(value)))
    yield "PNG, eXIf, MM", png(chunk(b"eXIf", exif(value, ">")))
    yield "PNG, eXIf after the pixels", png(late=chunk(b"eXIf", exif(value)))
    for kind in ["tEXt", "zTXt", "iTXt", "iTXt compressed"]:
        yield f"PNG, raw profile, {kind}", png(raw_profile(PREFIX + exif(value, ">"), kind))
    yield "PNG, raw profile after the pixels", png(late=raw_profile(PREFIX + exif(value)))
    yield "WebP, II", webp(riff(b"EXIF", exif(value)))
    yield "WebP, MM", webp(riff(b"EXIF", exif(value, ">")))
    yield "WebP, prefix, II", webp(riff(b"EXIF", PREFIX + exif(value)))
    yield "WebP, prefix, MM", webp(riff(b"EXIF", PREFIX + exif(value, ">")))
    yield "TIFF, II", tiff(entry(ORIENTATION, SHORT, 1, value))
    yield "TIFF, MM", tiff(entry(ORIENTATION, SHORT, 1, value, ">"), order=">")
    yield "TIFF, second page that says otherwise", tiff(entry(ORIENTATION, SHORT, 1, value), page_after=True)
    yield "BigTIFF, II", bigtiff(value, "<")
    yield BIG, bigtiff(value, ">")
    yield "JPEG, XMP", jpeg(jpeg_xmp(xmp(b"%d" % value)))
    yield "PNG, XMP", png(text("iTXt", PNG_XMP, xmp(b"%d" % value, "element")))
    yield "WebP, XMP", webp(riff(b"XMP ", xmp(b"%d" % value)))
    described = xmp(b"%d" % value)
    yield "TIFF, XMP", tiff(entry(XMP, 1, len(described), struct.pack("<L", 300)), data=described)


def uncommon():
    """(name, file) of unusual containers, of those with two orientations, and of those with damaged chunks."""
    six, three = exif(6), exif(3)
    yield "JPEG, EXIF after the tables", jpeg()[:2] + jpeg()[2:-2].replace(b"\xff\xc0", jpeg_exif(six) + b"\xff\xc0", 1) + b"\xff\xd9"
    yield "JPEG, EXIF after the picture", jpeg(late=jpeg_exif(six))
    yield "JPEG, two EXIF segments", jpeg(jpeg_exif(six), jpeg_exif(three))
    for at in [0, 5, 12, len(six)]:
        yield f"JPEG, EXIF split at {at}", jpeg(jpeg_exif(six[:at]), jpeg_exif(six[at:]))
    yield "JPEG, fill bytes before EXIF", jpeg(b"\xff\xff\xff" + jpeg_exif(six))
    yield "JPEG, prefix in lower case", jpeg(segment(0xE1, b"exif\0\0" + six))
    yield "JPEG, prefix twice", jpeg(jpeg_exif(PREFIX + six))
    yield "JPEG, no EXIF, XMP in its own words", jpeg(jpeg_xmp(xmp(b"6", "single quotes")))
    yield "JPEG, EXIF without orientation, XMP", jpeg(jpeg_exif(tiff_header() + directory()), jpeg_xmp(xmp(b"6")))
    yield "JPEG, EXIF that is none, XMP", jpeg(jpeg_exif(b"nothing"), jpeg_xmp(xmp(b"6")))
    yield "JPEG, EXIF out of range, XMP", jpeg(jpeg_exif(exif(9)), jpeg_xmp(xmp(b"6")))
    yield "JPEG, two XMP segments", jpeg(jpeg_xmp(xmp(b"6")), jpeg_xmp(xmp(b"3")))
    for value in [b"0", b"9", b"66", b"six"]:
        yield f"JPEG, XMP {value.decode()}", jpeg(jpeg_xmp(xmp(value)))
    yield "JPEG, XMP twice in one", jpeg(jpeg_xmp(xmp(b"six") + xmp(b"6", "element") + xmp(b"3")))

    yield "PNG, two eXIf", png(chunk(b"eXIf", six), chunk(b"eXIf", three))
    yield "PNG, eXIf before and after the pixels", png(chunk(b"eXIf", six), late=chunk(b"eXIf", three))
    yield "PNG, eXIf after the end", png() + chunk(b"eXIf", six)
    yield "PNG, eXIf, and another after the end", png(chunk(b"eXIf", six)) + chunk(b"eXIf", three)
    yield "APNG, eXIf behind the first frame", apng(chunk(b"eXIf", six))
    yield "APNG, eXIf in front of the second frame", apng(second=chunk(b"eXIf", six))
    yield "APNG, eXIf on both sides", apng(chunk(b"eXIf", six), second=chunk(b"eXIf", three))
    yield "APNG of one frame, eXIf behind another's control", apng(second=chunk(b"eXIf", six), frames=1)
    yield "PNG, eXIf behind a frame's control", apng(second=chunk(b"eXIf", six), frames=0)
    yield "PNG, eXIf with a prefix", png(chunk(b"eXIf", PREFIX + six))
    yield "PNG, eXIf, then a raw profile", png(chunk(b"eXIf", six), raw_profile(PREFIX + three))
    yield "PNG, a raw profile, then eXIf", png(raw_profile(PREFIX + six), chunk(b"eXIf", three))
    yield "PNG, two raw profiles", png(raw_profile(PREFIX + six), raw_profile(PREFIX + three, "tEXt"))
    yield "PNG, raw profile without a prefix", png(raw_profile(six))
    yield "PNG, raw profile APP1", png(raw_profile(PREFIX + six, name="APP1"))
    yield "PNG, raw profile app1", png(raw_profile(PREFIX + six, "tEXt", name="app1"))
    yield "PNG, EXIF as text", png(text("tEXt", b"exif", PREFIX + six))
    yield "PNG, EXIF as text, then eXIf", png(text("tEXt", b"exif", PREFIX + six), chunk(b"eXIf", three))
    yield "PNG, eXIf, then EXIF as text", png(chunk(b"eXIf", three), text("tEXt", b"exif", PREFIX + six))
    yield "PNG, raw profile without its keyword's end", png(chunk(b"tEXt", b"Raw profile type exif"))
    yield "PNG, raw profile of too few lines", png(text("tEXt", b"Raw profile type exif", b"\nexif\n"))
    wrong = profile(PREFIX + six)
    yield "PNG, raw profile of wrong length", png(text("tEXt", b"Raw profile type exif", wrong.replace(b"32", b"99")))
    yield "PNG, raw profile of capitals", png(text("tEXt", b"Raw profile type exif", wrong.upper()))
    yield "PNG, raw profile with spaces", png(text("tEXt", b"Raw profile type exif", wrong.replace(b"00", b"00 \t\r\n")))
    yield "PNG, raw profile of odd digits", png(text("tEXt", b"Raw profile type exif", wrong[:-2] + b"\n"))
    yield "PNG, raw profile of no digits", png(text("tEXt", b"Raw profile type exif", wrong.replace(b"4d4d", b"zzzz").replace(b"4949", b"zzzz")))
    packed = zlib.compress(wrong, 9)
    key = b"Raw profile type exif\0"
    yield "PNG, raw profile by another method", png(chunk(b"zTXt", key + b"\1" + packed))
    yield "PNG, raw profile, no zlib data", png(chunk(b"zTXt", key + b"\0" + b"\xff" + packed[1:]))
    yield "PNG, raw profile, wrong checksum of zlib", png(chunk(b"zTXt", key + b"\0" + packed[:-1] + b"\0"))
    stored = zlib.compress(wrong, 0)
    yield "PNG, raw profile, zlib without its checksum", png(chunk(b"zTXt", key + b"\0" + stored[:-4]))
    yield "PNG, raw profile, zlib cut off", png(chunk(b"zTXt", key + b"\0" + stored[:-9]))
    yield "PNG, raw profile of 1 MiB", png(text("zTXt", key[:-1], wrong + b"\n" * (2**20 - len(wrong))))
    yield "PNG, raw profile of more than 1 MiB", png(text("zTXt", key[:-1], wrong + b"\n" * (2**20 + 1 - len(wrong))))
    yield "PNG, raw profile, iTXt by another method", png(chunk(b"iTXt", key + b"\1\1\0\0" + packed))
    yield "PNG, raw profile, iTXt cut off", png(chunk(b"iTXt", key + b"\0"))
    yield "PNG, raw profile, iTXt with a language", png(chunk(b"iTXt", key + b"\0\0de\0Profil\0" + wrong))
    broken = bytearray(chunk(b"eXIf", six))
    broken[-1] ^= 1
    yield "PNG, eXIf of a wrong checksum", png(bytes(broken))
    yield "PNG, XMP compressed", png(text("iTXt compressed", PNG_XMP, xmp(b"6")))
    yield "PNG, XMP as plain text", png(text("tEXt", PNG_XMP, xmp(b"6")))
    yield "PNG, XMP after the pixels", png(late=text("iTXt", PNG_XMP, xmp(b"6")))
    yield "PNG, eXIf without orientation, XMP", png(chunk(b"eXIf", tiff_header() + directory()), text("iTXt", PNG_XMP, xmp(b"6")))

    yield "WebP, prefix twice", webp(riff(b"EXIF", PREFIX + PREFIX + six))
    yield "WebP, prefix thrice", webp(riff(b"EXIF", PREFIX * 3 + six))
    yield "WebP, EXIF of odd length", webp(riff(b"EXIF", six + b"\0"))
    yield "WebP, EXIF before the pixels", webp(early=riff(b"EXIF", six))
    yield "WebP, two EXIF chunks", webp(riff(b"EXIF", six), riff(b"EXIF", three))
    yield "WebP, EXIF without its flag", webp(riff(b"EXIF", six), flags=0)
    yield "WebP, XMP without its flag", webp(riff(b"XMP ", xmp(b"6")), flags=0)
    yield "WebP, EXIF behind a simple file", webp_file(webp_data() + riff(b"EXIF", six))
    yield "WebP, EXIF behind an unknown chunk", webp(riff(b"ABCD", b"12345"), riff(b"EXIF", six))
    yield "WebP, EXIF without orientation, XMP", webp(riff(b"EXIF", tiff_header() + directory()), riff(b"XMP ", xmp(b"6")))
    yield "WebP, animated", webp_animated(6)
    yield "WebP, EXIF announced and missing", webp(flags=8)
    yield "WebP, XMP announced and missing", webp(riff(b"EXIF", six), flags=12)
    yield "WebP, EXIF announced and missing, XMP", webp(riff(b"XMP ", xmp(b"6")), flags=12)
    end = webp(riff(b"EXIF", six))
    yield "WebP, EXIF behind the declared end", end[:4] + struct.pack("<L", len(end) - 8 - 34) + end[8:]

    described = xmp(b"6")
    at = struct.pack("<L", 300)
    yield "TIFF, XMP beside the tag", tiff(entry(XMP, 1, len(described), at), entry(ORIENTATION, SHORT, 1, 3), data=described)
    yield "TIFF, XMP of undefined type", tiff(entry(XMP, 7, len(described), at), data=described)
    sub = directory(entry(ORIENTATION, SHORT, 1, 6))
    yield "TIFF, orientation in EXIF's directory", tiff(entry(EXIF_DIRECTORY, LONG, 1, 300), data=sub)


def fields(offset):
    """(name, entry of the orientation, data at `offset` that it refers to), valid or not."""
    for kind in [*range(0, 19), 129, 65535]:
        yield f"type {kind}", entry(ORIENTATION, kind, 1, b"\6\0\0\0"), b""
    for value in [0, 9, 255, 256, 262, 65535]:
        yield f"value {value}", entry(ORIENTATION, SHORT, 1, value), b""
    yield "long 65542", entry(ORIENTATION, LONG, 1, 65536 + 6), b""
    yield "signed long -6", entry(ORIENTATION, 9, 1, struct.pack("<l", -6)), b""
    at = struct.pack("<L", offset)
    for count in [0, 2, 3, 8, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]:
        inline = b"\6\0\x08\0" if count * 2 <= 4 else at
        yield f"count {count}", entry(ORIENTATION, SHORT, count, inline), b"\6\0\x08\0" * 4
    yield "count 2, long", entry(ORIENTATION, LONG, 2, at), struct.pack("<LL", 6, 8)
    yield "count 4, signed bytes", entry(ORIENTATION, 6, 4, b"\6\7\x08\1"), b""
    yield "text 6", entry(ORIENTATION, ASCII, 2, b"6\0"), b""
    for name, numerator, denominator in [("6/1", 6, 1), ("12/2", 12, 2), ("6/0", 6, 0), ("0/0", 0, 0), ("13/2", 13, 2)]:
        yield f"rational {name}", entry(ORIENTATION, 5, 1, at), struct.pack("<LL", numerator, denominator)
    yield "rational 6/1 and 3/1", entry(ORIENTATION, 5, 2, at), struct.pack("<LLLL", 6, 1, 3, 1)
    yield "signed rational -6/-1", entry(ORIENTATION, 10, 1, at), struct.pack("<ll", -6, -1)
    for value in [6.0, 6.5, float("nan"), float("inf")]:
        yield f"float {value}", entry(ORIENTATION, 11, 1, struct.pack("<f", value)), b""
        yield f"double {value}", entry(ORIENTATION, 12, 1, at), struct.pack("<d", value)
    yield "long8 6", entry(ORIENTATION, 16, 1, at), struct.pack("<Q", 6)
    for error in [-26, 0, 2, 3, 200, 0x7FFFFF00, 0xFFFFFE00]:
        yield f"three values, {error} bytes off", entry(ORIENTATION, SHORT, 3, struct.pack("<L", offset + error)), b"\6\0" * 4


def blocks():
    """(name, EXIF) with every entry of `fields`, and with those of `structures`."""
    for name, field, data in fields(26):
        yield name, tiff_header() + directory(field) + data
    yield from structures()


def structures():
    """(name, EXIF) with unusual or damaged parts outside of the entry of the orientation."""
    six = entry(ORIENTATION, SHORT, 1, 6)
    three = entry(ORIENTATION, SHORT, 1, 3)

    def before(name, field):
        yield f"orientation after {name}", tiff_header() + directory(field, six)
        yield f"orientation before {name}", tiff_header() + directory(six, field)

    yield from before("text beyond the end", entry(MAKE, ASCII, 20, struct.pack("<L", 4000)))
    yield from before("text at an absurd place", entry(MAKE, ASCII, 20, b"\xff\xff\xff\xff"))
    yield from before("text of an absurd length", entry(MAKE, ASCII, 0xFFFFFFFF, struct.pack("<L", 8)))
    yield from before("longs of an absurd number", entry(MAKE, LONG, 0x40000001, struct.pack("<L", 8)))
    yield from before("text over the directory", entry(MAKE, ASCII, 20, struct.pack("<L", 8)))
    yield from before("an unknown type", entry(MAKE, 77, 1, b"\6\0\0\0"))
    yield from before("an unknown type beyond the end", entry(MAKE, 77, 99, b"\xff\xff\xff\xff"))
    yield from before("no text", entry(MAKE, ASCII, 0, b""))
    yield from before("the same, 3", three)
    yield from before("the same of unknown type", entry(ORIENTATION, 77, 1, b"\3\0\0\0"))
    yield from before("the same, none of it", entry(ORIENTATION, SHORT, 0, b"\3\0\0\0"))
    yield from before("the same, out of range", entry(ORIENTATION, SHORT, 1, 9))
    text = entry(MAKE, ASCII, 20, struct.pack("<L", 8))
    beyond = entry(MAKE, ASCII, 20, struct.pack("<L", 4000))
    yield "orientation after text twice, then beyond the end", tiff_header() + directory(text, beyond, six)
    for length in [38, 39]:
        far = [entry(MAKE, ASCII, length, bytes(4)), entry(ORIENTATION, SHORT, 3, struct.pack("<L", 38))]
        yield f"{length} + 6 bytes far from the directory, of 44", tiff_header() + directory(*far) + b"\6\0" * 3

    good = exif(6)
    for first in [0, 2, 7, 9, len(good) - 2, len(good) - 1, len(good), 4000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]:
        yield f"first directory at {first}", tiff_header(first=first) + good[8:]
    yield "first directory at 20", tiff_header(first=20) + bytes(12) + good[8:]
    yield "directory that follows itself", tiff_header() + directory(six, following=8)
    yield "no orientation, directory that follows itself", tiff_header() + directory(following=8)
    yield "only in the second directory", tiff_header() + directory(following=14) + directory(six)
    sub = entry(EXIF_DIRECTORY, LONG, 1, 26)
    yield "only in EXIF's own directory", tiff_header() + directory(sub) + directory(six)
    yield "EXIF's own directory says otherwise", tiff_header() + directory(six, entry(EXIF_DIRECTORY, LONG, 1, 38)) + directory(three)
    yield "EXIF's own directory is the first", tiff_header() + directory(six, entry(EXIF_DIRECTORY, LONG, 1, 8))
    for declared in [0, 2, 100, 65535]:
        yield f"{declared} entries declared", tiff_header() + directory(six, declared=declared)
    for length in range(len(good)):
        yield f"cut off after {length}", good[:length]
    for name, start in [
        ("II, 42 turned", b"II\0*"),
        ("XX", b"XX*\0"),
        ("ii", b"ii*\0"),
        ("I", b"I"),
        ("IM", b"IM*\0"),
        ("II, 41", b"II)\0"),
        ("Exif without its end", b"Exif"),
    ]:
        yield f"header {name}", start + good[4:]
    yield "header MM, 42 turned", b"MM*\0" + exif(6, ">")[4:]
    yield "header II, the rest in MM", b"II*\0" + exif(6, ">")[4:]
    yield "zeros", bytes(40)
    yield "prefix with another end", b"Exif\0\xff" + good


def damaged():
    """(name, file) of containers with damaged EXIF."""
    for name, block in blocks():
        yield f"WebP, {name}", webp(riff(b"EXIF", block))
    for name, block in structures():
        yield f"JPEG, {name}", jpeg(jpeg_exif(block))
    for name, field, data in fields(300):
        yield f"TIFF, {name}", tiff(field, data=data)
    yield "PNG, eXIf, cut off", png(chunk(b"eXIf", exif(6)[:17]))
    yield "PNG, eXIf, empty", png(chunk(b"eXIf", b""))
    yield "PNG, eXIf, none", png(chunk(b"eXIf", b"nothing that is EXIF"))


def transposed(data):
    """(size, grey levels) of a file after `ImageOps.exif_transpose`."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("L")
    return picture.size, picture.tobytes()


def case(name, data, known, refused=1):
    """A case: the file with the orientation that Pillow applied, or with its exception and the orientation `refused`.

    `known` has what `transposed` gives for each orientation.
    """
    record = {"name": name, "file": base64.b64encode(data).decode()}
    try:
        found = transposed(data)
    except Exception as error:  # Pillow raises exceptions of many types
        return record | {"orientation": refused, "pillow": type(error).__name__}
    return record | {"orientation": known.index(found) + 1}


def main():
    warnings.simplefilter("ignore")
    HERE.mkdir(exist_ok=True)
    known = [transposed(png(chunk(b"eXIf", exif(value)))) for value in range(1, 9)]
    assert len(set(known)) == 8
    for value, (size, grey) in enumerate(known, 1):
        rgb = b"".join(bytes([level] * 3) for level in grey)
        (HERE / f"{value}.ppm").write_bytes(b"P6 %d %d 255\n" % size + rgb)

    cases = []
    for value in range(1, 9):
        for name, data in valid(value):
            made = case(f"{name}: {value}", data, known, refused=value)
            assert made["orientation"] == value and ("pillow" not in made or name == BIG), name
            cases.append(made)
    cases += [case(name, data, known) for name, data in [*uncommon(), *damaged()]]
    names = [made["name"] for made in cases]
    assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
    (HERE / "cases.json").write_text("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n")


if __name__ == "__main__":
    main()
