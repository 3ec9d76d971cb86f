//! The plain variants: the textbook's way, measured beside the strategy of ours that does the same and more.

use std::collections::BTreeMap;

use jwt_vs_session::labs::figures::{PlainFigures, Spread, StrategyFigures};
use jwt_vs_session::units::time;

use super::targets::difference;

struct Variant {
    name: &'static str,
    /// The id of its check; its revoke is `<id>/revoke`.
    id: &'static str,
    beside: &'static str,
    what: &'static str,
    staleness_note: &'static str,
    ours_adds: &'static str,
    /// What a revoke does, in a sentence.
    revoke: &'static str,
}

const VARIANTS: [Variant; 2] = [
    Variant {
        name: "plain JWT",
        id: "plain/jsonwebtoken",
        beside: "jwt",
        what: "jsonwebtoken::decode, called as the library's README shows",
        staleness_note: "the life of a token, and 60 s of leeway",
        ours_adds: "Ours prepares the key once and parses the token once. It also refuses what the library accepts by \
                    default, such as a token that expired less than 60 s ago.",
        revoke: "A revoke ends neither token.",
    },
    Variant {
        name: "plain session",
        id: "plain/redis-session",
        beside: "session",
        what: "a record in Redis: one GET for a check, one DEL for a log out",
        staleness_note: "while Redis keeps its data; a restored snapshot accepts revoked logins again",
        ours_adds: "Ours also writes each revocation to the SQL database, so a restored snapshot of Redis accepts no \
                    revoked login.",
        revoke: "The SQL insert waits for the disk.",
    },
];

/// The variants that were measured, each if the strategy beside it was measured, too.
pub fn figures(by_id: &BTreeMap<String, Spread>, rows: &[StrategyFigures]) -> Vec<PlainFigures> {
    let measured = |variant: &Variant| {
        let ours = rows.iter().find(|row| row.strategy == variant.beside)?;
        let check_ns = *by_id.get(variant.id)?;
        let revoke_ns = by_id.get(&format!("{}/revoke", variant.id)).copied();
        Some(PlainFigures {
            name: variant.name.to_owned(),
            beside: variant.beside.to_owned(),
            what: variant.what.to_owned(),
            check_ns,
            revoke_ns,
            staleness_note: variant.staleness_note.to_owned(),
            comparison: variant.comparison(ours, check_ns, revoke_ns),
        })
    };
    VARIANTS.iter().filter_map(measured).collect()
}

impl Variant {
    /// What ours adds, and what that costs.
    fn comparison(&self, ours: &StrategyFigures, check: Spread, revoke: Option<Spread>) -> String {
        let mut text = format!("{} {}", self.ours_adds, costs("check", ours.identify_ns, check));
        if let (Some(ours), Some(plain)) = (ours.revoke_ns, revoke) {
            text = format!("{text} {}", costs("revoke", ours, plain));
        }
        format!("{text} {}", self.revoke)
    }
}

fn costs(what: &str, ours: Spread, plain: Spread) -> String {
    let more = difference(ours.median - plain.median);
    format!("A {what} takes {} instead of {} ({more}).", time(ours.median), time(plain.median))
}
