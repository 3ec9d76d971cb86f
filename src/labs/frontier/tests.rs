use super::*;
use crate::auth::CredentialKind;
use crate::labs::figures::Spread;

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

/// As they are usually: two clusters, and most of them at zero.
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

#[test]
fn a_dot_is_where_the_logarithms_of_its_figures_are() {
    let picture = draw(&usual(), Canvas::WIDE).expect("a picture");
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
fn zero_has_a_band_and_every_dot_in_it_a_line() {
    let picture = draw(&usual(), Canvas::NARROW).expect("a picture");
    let mut lines: Vec<_> = picture.dots.iter().filter(|dot| dot.point.staleness <= 0.0).map(|dot| dot.at.y).collect();
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
    for points in [usual(), crowded] {
        for canvas in [Canvas::WIDE, Canvas::NARROW] {
            let picture = draw(&points, canvas).expect("a picture");
            for (number, dot) in picture.dots.iter().enumerate() {
                let label = dot.label.area;
                assert!(label.left >= 0.0 && label.right <= picture.width, "{}: {label:?}", dot.point.slug);
                for (other, one) in picture.dots.iter().enumerate() {
                    let spot = Area {
                        left: one.at.x - 5.0,
                        right: one.at.x + 5.0,
                        top: one.at.y - 5.0,
                        bottom: one.at.y + 5.0,
                    };
                    assert!(!label.meets(&spot), "{} covers the dot of {}", dot.point.slug, one.point.slug);
                    let covers = number != other && label.meets(&one.label.area);
                    assert!(!covers, "{} covers {}: {}", dot.point.slug, one.point.slug, picture.name);
                }
            }
        }
    }
}

#[test]
fn the_line_leads_from_the_cheapest_to_the_freshest() {
    let picture = draw(&usual(), Canvas::WIDE).expect("a picture");
    let at = |slug: &str| picture.dots.iter().find(|dot| dot.point.slug == slug).expect("a dot").at;
    // No other node knows a login of session-memory: that it is refused there is not fresh.
    let (tracked, pushed, generation) = (at("session-tracked"), at("jwt-pushed"), at("jwt-generation"));
    let below = |one: Position, other: Position| [Position { x: other.x, y: one.y }, other];
    let top = Position { y: picture.plot.top, ..tracked };
    let corners = [below(top, tracked), below(tracked, pushed), below(pushed, generation)].concat();
    assert_eq!(picture.pareto, corners);
}
