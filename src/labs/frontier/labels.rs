//! Places the names near their dots, so that they cover nothing. A name without room beside its dot gets a line to it.

use serde::Serialize;

use super::scale::tenth;

/// The distance between a dot and its name.
const GAP: f64 = 10.0;

/// The width of a letter of the monospaced font, as a share of the font size.
const LETTER: f64 = 0.61;

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Position {
    pub x: f64,
    pub y: f64,
}

/// A rectangle of the drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Area {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Area {
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    fn contains(&self, other: &Self) -> bool {
        self.left <= other.left && other.right <= self.right && self.top <= other.top && other.bottom <= self.bottom
    }
}

/// The position of a name.
#[derive(Debug, Default, Serialize)]
pub(super) struct Label {
    #[serde(flatten)]
    pub at: Option<Position>,
    /// `start` or `end`, as in SVG.
    pub anchor: &'static str,
    /// Where the line from the dot ends, if there is one.
    pub leader: Option<Position>,
    #[serde(skip)]
    pub area: Area,
}

/// Places names one after another.
pub(super) struct Labels {
    font: f64,
    inside: Area,
    taken: Vec<Area>,
}

impl Labels {
    pub fn new(font: f64, inside: Area) -> Self {
        Self { font, inside, taken: Vec::new() }
    }

    /// Keeps names away from a dot and its spread.
    pub fn avoid(&mut self, at: Position, low: f64, high: f64) {
        self.taken.push(Area {
            left: low.min(at.x - 7.0),
            right: high.max(at.x + 7.0),
            top: at.y - 7.0,
            bottom: at.y + 7.0,
        });
    }

    /// Places a name beside a dot that has a line to itself.
    pub fn beside(&mut self, name: &str, at: Position, low: f64, high: f64) -> Label {
        let right = self.candidate(name, at, high.max(at.x) + GAP, 0.0, true);
        let label = if self.inside.contains(&right.area) {
            right
        } else {
            self.candidate(name, at, low.min(at.x) - GAP, 0.0, false)
        };
        self.taken.push(label.area);
        label
    }

    /// Places a name in the nearest free area: beside the dot, else above or below it with a line to it.
    pub fn place(&mut self, name: &str, at: Position, low: f64, high: f64) -> Label {
        let step = self.font * 0.6;
        let beside = [(high.max(at.x) + GAP, true), (low.min(at.x) - GAP, false)];
        let near = [(at.x + GAP, true), (at.x - GAP, false)];
        let distances = (0..40).flat_map(|n| [f64::from(n) * step, -f64::from(n) * step]);
        let mut all = distances.flat_map(|away| {
            let sides = if away == 0.0 { beside } else { near };
            sides.map(|(x, right)| (x, away, right))
        });
        let free = |label: &Label| {
            self.inside.contains(&label.area) && !self.taken.iter().any(|area| area.overlaps(&label.area))
        };
        let found = all.find_map(|(x, away, right)| Some(self.candidate(name, at, x, away, right)).filter(&free));
        let label = found.unwrap_or_else(|| self.candidate(name, at, at.x + GAP, 0.0, true));
        self.taken.push(label.area);
        label
    }

    fn candidate(&self, name: &str, at: Position, x: f64, away: f64, right: bool) -> Label {
        #[allow(clippy::cast_precision_loss)] // some letters
        let width = name.len() as f64 * self.font * LETTER;
        let (left, anchor) = if right { (x, "start") } else { (x - width, "end") };
        let middle = at.y + away;
        let half = self.font * 0.6;
        let area = Area { left, right: left + width, top: middle - half, bottom: middle + half };
        let leader =
            (away != 0.0).then(|| Position { x: tenth(if right { x - 3.0 } else { x + 3.0 }), y: tenth(middle) });
        let at = Position { x: tenth(x), y: tenth(middle + self.font * 0.34) };
        Label { at: Some(at), anchor, leader, area }
    }
}
