use std::sync::Arc;
use std::time::Duration;

use super::super::{plain_points, points};
use super::*;
use crate::auth::{AuthStrategy as _, CredentialKind, JwtStrategy, Keys};
use crate::clock::Clock;
use crate::labs::figures::{Figures, PlainFigures};

fn known(slug: &'static str, cost: f64, staleness: f64) -> FrontierPoint {
    FrontierPoint {
        slug,
        kind: if slug.starts_with("jwt") { CredentialKind::Token } else { CredentialKind::Session },
        gives_up: "",
        cost: Spread { low: cost * 0.8, median: cost, high: cost * 2.0 },
        staleness,
        usual: Some(0.0),
        shortened: None,
        bound: None,
        cost_words: String::new(),
        spread_words: String::new(),
        miss_words: None,
        shared: slug != "session-memory",
        staleness_words: String::new(),
        staleness_note: String::new(),
        borrowed: false,
    }
}

/// A usual picture: two clusters, and most strategies without staleness.
fn usual() -> Vec<FrontierPoint> {
    vec![
        known("jwt", 2_800.0, 900_000.0),
        known("session", 60_000.0, 0.0),
        known("jwt-blocklist", 62_000.0, 0.0),
        known("jwt-pushed", 3_300.0, 0.2),
        known("jwt-generation", 31_000.0, 0.0),
        known("jwt-refresh", 3_200.0, 60_000.0),
        known("session-memory", 1_700.0, 0.0),
        known("session-sql", 97_000.0, 0.0),
        known("session-tracked", 500.0, 0.21),
    ]
}

fn textbook() -> Vec<PlainPoint> {
    let plain = |name: &str, beside, cost, staleness| PlainPoint {
        name: name.to_owned(),
        beside,
        what: String::new(),
        cost: Spread { low: cost * 0.9, median: cost, high: cost * 1.1 },
        staleness,
        cost_words: String::new(),
        spread_words: String::new(),
        revoke_words: None,
        staleness_words: String::new(),
        staleness_note: String::new(),
        comparison: String::new(),
    };
    vec![plain("plain JWT", "jwt", 3_100.0, 900_000.0), plain("plain session", "session", 59_000.0, 0.0)]
}

#[test]
fn a_dot_is_where_the_logarithms_of_its_figures_are() {
    let picture = draw(&usual(), &textbook(), Canvas::WIDE).expect("a picture");
    let (first, last) = (&picture.x_ticks[0], &picture.x_ticks[picture.x_ticks.len() - 1]);
    assert_eq!((first.label.as_str(), last.label.as_str()), ("100 ns", "1 ms"));
    let jwt = &picture.dots[0];
    let share = (2_800_f64.log10() - 2.0) / 4.0;
    let plot = picture.plot;
    assert!((jwt.at.x - (plot.left + share * (plot.right - plot.left))).abs() < 0.1, "{jwt:?}");
    let share = (900_000_f64.log10() + 2.0) / 8.0;
    assert!((jwt.at.y - (plot.bottom - share * (plot.bottom - plot.top - 15.0))).abs() < 0.1, "{jwt:?}");
}

#[test]
fn each_dot_in_the_band_has_a_line_to_itself() {
    let picture = draw(&usual(), &textbook(), Canvas::NARROW).expect("a picture");
    let mut lines: Vec<_> = picture.dots.iter().filter(|dot| dot.point.staleness <= 0.0).map(|dot| dot.at.y).collect();
    lines.extend(picture.plain.iter().filter(|dot| dot.point.staleness <= 0.0).map(|dot| dot.at.y));
    assert_eq!(lines.len(), 6);
    assert!(lines.iter().all(|y| *y > picture.band.top && *y < picture.band.bottom), "{lines:?}");
    lines.sort_by(f64::total_cmp);
    assert!(lines.windows(2).all(|pair| pair[1] - pair[0] > 11.5), "{lines:?}");
}

#[test]
fn no_name_covers_another_or_a_dot_or_leaves_the_picture() {
    let crowded: Vec<_> = usual()
        .into_iter()
        .map(|point| FrontierPoint { staleness: point.staleness.clamp(0.2, 0.25), ..point })
        .collect();
    let crowded_textbook: Vec<_> =
        textbook().into_iter().map(|point| PlainPoint { staleness: 0.22, ..point }).collect();
    for (points, plain) in [(usual(), textbook()), (usual(), vec![]), (crowded, crowded_textbook)] {
        for canvas in [Canvas::WIDE, Canvas::NARROW] {
            let picture = draw(&points, &plain, canvas).expect("a picture");
            let strategies = picture.dots.iter().map(|dot| (dot.point.slug, dot.at, dot.label.area));
            let variants = picture.plain.iter().map(|dot| (dot.point.name.as_str(), dot.at, dot.label.area));
            let all: Vec<_> = strategies.chain(variants).collect();
            for (name, _, label) in &all {
                assert!(label.left >= 0.0 && label.right <= picture.width, "{name}: {label:?}");
                for (other, Position { x, y }, other_label) in &all {
                    let dot = Area { left: x - 5.0, right: x + 5.0, top: y - 5.0, bottom: y + 5.0 };
                    assert!(!label.overlaps(&dot), "{name} covers the dot of {other}: {}", picture.name);
                    let covers = name != other && label.overlaps(other_label);
                    assert!(!covers, "{name} covers {other}: {}", picture.name);
                }
            }
        }
    }
}

#[test]
fn the_line_leads_from_the_cheapest_to_the_freshest() {
    let picture = draw(&usual(), &textbook(), Canvas::WIDE).expect("a picture");
    let at = |slug: &str| picture.dots.iter().find(|dot| dot.point.slug == slug).expect("a dot").at;
    // The line leaves out session-memory, whose logins only one node knows, and the plain variants.
    let (tracked, pushed, generation) = (at("session-tracked"), at("jwt-pushed"), at("jwt-generation"));
    let below = |one: Position, other: Position| [Position { x: other.x, y: one.y }, other];
    let top = Position { y: picture.plot.top, ..tracked };
    let corners = [below(top, tracked), below(tracked, pushed), below(pushed, generation)].concat();
    assert_eq!(picture.pareto, corners);
}

#[test]
fn a_plain_variant_is_drawn_if_its_strategy_is() {
    let row = |text: &str| serde_json::from_str(text).expect("a row");
    let jwt = r#"{ "strategy": "jwt", "identify_ns": { "low": 900, "median": 1000, "high": 1100 }, "store_calls": 0,
        "request_bytes": 1, "stored_bytes": 0, "issue_ns": null, "revoke_ns": null,
        "staleness_ms": { "p50": 900, "worst": 1000, "bound": 1000, "shortened_life": 1000 } }"#;
    let variant = |name: &str, beside: &str| PlainFigures {
        name: name.to_owned(),
        beside: beside.to_owned(),
        what: String::new(),
        check_ns: Spread { low: 2_900.0, median: 3_000.0, high: 3_100.0 },
        revoke_ns: None,
        staleness_note: String::new(),
        comparison: String::new(),
    };
    let source = serde_json::json!({ "method": "criterion", "machine": "", "date": "", "versions": "", "load": null });
    let figures = Figures {
        source: serde_json::from_value(source).expect("a source"),
        rows: vec![row(jwt)],
        plain: vec![variant("plain JWT", "jwt"), variant("plain session", "session")],
        loads: Vec::new(),
        not_comparable: Vec::new(),
    };
    let keys = Keys::from_secret(&"a secret of more than thirty-two bytes".into()).expect("a key");
    let jwt = JwtStrategy::new(Arc::new(keys), Duration::from_mins(15), Clock::system());
    let descriptions = || [jwt.describe()].into_iter();
    let points = points(&figures, None, descriptions());
    let plain = plain_points(&figures, &points, descriptions());
    let [plain] = &plain[..] else { panic!("the session is not drawn: {plain:?}") };
    assert_eq!((plain.name.as_str(), plain.beside), ("plain JWT", "jwt"));
    assert_eq!((plain.cost_words.as_str(), plain.staleness_words.as_str()), ("3.00 µs", "15 min"));
}
