"""Writes bindings/wire.txt: what crosses the border between the Java classes and libbedside, one sample of each kind.

Java's and Rust's tests hold what they write and read against it, and the protocol number that both compare is a hash of
it. Numbers are big-endian. A text is its length in bytes, an int, and as much UTF-8; a list is its length, an int, and
its values; what may be left out is a byte, 0 or 1, and then the value. Where the form changes, change it here, run
`python3 bindings/wire.py`, and write the number that the tests name into Native.java.
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


def listed(*values):
    return integer(len(values)) + b"".join(values)


def given(value):
    return byte(1) + value


NOTHING = byte(0)

# The native methods, with their types as the JVM writes them; the last is called by the library.
METHODS = """
cancel (J)[B
check (J[B)[B
classifierFromBytes ([B[B)[B
classify (JJ[B)[B
classifyPlanes (JLjava/nio/ByteBuffer;Ljava/nio/ByteBuffer;Ljava/nio/ByteBuffer;[B[B)[B
closeCancelHandle (J)[B
closeClassifier (J)[B
closeImage (J)[B
identity (J)[B
imageFromBytes ([B)[B
imageFromPlanes (Ljava/nio/ByteBuffer;Ljava/nio/ByteBuffer;Ljava/nio/ByteBuffer;[B)[B
isCancelled (J)[B
loadTimesMs (J)[B
manifest (J[B)[B
mirrored (J)[B
newCancelHandle ()[B
openClassifier ([B)[B
openImage ([B)[B
protocol ()I
rotated (JI)[B
scopeReasons (J[B)[B
scores (JJ)[B
selfTest (J)[B
setLogger (Ldev/bedside/jni/Logger;I)[B
warmUp (J)[B
log (Ldev/bedside/jni/Logger;ILjava/lang/String;Ljava/lang/String;)V
"""

# What goes over by name, and by its place.
NAMES = """
ErrorKind io unsupported_image malformed_image too_large malformed_model unsupported_model invalid_manifest \
invalid_query cancelled self_test internal
Verdict single several no_finding rejected
ReasonKind scope_unanswered scope_no scope_out_of_range
Triage no_sign refer urgent unassessed
GoldenBy lab self
LogLevel error warn info debug trace
Rotation upright clockwise90 clockwise180 clockwise270
YuvMatrix bt601 bt709
YuvRange limited full
"""

QUERY = (
    given(integer(7)) + real(0.25) + texts("a", "б") + texts("c") + text("uk")
    + given(real(0.125) + real(0.25) + real(0.5) + real(0.375))
    + listed(text("a") + real(0.75), text("b") + real(0.25))
    + listed(text("q") + byte(0), text("r") + byte(1), text("s") + byte(2) + double(4.5))
)  # fmt: skip
DEFAULT_QUERY = NOTHING + real(0) + texts() + texts() + text("en") + NOTHING + listed() + listed()


def frame(layout, rotation, mirrored):
    return layout + byte(rotation) + byte(mirrored)


def packed(layout):
    return byte(layout) + integer(2) + integer(3) + integer(16)


def yuv(matrix, value_range):
    strides = b"".join(map(integer, (11, 12, 13, 14, 15, 16)))
    return byte(5) + integer(9) + integer(10) + strides + byte(matrix) + byte(value_range)


REQUESTS = {
    "options": integer(2) + long(3) + long(4) + long(5),
    "path": text("m.onnx"),
    "query": QUERY + NOTHING,
    "query_default": DEFAULT_QUERY + NOTHING,
    "query_cancel": DEFAULT_QUERY + given(long(0x0102030405060708)),
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
REASONS = listed(
    text("scope_no") + given(text("age")) + given(text("How old?")) + text("ask again"),
    text("scope_unanswered") + NOTHING + NOTHING + text("x"),
)
FINDINGS = listed(
    text("a") + text("Label A") + real(0.75) + real(0.5) + byte(1),
    text("b") + text("Label B") + real(0.25) + real(0.375) + byte(0),
)
TIMES = b"".join(map(double, (1, 2, 3, 4, 10)))
# A report ends with its words and its JSON, which are not in the sample.
REST = TIMES + IDENTITY + text("runtime") + text("4.5") + text("notice")

REPLIES = {
    "done": DONE,
    "failed": FAILED + text("too_large") + text("the picture"),
    "closed": CLOSED + text("image"),
    "handle": DONE + long(0x0102030405060708),
    "flag": DONE + byte(1),
    "scores": DONE + listed(real(0.75), real(0.25)),
    "self_test": DONE + given(text("self") + real(0.0078125)),
    "self_test_none": DONE + NOTHING,
    "identity": DONE + IDENTITY,
    "load_times": DONE + double(1.5) + double(2.5) + double(3.5),
    "reasons": DONE + REASONS,
    "report": DONE + text("several") + listed(text("a") + text("Label A"), text("b") + text("Label B")) + listed()
    + text("summary") + text("urgent") + text("advice") + FINDINGS + REST,
    "report_rejected": DONE + text("rejected") + listed() + REASONS
    + text("summary") + text("unassessed") + text("advice") + listed() + REST,
    # A manifest ends with its JSON, which is not in the sample.
    "manifest": DONE + text("tiny") + text("1.2") + text("CC0-1.0") + text("Назва") + text("use") + text("not")
    + listed(
        text("age") + text("How old?") + byte(1) + given(double(1)) + NOTHING,
        text("sex") + text("sex") + byte(0) + NOTHING + given(double(5.5)),
    )
    + listed(
        text("a") + text("Мітка А") + real(0.375) + text("urgent"),
        text("b") + text("Label B") + real(0.5) + text("no_sign"),
    ),
}  # fmt: skip


def lines():
    for kind, block in (("method", METHODS), ("names", NAMES)):
        yield from (f"{kind} {line}" for line in block.strip().splitlines())
    for kind, samples in (("request", REQUESTS), ("reply", REPLIES)):
        yield from (f"{kind} {name} {sample.hex()}" for name, sample in samples.items())


Path(__file__).with_suffix(".txt").write_text("\n".join(lines()) + "\n", encoding="utf-8", newline="\n")
