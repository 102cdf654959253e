//! Small plots as SVG: a ROC curve, a reliability diagram, risk and coverage, histograms, a forest plot.
//!
//! A plot is a piece of a page: its colours are classes that the page's style defines ([`crate::page`]), so that it is
//! right on a light screen, a dark one and on paper. Series differ by dash and shape, not by colour alone. Each has a
//! text for who can't see it. Values that are not finite are left out.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::statistics::Interval;

const WIDTH: f64 = 340.0;
const HEIGHT: f64 = 300.0;
/// Space for numbers and names beside the area of a plot.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 42.0;
/// How many series have a dash of their own.
const DASHES: usize = 4;

/// A direction of a plot, from its smallest to its largest value.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    name: String,
    min: f64,
    max: f64,
    is_percent: bool,
}

impl Axis {
    /// 0 to 1, written in per cent.
    #[must_use]
    pub fn percent(name: &str) -> Self {
        Self { name: name.to_owned(), min: 0.0, max: 1.0, is_percent: true }
    }

    /// From `min` to `max`; both are moved apart where they are equal or not finite.
    #[must_use]
    pub fn between(name: &str, min: f64, max: f64) -> Self {
        let (min, max) = if min.is_finite() && max.is_finite() && min < max { (min, max) } else { (0.0, 1.0) };
        Self { name: name.to_owned(), min, max, is_percent: false }
    }

    /// The same, but it ends at `max` or the next step over it.
    #[must_use]
    pub fn up_to(mut self, max: f64) -> Self {
        if max.is_finite() && max > self.min {
            let step = step(max - self.min);
            self.max = self.min + ((max - self.min) / step).ceil() * step;
        }
        self
    }

    /// Where a value lies, from 0 to 1; values beyond the ends lie at them.
    fn share(&self, value: f64) -> f64 {
        ((value - self.min) / (self.max - self.min)).clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        let step = step(self.max - self.min);
        let first = (self.min / step - 1e-9).ceil();
        (0..20).map(|i| (first + f64::from(i)) * step).take_while(|t| *t <= self.max + step * 1e-9).collect()
    }

    fn text(&self, value: f64) -> String {
        let (value, step) = if self.is_percent { (value * 100.0, 10.0) } else { (value, step(self.max - self.min)) };
        let decimals = (-step.log10()).ceil().max(0.0) as usize;
        // −0 is 0.
        let text = format!("{:.decimals$}", value + 0.0);
        if self.is_percent { format!("{text} %") } else { text.replacen('-', "−", 1) }
    }
}

/// A step of 1, 2 or 5 times a power of ten, of which five or so make a range.
fn step(range: f64) -> f64 {
    let raw = range / 5.0;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().find(|s| s * power >= raw * (1.0 - 1e-9));
    step.unwrap_or(10.0) * power
}

/// A line of a plot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// What it is; no name, no entry in the legend.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
    /// How far the values may be off at places from left to right.
    pub band: Vec<(f64, Interval)>,
    /// A place on it to mark, such as the operating point, and how far that may be off.
    pub marks: Vec<Mark>,
}

/// A marked place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// Along the lower axis.
    pub x: f64,
    /// Along the left axis.
    pub y: f64,
    /// The interval along the left axis.
    pub interval: Option<Interval>,
}

/// ROC curves: false alarms along the lower axis, sensitivity along the left one, and the line of chance.
#[must_use]
pub fn roc(text: &str, series: &[Series]) -> Markup {
    let frame = Frame::new(Axis::percent("False alarms (1 − specificity)"), Axis::percent("Sensitivity"));
    frame.draw(text, &html! { (frame.diagonal()) (frame.lines(series, true)) }, series)
}

/// A reliability diagram: what was said along the lower axis, what happened along the left one, and the line where both
/// are equal. Each mark is a bin with its interval.
#[must_use]
pub fn reliability(text: &str, marks: &[Mark]) -> Markup {
    let frame = Frame::new(Axis::percent("Probability given"), Axis::percent("Share observed"));
    let series = Series { marks: marks.to_vec(), ..Series::default() };
    frame.draw(text, &html! { (frame.diagonal()) (frame.lines(&[series], false)) }, &[])
}

/// Risk and coverage: the share that is answered along the lower axis, the share of wrong answers along the left one.
#[must_use]
pub fn risk_coverage(text: &str, series: &[Series]) -> Markup {
    let max = series.iter().flat_map(|s| &s.points).map(|p| p.1).fold(0.05, f64::max);
    let frame = Frame::new(Axis::percent("Answered"), Axis::percent("Wrong among the answered").up_to(max));
    frame.draw(text, &frame.lines(series, false), series)
}

/// The counts of one source.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    /// The source.
    pub name: String,
    /// The share of its values in each bin.
    pub shares: Vec<f64>,
}

/// Histograms of several sources, one below the other over one axis of bins of equal width, with upright lines at
/// marked values. The tallest bin of each source is as tall as its row.
#[must_use]
pub fn histograms(text: &str, axis: &Axis, sources: &[Histogram], lines: &[(String, f64)]) -> Markup {
    const ROW: f64 = 54.0;
    let (width, top) = (2.0 * WIDTH, 24.0);
    let height = top + ROW * sources.len() as f64 + BOTTOM;
    let (left, right) = (8.0, width - RIGHT);
    let x = |share: f64| left + share * (right - left);
    html! {
        svg viewBox=(view(width, height)) role="img" aria-label=(text) {
            @for (index, source) in sources.iter().enumerate() {
                @let base = top + ROW * (index + 1) as f64;
                path class="fill" d=(bars(source, base, ROW - 20.0, x)) {}
                line class="axis" x1=(n(left)) x2=(n(right)) y1=(n(base)) y2=(n(base)) {}
                text x=(n(left)) y=(n(base - ROW + 16.0)) { (source.name) }
            }
            @for (index, (name, value)) in lines.iter().enumerate() {
                @let at = x(axis.share(*value));
                @let anchor = if at > width * 0.75 { "end" } else { "start" };
                @let aside = if at > width * 0.75 { -4.0 } else { 4.0 };
                line class={ "line dash-" ((index + 1) % DASHES) } x1=(n(at)) x2=(n(at)) y1="4" y2=(n(height - BOTTOM)) {}
                text class="small" x=(n(at + aside)) y=(n(12.0 + 12.0 * index as f64)) text-anchor=(anchor) { (name) }
            }
            @for tick in axis.ticks() {
                @let at = x(axis.share(tick));
                line class="axis" x1=(n(at)) x2=(n(at)) y1=(n(height - BOTTOM)) y2=(n(height - BOTTOM + 4.0)) {}
                text class="small" x=(n(at)) y=(n(height - BOTTOM + 16.0)) text-anchor="middle" { (axis.text(tick)) }
            }
            text x=(n(f64::midpoint(left, right))) y=(n(height - 8.0)) text-anchor="middle" { (axis.name) }
        }
    }
}

/// The outline of a histogram's bars.
fn bars(source: &Histogram, base: f64, tall: f64, x: impl Fn(f64) -> f64) -> String {
    let max = source.shares.iter().copied().filter(|s| s.is_finite()).fold(0.0, f64::max);
    let count = source.shares.len() as f64;
    let mut path = format!("M{} {}", n(x(0.0)), n(base));
    for (index, share) in source.shares.iter().enumerate() {
        let height = if max > 0.0 { share / max * tall } else { 0.0 };
        let (from, to) = (x(index as f64 / count), x((index + 1) as f64 / count));
        let _ = write!(path, "V{}H{}", n(base - height), n(to));
        // Bins of no width would join bars that are apart.
        if from >= to {
            break;
        }
    }
    let _ = write!(path, "V{}Z", n(base));
    path
}

/// A row of a forest plot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ForestRow {
    /// The subgroup.
    pub name: String,
    /// Its value and interval; none is not drawn.
    pub value: Option<(f64, Interval)>,
    /// What stands at the right: the numbers, or why there are none.
    pub text: String,
    /// Whether it is a heading of the rows below.
    pub is_heading: bool,
}

/// A forest plot: one row a subgroup, with its interval, and an upright line at the value of all.
#[must_use]
pub fn forest(text: &str, axis: &Axis, rows: &[ForestRow], all: Option<f64>) -> Markup {
    const ROW: f64 = 20.0;
    let width = 2.0 * WIDTH;
    let (left, right) = (190.0, 460.0);
    let bottom = 8.0 + ROW * rows.len() as f64;
    let x = |value: f64| left + axis.share(value) * (right - left);
    html! {
        svg viewBox=(view(width, bottom + BOTTOM)) role="img" aria-label=(text) {
            @for tick in axis.ticks() {
                line class="grid" x1=(n(x(tick))) x2=(n(x(tick))) y1="4" y2=(n(bottom)) {}
                text class="small" x=(n(x(tick))) y=(n(bottom + 16.0)) text-anchor="middle" { (axis.text(tick)) }
            }
            @if let Some(all) = all {
                line class="line dash-1" x1=(n(x(all))) x2=(n(x(all))) y1="4" y2=(n(bottom)) {}
            }
            @for (index, row) in rows.iter().enumerate() {
                @let y = 8.0 + ROW * (index as f64 + 0.5);
                text class=[row.is_heading.then_some("strong")] x=(if row.is_heading { "4" } else { "14" }) y=(n(y + 4.0)) { (row.name) }
                @if let Some((value, interval)) = row.value {
                    line class="line" x1=(n(x(interval.lower))) x2=(n(x(interval.upper))) y1=(n(y)) y2=(n(y)) {}
                    rect class="point" x=(n(x(value) - 3.0)) y=(n(y - 3.0)) width="6" height="6" {}
                }
                text class="small" x=(n(width - 4.0)) y=(n(y + 4.0)) text-anchor="end" { (row.text) }
            }
            line class="axis" x1=(n(left)) x2=(n(right)) y1=(n(bottom)) y2=(n(bottom)) {}
            text x=(n(f64::midpoint(left, right))) y=(n(bottom + 34.0)) text-anchor="middle" { (axis.name) }
        }
    }
}

/// Two axes and the area between them.
struct Frame {
    x: Axis,
    y: Axis,
}

impl Frame {
    fn new(x: Axis, y: Axis) -> Self {
        Self { x, y }
    }

    fn at_x(&self, value: f64) -> f64 {
        LEFT + self.x.share(value) * (WIDTH - LEFT - RIGHT)
    }

    fn at_y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.share(value) * (HEIGHT - TOP - BOTTOM)
    }

    fn draw(&self, text: &str, inner: &Markup, named: &[Series]) -> Markup {
        let (right, base) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let named: Vec<&Series> = named.iter().filter(|s| !s.name.is_empty()).collect();
        html! {
            svg viewBox=(view(WIDTH, HEIGHT)) role="img" aria-label=(text) {
                @for tick in self.x.ticks() {
                    @let at = n(self.at_x(tick));
                    line class="grid" x1=(at) x2=(at) y1=(n(TOP)) y2=(n(base)) {}
                    text class="small" x=(at) y=(n(base + 14.0)) text-anchor="middle" { (self.x.text(tick)) }
                }
                @for tick in self.y.ticks() {
                    @let at = self.at_y(tick);
                    line class="grid" x1=(n(LEFT)) x2=(n(right)) y1=(n(at)) y2=(n(at)) {}
                    text class="small" x=(n(LEFT - 5.0)) y=(n(at + 3.5)) text-anchor="end" { (self.y.text(tick)) }
                }
                (inner)
                path class="axis" d={ "M" (n(LEFT)) " " (n(TOP)) "V" (n(base)) "H" (n(right)) } {}
                text x=(n(f64::midpoint(LEFT, right))) y=(n(HEIGHT - 6.0)) text-anchor="middle" { (self.x.name) }
                text transform={ "translate(11 " (n(f64::midpoint(TOP, base))) ") rotate(-90)" } text-anchor="middle" { (self.y.name) }
                @for (index, series) in named.iter().enumerate() {
                    @let y = base - 10.0 - 15.0 * (named.len() - 1 - index) as f64;
                    line class={ "line dash-" (index % DASHES) } x1=(n(right - 150.0)) x2=(n(right - 122.0)) y1=(n(y)) y2=(n(y)) {}
                    text class="small" x=(n(right - 116.0)) y=(n(y + 3.5)) { (short(&series.name)) }
                }
            }
        }
    }

    fn diagonal(&self) -> Markup {
        html! { line class="chance" x1=(n(self.at_x(0.0))) y1=(n(self.at_y(0.0))) x2=(n(self.at_x(1.0))) y2=(n(self.at_y(1.0))) {} }
    }

    /// The bands, lines and marks of all series. Curves of steps go along the axes, not across.
    fn lines(&self, series: &[Series], is_stepped: bool) -> Markup {
        html! {
            @for series in series {
                @if series.band.len() > 1 { path class="band" d=(self.band(&series.band)) {} }
            }
            @for (index, series) in series.iter().enumerate() {
                @if series.points.len() > 1 {
                    path class={ "line dash-" (index % DASHES) } d=(self.line(&series.points, is_stepped)) {}
                }
                @for mark in series.marks.iter().filter(|m| m.x.is_finite() && m.y.is_finite()) {
                    @let (x, y) = (n(self.at_x(mark.x)), n(self.at_y(mark.y)));
                    @if let Some(interval) = mark.interval {
                        line class="line" x1=(x) x2=(x) y1=(n(self.at_y(interval.lower))) y2=(n(self.at_y(interval.upper))) {}
                    }
                    circle class="point" cx=(x) cy=(y) r="3.5" {}
                }
            }
        }
    }

    fn line(&self, points: &[(f64, f64)], is_stepped: bool) -> String {
        let mut path = String::new();
        for (x, y) in points.iter().filter(|p| p.0.is_finite() && p.1.is_finite()) {
            let (x, y) = (n(self.at_x(*x)), n(self.at_y(*y)));
            let _ = match (path.is_empty(), is_stepped) {
                (true, _) => write!(path, "M{x} {y}"),
                (false, true) => write!(path, "H{x}V{y}"),
                (false, false) => write!(path, "L{x} {y}"),
            };
        }
        path
    }

    fn band(&self, band: &[(f64, Interval)]) -> String {
        let upper = band.iter().map(|(x, i)| (*x, i.upper));
        let lower = band.iter().rev().map(|(x, i)| (*x, i.lower));
        format!("{}Z", self.line(&upper.chain(lower).collect::<Vec<_>>(), false))
    }
}

fn view(width: f64, height: f64) -> String {
    format!("0 0 {} {}", n(width), n(height))
}

/// A coordinate to a tenth.
fn n(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A name that fits into a legend.
fn short(name: &str) -> String {
    const MAX: usize = 20;
    if name.chars().count() <= MAX { name.to_owned() } else { name.chars().take(MAX - 1).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|t| axis.text(t)).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(texts(&Axis::percent("p")), ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]);
        assert_eq!(texts(&Axis::between("v", -0.25, 0.3)), ["−0.2", "0.0", "0.2"]);
        assert_eq!(texts(&Axis::between("v", 3.0, 48.0)), ["10", "20", "30", "40"]);
        assert_eq!(texts(&Axis::percent("p").up_to(0.23)), ["0 %", "5 %", "10 %", "15 %", "20 %", "25 %"]);
    }

    #[test]
    fn axis_without_a_range_has_one_all_the_same() {
        for axis in
            [Axis::between("v", 2.0, 2.0), Axis::between("v", f64::NAN, 1.0), Axis::percent("p").up_to(f64::NAN)]
        {
            assert!(axis.max > axis.min && !axis.ticks().is_empty(), "{axis:?}");
        }
    }

    #[test]
    fn roc_goes_in_steps_from_corner_to_corner() {
        let series = Series { points: vec![(0.0, 0.0), (0.0, 0.5), (1.0, 1.0)], ..Series::default() };
        let svg = roc("a curve", &[series]).into_string();
        // The corners of the area are 52…320 and 258…10.
        assert!(svg.contains(r#"d="M52 258H52V134H320V10""#), "{svg}");
        assert!(svg.contains(r#"role="img" aria-label="a curve""#));
    }

    #[test]
    fn plots_escape_names_and_leave_out_what_is_not_finite() {
        let series = Series {
            name: "<b> & \"c\"".into(),
            points: vec![(0.0, 0.0), (f64::NAN, 0.5), (1.0, 1.0)],
            marks: vec![Mark { x: f64::NAN, y: 0.5, interval: None }],
            ..Series::default()
        };
        let svg = risk_coverage("risk", &[series]).into_string();
        assert!(!svg.contains("<b>") && svg.contains("&lt;b&gt; &amp; "));
        assert!(!svg.contains("NaN") && !svg.contains("<circle"));
    }

    #[test]
    fn histogram_is_as_tall_as_its_tallest_bin() {
        let source = Histogram { name: "s".into(), shares: vec![0.2, 0.8] };
        assert_eq!(bars(&source, 100.0, 40.0, |share| share * 10.0), "M0 100V90H5V60H10V100Z");
        let empty = Histogram { name: "s".into(), shares: vec![0.0, 0.0] };
        assert_eq!(bars(&empty, 100.0, 40.0, |share| share * 10.0), "M0 100V100H5V100H10V100Z");
    }
}
