//! Places the dots, the ticks and the line of the frontier. The SVG around them is `templates/partials/frontier.html`.

use serde::Serialize;

use super::labels::{Area, Label, Labels, Position};
use super::plain::PlainPoint;
use super::points::FrontierPoint;
use super::scale::{LogScale, Tick, tenth};
use crate::labs::figures::Spread;

/// The smallest range of the staleness axis, in milliseconds: from 10 µs to more than a quarter of an hour.
const STALENESS: (f64, f64) = (1e-2, 1e6);

/// The size of a drawing, in its own units.
#[derive(Clone, Copy, Debug)]
pub struct Canvas {
    /// For ids of elements.
    pub name: &'static str,
    width: f64,
    /// The height of the logarithmic axis.
    log_height: f64,
    left: f64,
    font: f64,
    row: f64,
}

impl Canvas {
    /// For a projector.
    pub const WIDE: Self = Self { name: "wide", width: 1000.0, log_height: 300.0, left: 92.0, font: 15.0, row: 24.0 };
    /// For a telephone.
    pub const NARROW: Self =
        Self { name: "narrow", width: 360.0, log_height: 290.0, left: 50.0, font: 11.5, row: 20.0 };
}

/// The picture as coordinates, for the template.
#[derive(Debug, Serialize)]
pub struct Picture {
    name: &'static str,
    width: f64,
    height: f64,
    font: f64,
    plot: Area,
    /// Where the staleness is zero.
    band: Area,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    dots: Vec<Dot>,
    plain: Vec<PlainDot>,
    /// No strategy lies to the left of this line and below it.
    pareto: Vec<Position>,
}

/// A strategy in the picture.
#[derive(Debug, Serialize)]
struct Dot {
    #[serde(flatten)]
    at: Position,
    point: FrontierPoint,
    /// The ends of the spread of the cost.
    low: f64,
    high: f64,
    /// The median staleness of the trials, if it differs from the worst.
    usual: Option<f64>,
    /// The promised bound.
    bound: Option<f64>,
    label: Label,
}

/// A plain variant in the picture.
#[derive(Debug, Serialize)]
struct PlainDot {
    #[serde(flatten)]
    at: Position,
    point: PlainPoint,
    label: Label,
}

/// Draws the points. `None`: there are none.
pub fn draw(points: &[FrontierPoint], plain: &[PlainPoint], canvas: Canvas) -> Option<Picture> {
    if points.is_empty() {
        return None;
    }
    let strategies = points.iter().map(|point| (point.cost, point.staleness));
    let figures: Vec<_> = strategies.chain(plain.iter().map(|point| (point.cost, point.staleness))).collect();
    let lowest = figures.iter().map(|(cost, _)| cost.low).min_by(f64::total_cmp)?;
    let highest = figures.iter().map(|(cost, _)| cost.high).max_by(f64::total_cmp)?;
    let zeros = figures.iter().filter(|(_, staleness)| *staleness <= 0.0).count();
    #[allow(clippy::cast_precision_loss)] // a few dots
    let band_height = canvas.row * (zeros.max(1) as f64 + 0.4);
    let plot = Area { left: canvas.left, right: canvas.width - 12.0, top: 10.0, bottom: 10.0 + canvas.log_height };
    let band = Area { top: plot.bottom, bottom: plot.bottom + band_height, ..plot };
    let x = LogScale::new(lowest, highest, plot.left, plot.right);
    let stale = figures.iter().map(|(_, staleness)| *staleness).filter(|ms| *ms > 0.0);
    let (least, most) = stale.fold(STALENESS, |(least, most), ms| (least.min(ms), most.max(ms)));
    let y = LogScale::new(least, most, plot.bottom, plot.top + canvas.font);
    let positions = positions(&figures, &x, &y, band, canvas.row);
    let (of_points, of_plain) = positions.split_at(points.len());
    let mut dots = dots(points, of_points, &x, &y, plot);
    let plain_dot =
        |(point, at): (&PlainPoint, &Position)| PlainDot { at: *at, point: point.clone(), label: Label::default() };
    let mut plain: Vec<_> = plain.iter().zip(of_plain).map(plain_dot).collect();
    place_labels(&mut dots, &mut plain, Labels::new(canvas.font, Area { bottom: band.bottom, ..plot }));
    Some(Picture {
        name: canvas.name,
        width: canvas.width,
        height: band.bottom + canvas.font * 3.4,
        font: canvas.font,
        plot,
        band,
        x_ticks: x.ticks(1, time_of_tick),
        y_ticks: y.ticks(2, |ms| time_of_tick(ms * 1e6)),
        pareto: pareto(points, of_points, plot.top),
        dots,
        plain,
    })
}

/// Positions of costs and stalenesses. In the band each has a line to itself, the cheapest on top.
fn positions(figures: &[(Spread, f64)], x: &LogScale, y: &LogScale, band: Area, row: f64) -> Vec<Position> {
    let mut zeros: Vec<_> = (0..figures.len()).filter(|&index| figures[index].1 <= 0.0).collect();
    zeros.sort_by(|&one, &other| figures[one].0.median.total_cmp(&figures[other].0.median));
    let position = |(index, (cost, staleness)): (usize, &(Spread, f64))| {
        #[allow(clippy::cast_precision_loss)] // a few dots
        let down = match zeros.iter().position(|&zero| zero == index) {
            Some(line) => tenth(band.top + row * (line as f64 + 0.7)),
            None => y.at(*staleness),
        };
        Position { x: x.at(cost.median), y: down }
    };
    figures.iter().enumerate().map(position).collect()
}

fn dots(points: &[FrontierPoint], positions: &[Position], x: &LogScale, y: &LogScale, plot: Area) -> Vec<Dot> {
    let dot = |(point, at): (&FrontierPoint, &Position)| Dot {
        at: *at,
        low: x.at(point.cost.low),
        high: x.at(point.cost.high),
        usual: point
            .usual
            .filter(|usual| point.staleness > 0.0 && *usual < point.staleness)
            .map(|usual| if usual > 0.0 { y.at(usual) } else { plot.bottom }),
        bound: point.bound.map(|bound| y.at(bound)),
        point: point.clone(),
        label: Label::default(),
    };
    points.iter().zip(positions).map(dot).collect()
}

/// Names in the band stand beside their dots. The others get the nearest free place, those of the strategies first.
fn place_labels(dots: &mut [Dot], plain: &mut [PlainDot], mut labels: Labels) {
    for dot in dots.iter() {
        labels.avoid(dot.at, dot.low, dot.high);
    }
    for dot in plain.iter() {
        labels.avoid(dot.at, dot.at.x, dot.at.x);
    }
    for dot in dots.iter_mut() {
        dot.label = if dot.point.staleness > 0.0 {
            labels.place(dot.point.slug, dot.at, dot.low, dot.high)
        } else {
            labels.beside(dot.point.slug, dot.at, dot.low, dot.high)
        };
    }
    for dot in plain.iter_mut() {
        dot.label = if dot.point.staleness > 0.0 {
            labels.place(&dot.point.name, dot.at, dot.at.x, dot.at.x)
        } else {
            labels.beside(&dot.point.name, dot.at, dot.at.x, dot.at.x)
        };
    }
}

/// The line from the cheapest strategy to the freshest: each is cheaper than every fresher one. It leaves out strategies
/// whose logins only one node knows, because no other node can accept them too late.
fn pareto(points: &[FrontierPoint], positions: &[Position], top: f64) -> Vec<Position> {
    let mut order: Vec<_> = points.iter().zip(positions).filter(|(point, _)| point.shared).collect();
    order.sort_by(|(one, _), (other, _)| {
        one.cost.median.total_cmp(&other.cost.median).then(one.staleness.total_cmp(&other.staleness))
    });
    let mut line: Vec<Position> = Vec::new();
    let mut freshest = f64::INFINITY;
    for (point, position) in order {
        if point.staleness < freshest {
            freshest = point.staleness;
            let above = line.last().map_or(top, |last| last.y);
            line.extend([Position { x: position.x, y: above }, *position]);
        }
    }
    line
}

/// Formats a power of ten of nanoseconds in ns, µs, ms or s.
fn time_of_tick(ns: f64) -> String {
    let (value, unit) = match ns {
        ns if ns < 0.99e3 => (ns, "ns"),
        ns if ns < 0.99e6 => (ns / 1e3, "µs"),
        ns if ns < 0.99e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    format!("{value:.0} {unit}")
}

#[cfg(test)]
mod tests;
