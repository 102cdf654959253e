"""Writes bindings/wire.txt: one sample of each message between the Java classes and libbedside.

    python3 bindings/wire.py

It reads nothing. The tests of Java and Rust compare what they write and read with these samples. The protocol number,
which both sides compare when the library is loaded, is a hash of the file.

Numbers are big-endian. A text is its length in bytes as an int, then its UTF-8. A list is its length as an int, then
its values. An optional value is a byte, 1 or 0, then the value if the byte is 1.

To change the form of a message, change it here and run the script. The tests then name the new protocol number, which
belongs into Native.java.
"""

import struct
from pathlib import Path


def byte(value):
    return struct.pack(">B", value)


def integer(value):
    return struct.pack(">i", value)


def long(value):
    return struct.pack(">q", value)


def real(value):
    return struct.pack(">f", value)


def double(value):
    return struct.pack(">d", value)


def text(value):
    return integer(len(value.encode())) + value.encode()


def texts(*values):
    return integer(len(values)) + b"".join(map(text, values))


def list_of(*values):
    return integer(len(values)) + b"".join(values)


def present(value):
    return byte(1) + value


ABSENT = byte(0)

# The native methods with their JVM type signatures. The library calls the last one, and Java calls the others.
METHODS = """
cancel (J)[B
check (J[B)[B
classifierFromBytes ([B[B)[B
classify (JJ[B)[B
classifyPlanes (JLjava/nio/ByteBuffer;Ljava/nio/ByteBuffer;Ljava/nio/ByteBuffer;[B[B)[B
closeCancelHandle (J)[B
closeClassifier (J)[B
closeImage (J)[B
frame (JI)[B
frames (J)[B
identity (J)[B
imageFromBytes ([B)[B
imageFromPlanes (Ljava/nio/ByteBuffer;Ljava/nio/ByteBuffer;Ljava/nio/ByteBuffer;[B)[B
isCancelled (J)[B
loadTimesMs (J)[B
manifest (J[B)[B
mirrored (J)[B
newCancelHandle ()[B
numberedWindow (JI)[B
openClassifier ([B)[B
openImage ([B)[B
overlay (J[B)[B
protocol ()I
rotated (JI)[B
scopeReasons (J[B)[B
scores (JJ)[B
selfTest (J)[B
setLogger (Ldev/bedside/jni/Logger;I)[B
shown (JI)[B
warmUp (J)[B
whole (J)[B
window (JDD)[B
log (Ldev/bedside/jni/Logger;ILjava/lang/String;Ljava/lang/String;)V
"""

# The enumerations. Some values are sent by their name and others by their index, so names and order both count.
NAMES = """
ErrorKind io unsupported_image malformed_image too_large malformed_model unsupported_model invalid_manifest \
invalid_query cancelled self_test internal
Verdict single several undecided rejected
ReasonKind scope_unanswered scope_no scope_out_of_range source too_small too_dark too_bright low_contrast \
out_of_focus colorless colored novel
WarningKind burned_in overlay other_region
Triage no_sign unassessed refer urgent
DecidedBy danger scope quality repeated_quality novelty label action undecided no_sign_not_shown uncalibrated
QuestionRole scope danger
Source camera file
ExplainMethod class_activation occlusion
GoldenBy lab self
LogLevel error warn info debug trace
Rotation upright clockwise90 clockwise180 clockwise270
YuvMatrix bt601 bt709
YuvRange limited full
"""

QUERY = (
    present(integer(7)) + real(0.25) + texts("a", "б") + texts("c") + text("uk")
    + present(real(0.125) + real(0.25) + real(0.5) + real(0.375))
    + list_of(text("a") + real(0.75), text("b") + real(0.25))
    + list_of(text("q") + byte(0), text("r") + byte(1), text("s") + byte(2) + double(4.5))
    + present(byte(1)) + integer(3) + present(present(text("a")) + byte(1))
)  # fmt: skip
DEFAULT_QUERY = ABSENT + real(0) + texts() + texts() + text("en") + ABSENT + list_of() + list_of() + ABSENT + integer(0) + ABSENT


def frame(layout, rotation, mirrored):
    return layout + byte(rotation) + byte(mirrored)


def packed(layout):
    return byte(layout) + integer(2) + integer(3) + integer(16)


def yuv(matrix, value_range):
    strides = b"".join(map(integer, (11, 12, 13, 14, 15, 16)))
    return byte(5) + integer(9) + integer(10) + strides + byte(matrix) + byte(value_range)


# What of a heatmap follows its label and its method.
MAP = (
    integer(2) + integer(1) + list_of(real(0.5), real(-0.25)) + b"".join(map(double, (4, 0.5, 0, 0.25, 2, -2)))
    + integer(8) + integer(6) + b"".join(map(double, (0, 1, 8, 5))) + real(0.5) + byte(1)
)  # fmt: skip

REQUESTS = {
    "options": integer(2) + long(3) + long(4) + long(5),
    "path": text("m.onnx"),
    "query": QUERY + ABSENT,
    "query_default": DEFAULT_QUERY + ABSENT,
    "query_cancel": DEFAULT_QUERY + present(long(0x0102030405060708)),
    "heatmap": text("a") + byte(1) + MAP,
    "frame_encoded": frame(byte(0), 1, 0),
    "frame_rgb8": frame(packed(1), 0, 1),
    "frame_rgba8": frame(packed(2), 0, 0),
    "frame_bgra8": frame(packed(3), 0, 0),
    "frame_gray8": frame(packed(4), 2, 0),
    "frame_yuv420": frame(yuv(1, 1), 3, 1),
    "frame_yuv420_limited": frame(yuv(0, 0), 0, 0),
}

DONE, FAILED, CLOSED = byte(0), byte(1), byte(2)
IDENTITY = text("tiny") + text("1.2") + text("abc")
REASONS = list_of(
    text("scope_no") + present(text("age")) + present(text("How old?")) + text("ask again"),
    text("scope_unanswered") + ABSENT + ABSENT + text("x"),
)
LABELS = list_of(
    text("a") + text("Label A") + text("refer"),
    text("b") + text("Label B") + text("no_sign"),
)
DANGER = list_of(text("bleeds") + text("Does it bleed?") + text("urgent"))
FINDINGS = list_of(
    text("a") + text("Label A") + real(0.75) + real(0.5) + byte(1),
    text("b") + text("Label B") + real(0.25) + real(0.375) + byte(0),
)
QUALITY = present(b"".join(map(real, (0.5, 0.25, 0.125, 0.375, 0.0625, 2))))
WARNINGS = list_of(text("overlay") + text("marks"))
GEOMETRY = present(integer(8) + integer(6) + b"".join(map(double, (0, 1, 8, 5))) + present(double(0.5) + double(0.25)) + byte(1))
NOVELTY = present(real(1.5) + real(2) + real(2.5))
HEATMAP = present(text("a") + text("occlusion") + MAP)
TIMES = b"".join(map(double, (1, 2, 3, 4, 10)))
# A whole report ends with its text and its JSON, which the sample leaves out.
REPORT_END = TIMES + IDENTITY + text("runtime") + text("4.5") + text("notice")

REPLIES = {
    "done": DONE,
    "failed": FAILED + text("too_large") + text("the picture"),
    "closed": CLOSED + text("image"),
    "handle": DONE + long(0x0102030405060708),
    "flag": DONE + byte(1),
    "file": DONE + text("PNG"),
    "scores": DONE + list_of(real(0.75), real(0.25)),
    "self_test": DONE + present(text("self") + real(0.0078125)),
    "self_test_none": DONE + ABSENT,
    "identity": DONE + IDENTITY,
    "load_times": DONE + double(1.5) + double(2.5) + double(3.5),
    "reasons": DONE + REASONS,
    "report": DONE + text("several") + LABELS + list_of() + text("summary") + text("urgent") + text("danger")
    + text("advice") + DANGER + FINDINGS + QUALITY
    + WARNINGS + GEOMETRY + NOVELTY + HEATMAP + REPORT_END,
    "report_rejected": DONE + text("rejected") + list_of() + REASONS
    + text("summary") + text("unassessed") + text("scope") + text("advice") + list_of() + list_of()
    + ABSENT + list_of() + ABSENT + ABSENT + ABSENT + REPORT_END,
    # A whole manifest ends with its JSON, which the sample leaves out.
    "manifest": DONE + text("tiny") + text("1.2") + text("CC0-1.0") + text("Назва") + text("use") + text("not")
    + text("none") + text("not assessed") + text("look") + text("look soon")
    + list_of(
        text("age") + text("How old?") + text("scope") + ABSENT + byte(1) + present(double(1)) + ABSENT,
        text("sex") + text("sex") + text("scope") + ABSENT + byte(0) + ABSENT + present(double(5.5)),
        text("bleeds") + text("bleeds") + text("danger") + present(text("urgent")) + byte(0) + ABSENT + ABSENT,
    )
    + list_of(
        text("a") + text("Мітка А") + present(real(0.375)) + text("urgent"),
        text("b") + text("Label B") + ABSENT + text("no_sign"),
        text("c") + text("Label C") + ABSENT + text("refer"),
    )
    + list_of(
        text("a") + text("Мітка А") + present(real(0.375)) + text("urgent"),
        text("bc") + text("Група") + present(real(0.25)) + text("refer"),
    ),
}  # fmt: skip


def lines():
    for kind, block in (("method", METHODS), ("names", NAMES)):
        yield from (f"{kind} {line}" for line in block.strip().splitlines())
    for kind, samples in (("request", REQUESTS), ("reply", REPLIES)):
        yield from (f"{kind} {name} {sample.hex()}" for name, sample in samples.items())


Path(__file__).with_suffix(".txt").write_text("\n".join(lines()) + "\n", encoding="utf-8", newline="\n")
