//! The picture of the project: the cost of a check against the worst staleness, a dot for each strategy.
//!
//! Both axes are logarithmic. A logarithmic axis has no zero, so the strategies without staleness have a band below it.
//! In the band each dot has a line to itself, and height means nothing.
//!
//! The way of a picture: figures → points → picture.
//!
//! - `points.rs`: the strategies' points; `plain.rs`: those of the plain variants.
//! - `drawing.rs`: places the dots, and draws the line of the frontier. The SVG is `templates/partials/frontier.html`.
//! - `labels.rs`: finds a free place for each name.
//! - `scale.rs`: the logarithmic axes and their ticks.

mod drawing;
mod labels;
mod plain;
mod points;
mod scale;

pub use self::drawing::{Canvas, Picture, draw};
pub use self::plain::{PlainPoint, plain_points};
pub use self::points::{FrontierPoint, points};
