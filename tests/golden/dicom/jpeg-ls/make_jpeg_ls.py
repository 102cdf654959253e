"""Writes jpeg-ls.bin and jpeg-ls.json: JPEG-LS streams by CharLS, and their lengths, sizes (width, height, components,
bits) and the SHA-256 of their samples (interleaved by pixel, little-endian 16 bits).

Needs: pip install numpy imagecodecs pylibjpeg-libjpeg (CharLS is the library in imagecodecs' wheel).
Run: make_jpeg_ls.py [FOLDER [COUNT]]; with COUNT, that many random vectors in place of the committed set.

A restart interval, which CharLS does not write, is put together from the streams of the bands of lines: each is coded
as if it were a scan of its own (T.87 C.2.5), so RSTm between their coded data and a DRI segment make one stream.
Every stream is decoded again by CharLS, and where it can by libjpeg of the JPEG committee (an independent decoder).
"""
import ctypes, glob, hashlib, json, os, struct, sys
import imagecodecs, numpy as np
try:
    from libjpeg import decode as libjpeg_decode
except ImportError:
    libjpeg_decode = None
if os.environ.get("NO_LIBJPEG"):
    libjpeg_decode = None

site = os.path.dirname(os.path.dirname(imagecodecs.__file__))
lib = ctypes.CDLL(glob.glob(site + "/imagecodecs.libs/libcharls*")[0])
for name in ("encoder", "decoder"):
    create = getattr(lib, f"charls_jpegls_{name}_create")
    create.restype = ctypes.c_void_p
P, S, U = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32
lib.charls_jpegls_encoder_encode_from_buffer.argtypes = [P, P, S, U]
lib.charls_jpegls_encoder_set_destination_buffer.argtypes = [P, P, S]
lib.charls_jpegls_encoder_get_bytes_written.argtypes = [P, P]
lib.charls_jpegls_decoder_set_source_buffer.argtypes = [P, P, S]
lib.charls_jpegls_decoder_decode_to_buffer.argtypes = [P, P, S, U]


def check(code, what):
    if code:
        raise ValueError(f"{what}: CharLS error {code}")


def encode(a, bits, ilv=0, near=0, preset=None, hp=0):
    """Encodes an array of height, width, components."""
    h, w, n = a.shape
    dt = np.uint8 if bits <= 8 else np.dtype("<u2")
    raw = (np.moveaxis(a, 2, 0) if ilv == 0 else a).astype(dt).tobytes()
    e = P(lib.charls_jpegls_encoder_create())
    try:
        info = struct.pack("<IIii", w, h, bits, n)
        check(lib.charls_jpegls_encoder_set_frame_info(e, info), "frame")
        check(lib.charls_jpegls_encoder_set_near_lossless(e, near), "near")
        check(lib.charls_jpegls_encoder_set_interleave_mode(e, ilv), "ilv")
        if preset:
            check(lib.charls_jpegls_encoder_set_preset_coding_parameters(e, struct.pack("<5i", *preset)), "preset")
        if hp:
            check(lib.charls_jpegls_encoder_set_color_transformation(e, hp), "hp")
        out = ctypes.create_string_buffer(len(raw) * 4 + 4096)
        check(lib.charls_jpegls_encoder_set_destination_buffer(e, out, len(out)), "buffer")
        check(lib.charls_jpegls_encoder_encode_from_buffer(e, raw, len(raw), 0), "encode")
        written = S()
        check(lib.charls_jpegls_encoder_get_bytes_written(e, ctypes.byref(written)), "size")
        return out.raw[: written.value]
    finally:
        lib.charls_jpegls_encoder_destroy(e)


def charls_decode(data, shape, bits, ilv):
    h, w, n = shape
    d = P(lib.charls_jpegls_decoder_create())
    try:
        check(lib.charls_jpegls_decoder_set_source_buffer(d, data, len(data)), "source")
        check(lib.charls_jpegls_decoder_read_header(d), "header")
        out = ctypes.create_string_buffer(h * w * n * (1 if bits <= 8 else 2))
        check(lib.charls_jpegls_decoder_decode_to_buffer(d, out, len(out), 0), "decode")
    finally:
        lib.charls_jpegls_decoder_destroy(d)
    a = np.frombuffer(out.raw, np.uint8 if bits <= 8 else "<u2")
    return np.moveaxis(a.reshape(n, h, w), 0, 2) if ilv == 0 else a.reshape(h, w, n)


def segments(data):
    """Splits a stream into its header, a list of (scan header, coded data) and EOI."""
    pos, head, scans = 2, data[:2], []
    while data[pos + 1] != 0xD9:
        size = struct.unpack(">H", data[pos + 2 : pos + 4])[0] + 2
        segment = data[pos : pos + size]
        pos += size
        if segment[1] == 0xDA:
            end = pos
            while not (data[end] == 0xFF and data[end + 1] >= 0x80):
                end += 1
            scans.append((segment, data[pos:end]))
            pos = end
        elif not scans:
            head += segment
    return head, scans


def encode_restart(a, lines, bits, width=2, **options):
    """`encode` with a restart interval of `lines`, given in `width` bytes."""
    bands = [segments(encode(a[y : y + lines], bits, **options)) for y in range(0, a.shape[0], lines)]
    head = bytearray(bands[0][0])
    at = head.index(b"\xff\xf7")
    head[at + 5 : at + 7] = struct.pack(">H", a.shape[0])
    out = bytes(head) + b"\xff\xdd" + struct.pack(">H", width + 2) + struct.pack(">I", lines)[-width:]
    for s, (scan_header, _) in enumerate(bands[0][1]):
        out += scan_header
        for m, (_, scans) in enumerate(bands):
            out += scans[s][1] + (b"\xff" + bytes([0xD0 + m % 8]) if m + 1 < len(bands) else b"")
    return out + b"\xff\xd9"


J = [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4 + [4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15]


def own_encode(a, bits, ilv=2, near=0, preset=(0, 0, 0, 0, 0)):
    """A plain encoder from T.87's text, for what CharLS 2.4.3 can't code: another MAXVAL, 2 components by sample."""
    h, w, n = a.shape
    maxval, reset, step = preset[0] or (1 << bits) - 1, preset[4] or 64, 2 * near + 1
    rng_ = (maxval + 2 * near) // step + 1
    bpp, qbpp = max(2, maxval.bit_length()), (rng_ - 1).bit_length()
    limit = 2 * (bpp + max(8, bpp))
    clamp = lambda v, low: low if v > maxval or v < low else v
    f = (min(maxval, 4095) + 128) // 256 if maxval >= 128 else 256 // (maxval + 1)
    raw = [f + 2, 4 * f + 3, 17 * f + 4] if maxval >= 128 else [3 // f, 7 // f, 21 // f]
    t, low = [], near + 1
    for i in range(3):
        v = raw[i] + (3, 5, 7)[i] * near
        low = preset[1 + i] or clamp(v if maxval >= 128 else max((2, 3, 4)[i], v), low)
        t.append(low)
    A, B, C, N = ([v] * 367 for v in (max(2, (rng_ + 32) // 64), 0, 0, 1))
    nn, run_index, out = [0, 0], 0, []
    put = lambda value, count: out.extend((value >> i) & 1 for i in reversed(range(count)))

    def golomb(value, k, lim):
        if value >> k < lim - qbpp - 1:
            out.extend([0] * (value >> k) + [1])
            put(value & ((1 << k) - 1), k)
        else:
            out.extend([0] * (lim - qbpp - 1) + [1])
            put(value - 1, qbpp)

    def order(value, count):
        k = 0
        while count << k < value:
            k += 1
        return k

    def quantise(error):
        if near:
            error = (error + near) // step if error > 0 else -((near - error) // step)
        if error < 0:
            error += rng_
        return error - rng_ if error >= (rng_ + 1) // 2 else error

    def rebuild(px, error):
        if near == 0:
            return (px + error) % rng_
        value = px + error * step
        if value < -near:
            value += rng_ * step
        elif value > maxval + near:
            value -= rng_ * step
        return min(max(value, 0), maxval)

    def region(d):
        level = (abs(d) > near) + sum(abs(d) >= v for v in t)
        return -level if d < 0 else level

    def regular(q, x, ra, rb, rc):
        sign = -1 if q < 0 else 1
        q = abs(q)
        px = min(ra, rb) if rc >= max(ra, rb) else max(ra, rb) if rc <= min(ra, rb) else ra + rb - rc
        px = min(max(px + sign * C[q], 0), maxval)
        error = quantise(sign * (x - px))
        k = order(A[q], N[q])
        if near == 0 and k == 0 and 2 * B[q] <= -N[q]:
            mapped = 2 * error + 1 if error >= 0 else -2 * (error + 1)
        else:
            mapped = 2 * error if error >= 0 else -2 * error - 1
        golomb(mapped, k, limit)
        B[q] += error * step
        A[q] += abs(error)
        if N[q] == reset:
            A[q], B[q], N[q] = A[q] >> 1, B[q] >> 1, N[q] >> 1
        N[q] += 1
        if B[q] <= -N[q]:
            B[q], C[q] = max(B[q] + N[q], 1 - N[q]), max(C[q] - 1, -128)
        elif B[q] > 0:
            B[q], C[q] = min(B[q] - N[q], 0), min(C[q] + 1, 127)
        return rebuild(px, sign * error)

    def interruption(x, ra, rb):
        kind = int(n == 1 and abs(ra - rb) <= near)
        sign = -1 if kind == 0 and ra > rb else 1
        px = ra if kind else rb
        error = quantise(sign * (x - px))
        q = 365 + kind
        k = order(A[q] + (N[q] >> 1 if kind else 0), N[q])
        many = 2 * nn[kind] >= N[q]
        flag = (error > 0 and k == 0 and not many) or (error < 0 and (many or k != 0))
        mapped = 2 * abs(error) - kind - flag
        golomb(mapped, k, limit - J[run_index] - 1)
        nn[kind] += error < 0
        A[q] += (mapped + 1 - kind) >> 1
        if N[q] == reset:
            A[q], N[q], nn[kind] = A[q] >> 1, N[q] >> 1, nn[kind] >> 1
        N[q] += 1
        return rebuild(px, sign * error)

    rows = [[0] * (w + 2) for _ in range(n)]
    for y in range(h):
        before = [row[:-1] + [row[-2]] for row in rows]
        rows = [[row[1]] + [0] * (w + 1) for row in before]
        x = 1
        while x <= w:
            q = [81 * region(b[x + 1] - b[x]) + 9 * region(b[x] - b[x - 1]) + region(b[x - 1] - r[x - 1])
                 for b, r in zip(before, rows)]
            if any(q):
                for c in range(n):
                    rows[c][x] = regular(q[c], int(a[y, x - 1, c]), rows[c][x - 1], before[c][x], before[c][x - 1])
                x += 1
                continue
            run, value = 0, [row[x - 1] for row in rows]
            while x <= w and all(abs(int(a[y, x - 1, c]) - value[c]) <= near for c in range(n)):
                for c in range(n):
                    rows[c][x] = value[c]
                x, run = x + 1, run + 1
            while run >= 1 << J[run_index]:
                out.append(1)
                run -= 1 << J[run_index]
                run_index = min(31, run_index + 1)
            if x > w:
                out.extend([1] * (run > 0))
                break
            out.append(0)
            put(run, J[run_index])
            for c in range(n):
                rows[c][x] = interruption(int(a[y, x - 1, c]), rows[c][x - 1], before[c][x])
            run_index = max(0, run_index - 1)
            x += 1
    data, at = bytearray(), 0
    while at < len(out):
        size = 7 if data and data[-1] == 0xFF else 8
        part = out[at : at + size]
        data.append(int("".join(map(str, part + [0] * (size - len(part)))), 2))
        at += size
    if data[-1] == 0xFF:
        data.append(0)
    head = b"\xff\xd8\xff\xf7" + struct.pack(">HBHHB", 8 + 3 * n, bits, h, w, n)
    head += b"".join(bytes([c + 1, 0x11, 0]) for c in range(n))
    if any(preset):
        head += b"\xff\xf8\x00\x0d\x01" + struct.pack(">5H", *preset)
    head += b"\xff\xda" + struct.pack(">HB", 6 + 2 * n, n) + b"".join(bytes([c + 1, 0]) for c in range(n))
    return head + bytes([near, ilv if n > 1 else 0, 0]) + bytes(data) + b"\xff\xd9"


def picture(kind, h, w, n, top, rng):
    y, x = np.mgrid[0:h, 0:w].astype(float)
    if kind == "noise":
        a = rng.integers(0, top + 1, (h, w, n))
    elif kind == "flat":
        a = np.full((h, w, n), rng.integers(0, top + 1))
    elif kind == "gradient":
        a = np.stack([(x * (c + 1) + y * 2) * top / (w * (c + 1) + h * 2) for c in range(n)], 2)
    elif kind == "smooth":  # like a scanner's slice
        a = np.stack([np.sin(x / 9 + c) * np.cos(y / 7) for c in range(n)], 2) * top / 3 + top / 2
        a = a + rng.normal(0, top / 300 + 0.3, a.shape)
    elif kind == "runs":
        a = np.repeat(rng.integers(0, top + 1, (h, w // 5 + 1, n)), 5, 1)[:, :w]
        a = np.where(rng.random((h, 1, 1)) < 0.5, a[:1], a)
        a = np.where(rng.random((h, w, 1)) < 0.05, top - a, a)
    else:  # text: mostly one value, strokes of a few others
        a = np.where(rng.random((h, w, 1)) < 0.06, rng.integers(0, top + 1, (1, 1, n)), top)
        a = np.where(rng.random((h, w, n)) < 0.01, 0, a)
    return np.clip(a, 0, top).astype(np.int64)


KINDS = ["noise", "flat", "gradient", "smooth", "runs", "text"]
streams, index, agreed, differ, inexact = bytearray(), [], 0, [], []


def add(name, a, bits, restart=0, dri=2, **options):
    global agreed
    h, w, n = a.shape
    ilv, near, hp = options.get("ilv", 0), options.get("near", 0), options.get("hp", 0)
    if options.get("own"):
        options.pop("own")
        data = None
    else:
        data = encode_restart(a, restart, bits, dri, **options) if restart else encode(a, bits, **options)
    got = data and charls_decode(data, a.shape, bits, ilv)
    own = data is None
    if own:
        data, got = own_encode(a, bits, **options), a
    exact = abs(got.astype(int) - a).max() <= near or (near and hp)
    other = None
    if libjpeg_decode and not restart and not hp and not (own and options.get("preset", (0, 1))[1] == 0):
        other = libjpeg_decode(bytes(data)).reshape(a.shape)
        same = (other == got).all() or (own and near and abs(other.astype(int) - a).max() <= near)
        agreed += bool(same)
        if not same:
            differ.append(name)
        if own and near:
            got = other
    if not exact:
        inexact.append(name)  # CharLS 2.4.3 codes 4 components of 8 bits, interleaved by sample, wrongly at some run ends
        return
    digest = hashlib.sha256(got.astype("<u2").tobytes()).hexdigest()
    index.append(dict(name=name, length=len(data), size=[w, h, n, bits], sha256=digest))
    streams.extend(data)


def committed(rng):
    for bits in (2, 4, 7, 8, 10, 12, 15, 16):
        top = (1 << bits) - 1
        for i, kind in enumerate(KINDS):
            h, w = [(33, 6), (2, 256), (33, 3), (11, 31), (20, 17), (9, 64)][i]
            add(f"{kind}-{bits}", picture(kind, h, w, 1, top, rng), bits)
        for near in (1, 3, 10):
            if near <= top // 2:
                add(f"near-{near}-{bits}", picture("smooth", 11, 21, 1, top, rng), bits, near=near)
                add(f"near-{near}-text-{bits}", picture("text", 9, 33, 1, top, rng), bits, near=near)
        for n in (3, 4):
            for ilv in (0, 1, 2):
                for near in (0, min(3, top // 2)):
                    kind = ["smooth", "runs", "text"][(ilv + n + bits) % 3]
                    a = picture(kind, 7, 13, n, top, rng)
                    add(f"{kind}-{bits}-{n}-ilv{ilv}-near{near}", a, bits, ilv=ilv, near=near)
    for h, w in [(1, 1), (1, 2), (2, 1), (33, 1), (1, 256), (2, 2), (3, 3), (33, 2), (17, 3)]:
        add(f"size-{w}x{h}", picture("runs", h, w, 1, 255, rng), 8)
        add(f"size-{w}x{h}-rgb", picture("smooth", min(h, 9), min(w, 40), 3, 4095, rng), 12, ilv=1 + w % 2)
    for bits, preset in [(8, (255, 9, 9, 9, 3)), (12, (4095, 20, 60, 300, 31)),
                         (16, (65535, 1000, 9000, 60000, 65535)), 
                         (12, (0, 0, 0, 0, 100))]:
        top = preset[0] or (1 << bits) - 1
        for near in (0, 2):
            if near <= top // 2 and (near < preset[1] or not preset[1]):
                add(f"preset-{bits}-{'-'.join(map(str, preset))}-near{near}", picture("smooth", 17, 20, 1, top, rng),
                    bits, preset=preset, near=near)
    for hp in (1, 2, 3):
        for bits in (8, 16):
            a = picture("smooth", 7, 15, 3, (1 << bits) - 1, rng)
            add(f"hp{hp}-{bits}", a, bits, ilv=1 + hp % 2, hp=hp)
            add(f"hp{hp}-{bits}-noise", picture("noise", 2, 9, 3, (1 << bits) - 1, rng), bits, ilv=1 + bits // 16, hp=hp)
    for n, ilv in [(1, 0), (3, 0), (3, 1), (3, 2)]:
        for lines in (1, 4):
            a = picture("smooth", 23, 7, n, 4095, rng)
            add(f"restart-{lines}-{n}-ilv{ilv}", a, 12, restart=lines, dri=2 + ilv, ilv=ilv)
        a = picture("text", 23, 21, n, 255, rng)
        add(f"restart-7-text-{n}-ilv{ilv}", a, 8, restart=7, ilv=ilv, near=ilv)
    for bits, maxval in [(8, 200), (8, 127), (12, 3000), (16, 40000), (16, 4095), (2, 1), (2, 2), (5, 17)]:
        for near in (0, 2):
            if near <= maxval // 2:
                for kind in ("smooth", "runs"):
                    # libjpeg does not take 0 for a default; without it a vector has only its source.
                    t = [0, 0, 0] if near == 0 and kind == "runs" else [min(near + v, maxval) for v in (2, 5, 9)]
                    a = picture(kind, 9, 15, 1, maxval, rng)
                    preset = (maxval, *t, 64 * (t[0] > 0))
                    add(f"maxval-{bits}-{maxval}-{kind}-near{near}", a, bits, near=near, preset=preset, own=True)
    for kind in ("smooth", "text"):
        for near in (0, 1):
            for n in (2, 4):
                a = picture(kind, 11, 9, n, 255, rng)
                add(f"{kind}-8-{n}-ilv2-near{near}-own", a, 8, ilv=2, near=near, own=True)
    add("flat-long-run", np.zeros((3, 65535, 1), int), 12)
    a = picture("flat", 40, 9000, 1, 4095, rng)
    a[30:, 5000:5003] = 7
    add("run-index-31", a, 12)


def random_set(rng, count):
    while len(index) < count:
        bits = int(rng.integers(2, 17))
        top = (1 << bits) - 1
        w, h = (int(rng.choice([1, 2, 3, 5, 17, 64, 256])) for _ in range(2))
        w, h = int(rng.integers(1, w + 1)), int(rng.integers(1, min(h, 70) + 1))
        n = int(rng.choice([1, 1, 2, 3, 4]))
        options = dict(ilv=int(rng.integers(0, 3)) if n > 1 else 0)
        if rng.random() < 0.4:
            options["near"] = int(rng.integers(0, min(255, top // 2) + 1)) if rng.random() < 0.5 else min(2, top // 2)
        if rng.random() < 0.3:
            most = top  # CharLS writes any other MAXVAL and takes no note of it in coding
            reset = int(rng.integers(3, 256)) if rng.random() < 0.5 else 64  # CharLS keeps 8 bits of it for runs
            t = sorted(int(v) for v in rng.integers(options.get("near", 0) + 1, most + 1, 3))
            options["preset"] = (most, *t, reset)
        elif n == 3 and options["ilv"] and bits in (8, 16):
            options["hp"] = int(rng.integers(0, 4))
        kind = str(rng.choice(KINDS))
        if n == 2 and options["ilv"] == 1:
            continue
        if options["ilv"] == 2 and (n == 2 or options.get("preset", (0, 0, 0, 0, 64))[4] != 64):
            # CharLS 2.4.3 damages its heap on these.
            if options.get("near") or w * h > 2000:
                continue
            options["own"] = True
            options.pop("hp", 0)
        if rng.random() < 0.2 and not options.get("own"):
            options.update(restart=int(rng.integers(1, h + 1)), dri=int(rng.integers(2, 5)))
        a = picture(kind, h, w, n, top, rng)
        try:
            add(f"{len(index)}-{kind}-{w}x{h}x{n}-{bits}-{options}".replace('"', ""), a, bits, **options)
        except ValueError as e:
            refused[str(e)[:40]] = refused.get(str(e)[:40], 0) + 1


refused = {}
folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(87)
if len(sys.argv) > 2:
    random_set(rng, int(sys.argv[2]))
else:
    committed(rng)
with open(folder + "/jpeg-ls.bin", "wb") as f:
    f.write(streams)
with open(folder + "/jpeg-ls.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(v, separators=(",", ":")) for v in index) + "\n]\n")
print(len(index), "vectors,", len(streams), "bytes; libjpeg agrees on", agreed, "differs on", len(differ), differ[:20],
      "not the source's samples:", len(inexact), inexact[:20], "CharLS refuses", refused)
