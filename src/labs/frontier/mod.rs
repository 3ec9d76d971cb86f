//! The picture of the project: what a check costs against how stale it may be, a dot for each strategy.
//!
//! Both axes are logarithmic. A staleness of zero has no place on such an axis, so it gets a band of its own below,
//! where every dot has a line to itself: height means nothing there.

mod labels;
mod points;
mod scale;

use serde::Serialize;

use self::labels::{Area, Labels};
pub use self::points::{FrontierPoint, points};
use self::scale::{LogScale, Tick};

/// What the staleness axis shows at least, in milliseconds: from 10 µs to a quarter of an hour and more.
const STALENESS: (f64, f64) = (1e-2, 1e6);

/// How large it is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Canvas {
    /// Its name, for ids.
    pub name: &'static str,
    /// Its width, in the units of the drawing.
    width: f64,
    /// Room of the axis with a logarithm.
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

/// The picture, ready to be drawn.
#[derive(Debug, Serialize)]
pub struct Picture {
    name: &'static str,
    width: f64,
    height: f64,
    font: f64,
    plot: Area,
    /// Where nothing was accepted.
    band: Area,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    dots: Vec<Dot>,
    /// Nothing was measured to the left of it and below.
    pareto: Vec<Position>,
}

/// A place in the drawing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Position {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
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
    /// Where the staleness of half of the trials is, if it is another one.
    usual: Option<f64>,
    /// Where what is promised is.
    bound: Option<f64>,
    label: labels::Label,
}

/// Draws the points. `None`: there are none.
pub fn draw(points: &[FrontierPoint], canvas: Canvas) -> Option<Picture> {
    let lowest = points.iter().map(|point| point.cost.low).min_by(f64::total_cmp)?;
    let highest = points.iter().map(|point| point.cost.high).max_by(f64::total_cmp)?;
    let zeros = points.iter().filter(|point| point.staleness <= 0.0).count();
    #[allow(clippy::cast_precision_loss)] // nine strategies
    let band_height = canvas.row * (zeros.max(1) as f64 + 0.4);
    let plot = Area { left: canvas.left, right: canvas.width - 12.0, top: 10.0, bottom: 10.0 + canvas.log_height };
    let band = Area { top: plot.bottom, bottom: plot.bottom + band_height, ..plot };
    let x = LogScale::new(lowest, highest, plot.left, plot.right);
    let stale = points.iter().map(|point| point.staleness).filter(|ms| *ms > 0.0);
    let (least, most) = stale.fold(STALENESS, |(least, most), ms| (least.min(ms), most.max(ms)));
    let y = LogScale::new(least, most, plot.bottom, plot.top + canvas.font);
    let places = places(points, &x, &y, band, canvas.row);
    let mut dots = dots(points, &places, &x, &y, plot);
    place_labels(&mut dots, canvas, plot, band);
    Some(Picture {
        name: canvas.name,
        width: canvas.width,
        height: band.bottom + canvas.font * 3.4,
        font: canvas.font,
        plot,
        band,
        x_ticks: x.ticks(1, time_of_tick),
        y_ticks: y.ticks(2, |ms| time_of_tick(ms * 1e6)),
        pareto: pareto(points, &places, plot.top),
        dots,
    })
}

/// Where each dot is: the zeros below, one line each, the cheapest on top.
fn places(points: &[FrontierPoint], x: &LogScale, y: &LogScale, band: Area, row: f64) -> Vec<Position> {
    let mut zeros: Vec<_> = points.iter().filter(|point| point.staleness <= 0.0).collect();
    zeros.sort_by(|one, other| one.cost.median.total_cmp(&other.cost.median));
    #[allow(clippy::cast_precision_loss)] // nine strategies
    let line = |slug: &str| zeros.iter().position(|point| point.slug == slug).unwrap_or_default() as f64;
    let place = |point: &FrontierPoint| {
        let down = if point.staleness > 0.0 {
            y.at(point.staleness)
        } else {
            scale::tenth(band.top + row * (line(point.slug) + 0.7))
        };
        Position { x: x.at(point.cost.median), y: down }
    };
    points.iter().map(place).collect()
}

fn dots(points: &[FrontierPoint], places: &[Position], x: &LogScale, y: &LogScale, plot: Area) -> Vec<Dot> {
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
        label: labels::Label::default(),
    };
    points.iter().zip(places).map(dot).collect()
}

/// Those in the band have a line to themselves; for the others there is room to be found.
fn place_labels(dots: &mut [Dot], canvas: Canvas, plot: Area, band: Area) {
    let mut labels = Labels::new(canvas.font, Area { bottom: band.bottom, ..plot });
    for dot in dots.iter() {
        labels.avoid(dot.at, dot.low, dot.high);
    }
    for dot in dots.iter_mut() {
        dot.label = if dot.point.staleness > 0.0 {
            labels.place(dot.point.slug, dot.at, dot.low, dot.high)
        } else {
            labels.beside(dot.point.slug, dot.at, dot.low, dot.high)
        };
    }
}

/// From the cheapest strategy to the freshest: each is cheaper than every one that is fresher. Of those that nodes share:
/// where no other node knows a login, none can be late.
fn pareto(points: &[FrontierPoint], places: &[Position], top: f64) -> Vec<Position> {
    let mut order: Vec<_> = points.iter().zip(places).filter(|(point, _)| point.shared).collect();
    order.sort_by(|(one, _), (other, _)| {
        one.cost.median.total_cmp(&other.cost.median).then(one.staleness.total_cmp(&other.staleness))
    });
    let mut line: Vec<Position> = Vec::new();
    let mut freshest = f64::INFINITY;
    for (point, place) in order {
        if point.staleness < freshest {
            freshest = point.staleness;
            let above = line.last().map_or(top, |last| last.y);
            line.extend([Position { x: place.x, y: above }, *place]);
        }
    }
    line
}

/// A power of ten of nanoseconds, short: in seconds, however many.
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
