//! The coding of a scan: the parameters, the bits, the contexts, and regular and run mode (T.87 Annex A).

#![allow(clippy::inline_always, reason = "these run for each sample")]

use super::{Decoder, Fault, Frame, Input, Interleave, Preset};

/// The faults of the entropy-coded data; short, so that the hot loops carry only a pointer.
type DataFault = &'static str;

const DATA_END: DataFault = "the coded data end before the last sample";
const BAD_CODE: DataFault = "a Golomb code is longer than its limit";
const BAD_ERROR: DataFault = "a prediction error lies outside the range of the samples";
const BAD_RUN: DataFault = "a run goes past the end of its line";

/// The run orders J (A.2.1): a 1 bit in run mode stands for a block of `1 << J[RUNindex]` samples.
const J: [u8; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// A scan's coding parameters (C.2.4.1.1 and A.2.1).
#[derive(Clone, Copy)]
pub(super) struct Params {
    maxval: i32,
    near: i32,
    /// The distance between two reconstruction levels, `2 * NEAR + 1`.
    step: i32,
    range: i32,
    qbpp: u32,
    limit: u32,
    reset: u32,
    t: [i32; 3],
}

impl Params {
    /// Takes the defaults where `preset` has zeros, and refuses values that the standard does not allow.
    pub(super) fn new(preset: &Preset, bits: u8, near: u8) -> Result<Params, Fault> {
        let top = (1i32 << bits) - 1;
        let or = |value: u16, default: i32| if value == 0 { default } else { i32::from(value) };
        let (maxval, near) = (or(preset.maxval, top), i32::from(near));
        if maxval > top {
            return Err(format!("the preset MAXVAL {maxval} does not fit {bits} bits"));
        }
        if near > maxval / 2 {
            return Err(format!("NEAR is {near}, more than half of MAXVAL"));
        }
        let defaults = default_thresholds(maxval, near);
        let t = [0, 1, 2].map(|at: usize| or(preset.t[at], defaults[at]));
        let reset = or(preset.reset, 64);
        if !(near < t[0] && t[0] <= t[1] && t[1] <= t[2] && t[2] <= maxval) {
            return Err(format!("the preset thresholds {}, {}, {} are out of order or range", t[0], t[1], t[2]));
        }
        if !(3..=maxval.max(255)).contains(&reset) {
            return Err(format!("the preset RESET {reset} is out of range"));
        }
        let step = 2 * near + 1;
        let range = (maxval + 2 * near) / step + 1;
        let log2 = |value: i32| 32 - (value as u32 - 1).leading_zeros();
        let bpp = log2(maxval + 1).max(2);
        let limit = 2 * (bpp + bpp.max(8));
        Ok(Params { maxval, near, step, range, qbpp: log2(range), limit, reset: reset as u32, t })
    }

    /// Turns a prediction and a prediction error of at most RANGE either way into a sample (A.4.4, A.4.5).
    #[inline(always)]
    fn reconstruct<const LOSSLESS: bool>(&self, px: i32, error: i32) -> i32 {
        let (near, step) = if LOSSLESS { (0, 1) } else { (self.near, self.step) };
        let mut rx = px + error * step;
        if rx < -near {
            rx += self.range * step;
        } else if rx > self.maxval + near {
            rx -= self.range * step;
        }
        if LOSSLESS { rx } else { rx.max(0).min(self.maxval) }
    }
}

/// The default thresholds T1, T2 and T3 (C.2.4.1.1.1).
fn default_thresholds(maxval: i32, near: i32) -> [i32; 3] {
    let clamp = |value: i32, low: i32| if value > maxval || value < low { low } else { value };
    let [t1, t2, t3] = if maxval >= 128 {
        let factor = (maxval.min(4095) + 128) / 256;
        [factor + 2, factor * 4 + 3, factor * 17 + 4]
    } else {
        let factor = 256 / (maxval + 1);
        [3 / factor, 7 / factor, 21 / factor]
    };
    let min = if maxval >= 128 { [0; 3] } else { [2, 3, 4] };
    let t1 = clamp((t1 + 3 * near).max(min[0]), near + 1);
    let t2 = clamp((t2 + 5 * near).max(min[1]), t1);
    [t1, t2, clamp((t3 + 7 * near).max(min[2]), t2)]
}

/// The coded data of a scan or restart interval, without the stuffed bits and with zero bytes after it.
#[derive(Default)]
struct Segment {
    data: Vec<u8>,
    /// The number of bits before the zero bytes.
    end: u64,
    /// The pending bits of a last byte, `count` of them, at the top of `acc`.
    acc: u64,
    count: u32,
}

impl Segment {
    /// Takes the coded data at the start of `input`, up to a marker: after FF comes a stuffed 0 bit (A.1) or a marker.
    fn read(input: &mut Input<'_>) -> Segment {
        let mut rest = input.bytes.get(input.pos..).unwrap_or_default();
        let mut segment = Segment::default();
        loop {
            rest = match *rest {
                [0xFF, next, ref tail @ ..] if next < 0x80 => {
                    segment.push(0xFF << 7 | u64::from(next), 15);
                    tail
                }
                [0xFF, ..] | [] => break,
                [byte, ref tail @ ..] => match rest.split_first_chunk() {
                    Some((&word, tail)) if !has_ff(u64::from_be_bytes(word)) => {
                        segment.push_word(u64::from_be_bytes(word));
                        tail
                    }
                    _ => {
                        segment.push(byte.into(), 8);
                        tail
                    }
                },
            };
        }
        input.pos = input.bytes.len() - rest.len();
        segment.end = segment.data.len() as u64 * 8 + u64::from(segment.count);
        segment.push_word(0);
        segment
    }

    /// Appends the `size` bits of `value`, 8 or 15.
    fn push(&mut self, value: u64, size: u32) {
        self.acc |= value << (64 - size - self.count);
        self.count += size;
        while self.count >= 8 {
            self.data.push((self.acc >> 56) as u8);
            self.acc <<= 8;
            self.count -= 8;
        }
    }

    /// Appends 64 bits.
    #[inline(always)]
    fn push_word(&mut self, word: u64) {
        self.data.extend_from_slice(&(self.acc | word >> self.count).to_be_bytes());
        self.acc = word << 1 << (63 - self.count);
    }
}

/// Whether one of the bytes of `word` is FF: the usual test for a zero byte, on the complement.
#[inline(always)]
fn has_ff(word: u64) -> bool {
    (!word).wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 != 0
}

/// The reader of a segment's bits: a Copy value, so that the hot loop can keep it in registers.
///
/// `at` may pass `end`, where all bits are 0: `line` checks it, before any of its samples is used.
#[derive(Clone, Copy)]
struct Bits<'a> {
    data: &'a [u8],
    end: u64,
    at: u64,
}

impl<'a> Bits<'a> {
    /// The next bits, at least 57, from the top.
    #[inline(always)]
    fn peek(&self) -> u64 {
        let rest = self.data.get((self.at >> 3) as usize..).and_then(|rest| rest.first_chunk());
        rest.map_or(0, |&word| u64::from_be_bytes(word) << (self.at & 7))
    }

    /// Reads `count` bits, at most 33.
    fn read(&mut self, count: u32) -> Result<u32, DataFault> {
        let value = self.peek() >> 1 >> (63 - count);
        self.at += u64::from(count);
        if self.at <= self.end { Ok(value as u32) } else { Err(DATA_END) }
    }

    /// Reads a Golomb code of order `k` (A.5.3): `max` zeros, which is LIMIT - qbpp - 1, announce `qbpp` plain bits.
    #[inline(always)]
    fn golomb(&mut self, k: u32, max: u32, qbpp: u32) -> Result<u32, DataFault> {
        let word = self.peek();
        let zeros = word.leading_zeros();
        if zeros < max && zeros + k < 57 {
            self.at += u64::from(zeros + 1 + k);
            return Ok(zeros << k | ((word << (zeros + 1)) >> 1 >> (63 - k)) as u32);
        }
        let (bits, value) = self.golomb_long(k, max, qbpp)?;
        *self = bits;
        Ok(value)
    }

    /// `golomb` for codes that are long, or that come near the end of the data.
    #[inline(never)]
    fn golomb_long(mut self, k: u32, max: u32, qbpp: u32) -> Result<(Bits<'a>, u32), DataFault> {
        let mut zeros = 0;
        while self.read(1)? == 0 {
            zeros += 1;
            if zeros > max {
                return Err(BAD_CODE);
            }
        }
        let value = if zeros < max { zeros << k | self.read(k)? } else { self.read(qbpp)? + 1 };
        Ok((self, value))
    }
}

/// A context of regular mode (A.2.1): A is at most RANGE a sample and so below 2^32, N is at most RESET.
#[derive(Clone, Copy)]
struct Context {
    a: u32,
    b: i32,
    c: i32,
    n: u32,
}

/// A context of run interruption (A.2.1); `nn` counts the negative errors.
#[derive(Clone, Copy)]
struct Interruption {
    a: u32,
    n: u32,
    nn: u32,
}

/// The variables of a scan that its components share (A.2.1).
struct Model {
    params: Params,
    /// The regular contexts, of which 0 to 364 are used; a power of two, so that a mask keeps the index inside.
    contexts: [Context; 512],
    interruptions: [Interruption; 2],
    /// Region numbers -4 to 4 (A.3.3) of the gradients -T3 to T3, to which all others are clamped.
    regions: Vec<i8>,
}

/// The smallest `k` for which `n << k` reaches `a` (A.5.1); `n` is not 0.
#[inline(always)]
fn golomb_order(a: u32, n: u32) -> u32 {
    let k = n.leading_zeros().saturating_sub(a.leading_zeros());
    k + u32::from(n << k < a)
}

impl Model {
    fn new(params: Params) -> Model {
        let Params { near, t: [t1, t2, t3], .. } = params;
        let region = |d: i32| {
            let level = i8::from(d.abs() > near) + [t1, t2, t3].iter().map(|&t| i8::from(d.abs() >= t)).sum::<i8>();
            if d < 0 { -level } else { level }
        };
        let context = Context { a: 0, b: 0, c: 0, n: 1 };
        let interruption = Interruption { a: 0, n: 1, nn: 0 };
        let regions = (-t3..=t3).map(region).collect();
        let mut model = Model { params, contexts: [context; 512], interruptions: [interruption; 2], regions };
        model.reset();
        model
    }

    /// Sets the variables for the start of a scan or restart interval.
    fn reset(&mut self) {
        let a = ((self.params.range as u32 + 32) / 64).max(2);
        self.contexts.fill(Context { a, b: 0, c: 0, n: 1 });
        self.interruptions.fill(Interruption { a, n: 1, nn: 0 });
    }

    /// The region of a gradient (A.3.3).
    #[inline(always)]
    fn region(&self, d: i32) -> i32 {
        let t3 = self.params.t[2];
        i32::from(self.regions[(d.max(-t3).min(t3) + t3) as usize])
    }

    /// Decodes a sample in regular mode (A.4 to A.6), in the context of signed number `q`.
    #[inline(always)]
    fn regular<const LOSSLESS: bool>(
        &mut self,
        bits: &mut Bits<'_>,
        q: i32,
        [ra, rb, rc]: [i32; 3],
    ) -> Result<i32, DataFault> {
        let params = &self.params;
        let sign = q >> 31;
        let context = &mut self.contexts[((q ^ sign) - sign) as usize & 511];
        // The median edge detector, with the bias correction of the context.
        let edge = ra.min(rb).max(ra.max(rb).min(ra + rb - rc));
        let px = (edge + ((context.c ^ sign) - sign)).max(0).min(params.maxval);
        let k = golomb_order(context.a, context.n);
        let mapped = bits.golomb(k, params.limit - params.qbpp - 1, params.qbpp)?;
        if mapped >= 2 * params.range as u32 {
            return Err(BAD_ERROR);
        }
        let mut error = (mapped >> 1) as i32 ^ -((mapped & 1) as i32);
        if LOSSLESS && k == 0 && 2 * context.b <= -(context.n as i32) {
            error = !error;
        }
        context.update(error, if LOSSLESS { 1 } else { params.step }, params.reset);
        Ok(params.reconstruct::<LOSSLESS>(px, (error ^ sign) - sign))
    }

    /// Decodes the sample that ends a run (A.7.2), coded with the run order `j`.
    ///
    /// `kind` is `RItype`, 1 where Ra and Rb are alike.
    fn interruption<const LOSSLESS: bool>(
        &mut self,
        bits: &mut Bits<'_>,
        [ra, rb]: [i32; 2],
        kind: u32,
        j: u8,
    ) -> Result<i32, DataFault> {
        let params = &self.params;
        let context = &mut self.interruptions[kind as usize & 1];
        let k = golomb_order(context.a.saturating_add(kind * (context.n >> 1)), context.n);
        let max = params.limit - u32::from(j) - 1 - params.qbpp - 1;
        let mapped = bits.golomb(k, max, params.qbpp)?;
        if mapped >= 2 * params.range as u32 {
            return Err(BAD_ERROR);
        }
        let map = (mapped + kind) & 1;
        let size = ((mapped + kind + map) >> 1) as i32;
        let negative = (k != 0 || 2 * context.nn >= context.n) == (map == 1);
        context.update(mapped, negative && size != 0, kind, params.reset);
        let minus = negative != (kind == 0 && ra > rb);
        let px = if kind == 1 { ra } else { rb };
        Ok(params.reconstruct::<LOSSLESS>(px, if minus { -size } else { size }))
    }

    /// Decodes a line of `N` components that are interleaved by sample; `N` is 1 for all other scans.
    fn line<'a, const LOSSLESS: bool, const N: usize>(
        &mut self,
        mut bits: Bits<'a>,
        run_index: &mut usize,
        lines: &mut [Line],
    ) -> Result<Bits<'a>, DataFault> {
        let lines = lines.first_chunk_mut::<N>().ok_or("the scan lacks a component")?;
        let width = lines[0].now.len() - 2;
        let mut rows = lines.each_mut().map(|line| (&line.before[..width + 2], &mut line.now[..width + 2]));
        let mut at = 0;
        while at < width {
            // Ra, Rb and Rc of each component, and the region of Rb - Rc, which is Rd - Rb of the sample before.
            let mut around: [[i32; 3]; N] =
                std::array::from_fn(|c| [rows[c].1[at], rows[c].0[at + 1], rows[c].0[at]].map(i32::from));
            let mut beside = around.map(|[_, rb, rc]| self.region(rb - rc));
            while at < width {
                let rd: [i32; N] = std::array::from_fn(|c| rows[c].0[at + 2].into());
                let next: [i32; N] = std::array::from_fn(|c| self.region(rd[c] - around[c][1]));
                // The signed numbers of the contexts (A.3.4); 0 is a flat neighbourhood.
                let q: [i32; N] =
                    std::array::from_fn(|c| 81 * next[c] + 9 * beside[c] + self.region(around[c][2] - around[c][0]));
                if q == [0; N] {
                    break;
                }
                for c in 0..N {
                    let value = self.regular::<LOSSLESS>(&mut bits, q[c], around[c])?;
                    rows[c].1[at + 1] = value as u16;
                    around[c] = [value, rd[c], around[c][1]];
                }
                beside = next;
                at += 1;
            }
            if at < width {
                (bits, at) = self.run::<LOSSLESS, N>(bits, run_index, &mut rows, at)?;
            }
        }
        if bits.at <= bits.end { Ok(bits) } else { Err(DATA_END) }
    }

    /// Decodes a run that starts at `at` and the pixel that interrupts it (A.7); returns where the next pixel is.
    #[inline(never)]
    fn run<'a, const LOSSLESS: bool, const N: usize>(
        &mut self,
        mut bits: Bits<'a>,
        run_index: &mut usize,
        rows: &mut [(&[u16], &mut [u16]); N],
        at: usize,
    ) -> Result<(Bits<'a>, usize), DataFault> {
        let width = rows[0].1.len() - 2;
        let end = at + run_length(&mut bits, run_index, width - at)?;
        for (_, now) in rows.iter_mut() {
            let value = now[at];
            now[at + 1..=end].fill(value);
        }
        if end == width {
            return Ok((bits, end));
        }
        let j = J[*run_index & 31];
        for (before, now) in rows.iter_mut() {
            let pair = [now[end], before[end + 1]].map(i32::from);
            let alike = N == 1 && (pair[0] - pair[1]).abs() <= self.params.near;
            now[end + 1] = self.interruption::<LOSSLESS>(&mut bits, pair, alike.into(), j)? as u16;
        }
        *run_index = run_index.saturating_sub(1);
        Ok((bits, end + 1))
    }
}

impl Context {
    /// Takes in an error (A.6); `error` is at most RANGE either way.
    #[inline(always)]
    fn update(&mut self, error: i32, step: i32, reset: u32) {
        self.a += error.unsigned_abs();
        self.b += error * step;
        if self.n == reset {
            self.a >>= 1;
            self.b >>= 1;
            self.n >>= 1;
        }
        self.n += 1;
        let n = self.n as i32;
        // A.6.2 without branches, which could not be foretold: a B outside 1 - N ..= 0 moves by N, and C by 1.
        let step = i32::from(self.b > 0) - i32::from(self.b <= -n);
        self.b = (self.b - step * n).max(1 - n).min(0);
        self.c = (self.c + step).clamp(-128, 127);
    }
}

impl Interruption {
    /// Takes in an error by its mapped form (A.7.2.3).
    fn update(&mut self, mapped: u32, negative: bool, kind: u32, reset: u32) {
        self.nn += u32::from(negative);
        self.a += (mapped + 1 - kind) >> 1;
        if self.n == reset {
            self.a >>= 1;
            self.n >>= 1;
            self.nn >>= 1;
        }
        self.n += 1;
    }
}

/// Reads the length of a run (A.7.1), at most the `left` pixels of its line; if less, an interruption follows.
fn run_length(bits: &mut Bits<'_>, run_index: &mut usize, left: usize) -> Result<usize, DataFault> {
    let mut length = 0;
    while bits.read(1)? == 1 {
        let block = 1 << J[*run_index & 31];
        if length + block <= left {
            *run_index = (*run_index + 1).min(31);
        }
        length = (length + block).min(left);
        if length == left {
            return Ok(length);
        }
    }
    length += bits.read(J[*run_index & 31].into())? as usize;
    if length < left { Ok(length) } else { Err(BAD_RUN) }
}

/// A component's line that is being decoded and the line before it, each with one sample more at either end.
///
/// The sample in front is Ra of the line's first sample, and Rc of the next line's; the one behind is Rd (A.2.1).
struct Line {
    before: Vec<u16>,
    now: Vec<u16>,
    run_index: usize,
}

impl Line {
    fn new(width: usize) -> Line {
        Line { before: vec![0; width + 2], now: vec![0; width + 2], run_index: 0 }
    }

    /// Sets the samples around the first line of a scan or restart interval to 0.
    fn reset(&mut self) {
        self.now.fill(0);
        self.run_index = 0;
    }

    /// Makes the decoded line the line before, and sets the samples at the edges.
    fn advance(&mut self, width: usize) {
        std::mem::swap(&mut self.before, &mut self.now);
        self.before[width + 1] = self.before[width];
        self.now[0] = self.before[1];
    }
}

/// The decoding of a scan.
pub(super) struct Scan {
    model: Model,
    lines: Vec<Line>,
    /// The components' places in the frame, one for each of `lines`.
    places: Vec<usize>,
    ilv: Interleave,
}

impl Scan {
    pub(super) fn new(params: Params, frame: &Frame, places: &[usize], ilv: Interleave) -> Scan {
        let lines = places.iter().map(|_| Line::new(frame.width)).collect();
        Scan { model: Model::new(params), lines, places: places.to_vec(), ilv }
    }

    /// Decodes the scan's lines into the decoder's samples, and leaves its input at the marker after them.
    pub(super) fn decode(&mut self, decoder: &mut Decoder<'_>, frame: &Frame) -> Result<(), Fault> {
        let interval = if decoder.restart == 0 { frame.height } else { decoder.restart };
        let stride = frame.ids.len();
        let mut first = 0usize;
        for number in (0..8).cycle() {
            let segment = Segment::read(&mut decoder.input);
            let mut bits = Bits { data: &segment.data, end: segment.end, at: 0 };
            let last = first.saturating_add(interval).min(frame.height);
            for y in first..last {
                self.lines.iter_mut().for_each(|line| line.advance(frame.width));
                bits = if self.model.params.near == 0 { self.row::<true>(bits)? } else { self.row::<false>(bits)? };
                let (start, end) = (y * frame.width * stride, (y + 1) * frame.width * stride);
                if decoder.samples.len() < end {
                    decoder.samples.resize(end, 0);
                }
                self.store(&mut decoder.samples[start..end], stride);
            }
            if bits.end - bits.at >= 16 {
                return Err("a scan or restart interval holds more data than its samples take".into());
            }
            if last == frame.height {
                break;
            }
            if decoder.input.marker()? != 0xD0 + number {
                return Err(format!("the marker RST{number} is missing before line {last}"));
            }
            first = last;
            self.model.reset();
            self.lines.iter_mut().for_each(Line::reset);
        }
        Ok(())
    }

    /// Decodes one line of each component.
    fn row<'a, const LOSSLESS: bool>(&mut self, mut bits: Bits<'a>) -> Result<Bits<'a>, DataFault> {
        let (model, lines) = (&mut self.model, &mut self.lines);
        if self.ilv != Interleave::Sample {
            for line in lines {
                let mut run_index = line.run_index;
                bits = model.line::<LOSSLESS, 1>(bits, &mut run_index, std::slice::from_mut(line))?;
                line.run_index = run_index;
            }
            return Ok(bits);
        }
        let mut run_index = lines[0].run_index;
        let bits = match lines.len() {
            2 => model.line::<LOSSLESS, 2>(bits, &mut run_index, lines),
            3 => model.line::<LOSSLESS, 3>(bits, &mut run_index, lines),
            _ => model.line::<LOSSLESS, 4>(bits, &mut run_index, lines),
        }?;
        lines[0].run_index = run_index;
        Ok(bits)
    }

    /// Puts the decoded lines into the row `out` of the frame, whose pixels have `stride` samples.
    fn store(&self, out: &mut [u16], stride: usize) {
        for (line, &place) in self.lines.iter().zip(&self.places) {
            let values = &line.now[1..line.now.len() - 1];
            if stride == 1 {
                out.copy_from_slice(values);
            } else {
                out[place..].iter_mut().step_by(stride).zip(values).for_each(|(to, &value)| *to = value);
            }
        }
    }
}
