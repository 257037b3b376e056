//! Plots as SVG: a few lines over two axes.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
/// More than an axis has.
const TICKS: u32 = 12;
const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// From zero.
    Linear,
    /// By powers of ten.
    Decades,
}

#[derive(Debug)]
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) across: (&'a str, Scale),
    pub(super) up: (&'a str, Scale),
    pub(super) lines: Vec<PlotLine>,
}

#[derive(Debug)]
pub(super) struct PlotLine {
    pub(super) name: String,
    pub(super) dashed: bool,
    pub(super) colour: usize,
    pub(super) points: Vec<(f64, f64)>,
}

/// The values at the ends of an axis, and those with a tick.
#[derive(Debug, PartialEq)]
struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
    ticks: Vec<f64>,
}

impl Axis {
    fn over(scale: Scale, values: impl Iterator<Item = f64> + Clone) -> Self {
        let (least, most) = (
            values.clone().fold(f64::INFINITY, f64::min),
            values.fold(0.0, f64::max),
        );
        match scale {
            Scale::Linear => {
                let step = step(most.max(f64::MIN_POSITIVE) / 5.0);
                let count = (most / step).ceil().max(1.0);
                let ticks = (0..=TICKS)
                    .map(f64::from)
                    .filter(|at| *at <= count)
                    .map(|at| at * step)
                    .collect();
                Self {
                    scale,
                    from: 0.0,
                    to: count * step,
                    ticks,
                }
            }
            Scale::Decades => {
                let (low, high) = (
                    least.max(1e-9).log10().floor(),
                    most.max(1e-9).log10().ceil(),
                );
                let high = if high > low { high } else { low + 1.0 };
                let ticks = (0..=TICKS)
                    .map(|at| low + f64::from(at))
                    .filter(|at| *at <= high)
                    .map(|at| 10_f64.powf(at))
                    .collect();
                Self {
                    scale,
                    from: 10_f64.powf(low),
                    to: 10_f64.powf(high),
                    ticks,
                }
            }
        }
    }

    /// The position of a value, from 0 to 1.
    fn at(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Decades => (value / self.from).log10() / (self.to / self.from).log10(),
        }
    }
}

/// The next round number: 1, 2 or 5 times a power of ten.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| *step >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// The label of a tick.
fn label(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{} M", value / 1e6),
        _ if value >= 1e4 => format!("{} k", value / 1e3),
        _ => format!("{}", (value * 1e6).round() / 1e6),
    }
}

impl Plot<'_> {
    pub(super) fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let x = Axis::over(self.across.1, points().map(|point| point.0));
        let y = Axis::over(self.up.1, points().map(|point| point.1));
        let mut svg = String::new();
        let _ = self.draw(&mut svg, &x, &y);
        svg
    }

    fn draw(&self, svg: &mut String, x: &Axis, y: &Axis) -> std::fmt::Result {
        let across = |value: f64| LEFT + x.at(value) * (WIDTH - LEFT - RIGHT);
        let up = |value: f64| HEIGHT - BOTTOM - y.at(value) * (HEIGHT - TOP - BOTTOM);
        writeln!(
            svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">"#
        )?;
        writeln!(
            svg,
            r##"<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>"##
        )?;
        writeln!(
            svg,
            r#"<text x="{LEFT}" y="22" font-size="14">{}</text>"#,
            escape(self.title)
        )?;
        for &tick in &x.ticks {
            let (at, bottom) = (across(tick), HEIGHT - BOTTOM);
            writeln!(
                svg,
                r##"<path d="M{at:.1} {TOP}V{bottom}" stroke="#dddddd"/>"##
            )?;
            writeln!(
                svg,
                r#"<text x="{at:.1}" y="{}" text-anchor="middle">{}</text>"#,
                bottom + 18.0,
                label(tick)
            )?;
        }
        for &tick in &y.ticks {
            let (at, right) = (up(tick), WIDTH - RIGHT);
            writeln!(
                svg,
                r##"<path d="M{LEFT} {at:.1}H{right}" stroke="#dddddd"/>"##
            )?;
            writeln!(
                svg,
                r#"<text x="{}" y="{:.1}" text-anchor="end">{}</text>"#,
                LEFT - 8.0,
                at + 4.0,
                label(tick)
            )?;
        }
        let (middle, bottom) = (f64::midpoint(LEFT, WIDTH - RIGHT), HEIGHT - 12.0);
        writeln!(
            svg,
            r#"<text x="{middle}" y="{bottom}" text-anchor="middle">{}</text>"#,
            escape(self.across.0)
        )?;
        let server = f64::midpoint(TOP, HEIGHT - BOTTOM);
        writeln!(
            svg,
            r#"<text transform="translate(16 {server}) rotate(-90)" text-anchor="middle">{}</text>"#,
            escape(self.up.0)
        )?;
        for (line, place) in self.lines.iter().zip(0_u32..) {
            let colour = COLOURS[line.colour % COLOURS.len()];
            let path: Vec<String> = line
                .points
                .iter()
                .map(|point| format!("{:.1},{:.1}", across(point.0), up(point.1)))
                .collect();
            let dash = if line.dashed {
                r#" stroke-dasharray="6 4""#
            } else {
                ""
            };
            writeln!(
                svg,
                r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>"#,
                path.join(" ")
            )?;
            for point in &line.points {
                writeln!(
                    svg,
                    r#"<circle cx="{:.1}" cy="{:.1}" r="3" fill="{colour}"/>"#,
                    across(point.0),
                    up(point.1)
                )?;
            }
            let at = TOP + 16.0 + 16.0 * f64::from(place);
            writeln!(
                svg,
                r#"<path d="M{} {}h24" stroke="{colour}" stroke-width="2"{dash}/>"#,
                LEFT + 12.0,
                at - 4.0
            )?;
            writeln!(
                svg,
                r#"<text x="{}" y="{at}">{}</text>"#,
                LEFT + 42.0,
                escape(&line.name)
            )?;
        }
        writeln!(svg, "</svg>")
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_axis_begins_at_zero_and_ends_at_a_round_number() {
        let axis = Axis::over(Scale::Linear, [3.0, 87.0].into_iter());
        assert_eq!(
            axis,
            Axis {
                scale: Scale::Linear,
                from: 0.0,
                to: 100.0,
                ticks: vec![0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
            }
        );
        assert!((axis.at(50.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn decades_are_whole() {
        let axis = Axis::over(Scale::Decades, [1_000.0, 900_000.0].into_iter());
        assert_eq!(
            axis.ticks
                .iter()
                .map(|tick| label(*tick))
                .collect::<Vec<_>>(),
            ["1000", "10 k", "100 k", "1 M"]
        );
        assert!((axis.at(1_000.0)).abs() < 1e-9 && (axis.at(1e6) - 1.0).abs() < 1e-9);
        let one = Axis::over(Scale::Decades, [100.0].into_iter());
        assert!(one.to > one.from, "a single value has an axis, too");
    }

    #[test]
    fn every_point_is_within_the_frame() {
        let line = PlotLine {
            name: "a < b & c".to_owned(),
            dashed: true,
            colour: 7,
            points: vec![(1.0, 0.5), (40.0, 120.0), (90.0, 3.0)],
        };
        let plot = Plot {
            title: "t",
            across: ("x", Scale::Linear),
            up: ("y", Scale::Decades),
            lines: vec![line],
        };
        let svg = plot.svg();
        assert!(svg.contains("a &lt; b &amp; c") && svg.contains("stroke-dasharray"));
        let circles: Vec<(f64, f64)> = svg
            .lines()
            .filter_map(|line| line.strip_prefix("<circle cx=\""))
            .map(|rest| {
                let mut numbers = rest.split('"').filter_map(|word| word.parse().ok());
                (numbers.next().unwrap(), numbers.next().unwrap())
            })
            .collect();
        assert_eq!(circles.len(), 3);
        for (x, y) in circles {
            assert!(
                (LEFT..=WIDTH - RIGHT).contains(&x) && (TOP..=HEIGHT - BOTTOM).contains(&y),
                "{x} {y}"
            );
        }
    }
}
