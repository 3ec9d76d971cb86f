//! Tokens for the comparison in [`super::oracle`]: valid, odd and broken ones, the same at every run.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::claims::ISSUER;
use crate::clock::Timestamp;

/// The present moment of the comparison.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_500);

/// Starts from a seed: every run compares the same tokens.
pub(super) struct Dice(pub fastrand::Rng);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0.usize(..sides)
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())].clone()
    }
}

/// Values that are wrong for some claim, or at the edge of what it may be.
const ODD_VALUES: [&str; 26] = [
    "null",
    "0",
    "-1",
    "1e400",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"jwt\"",
    "[\"jwt\"]",
    "[\"jwt-vs-session\"]",
    "\"admin\"",
    "1789999999.25",
    "1790000000.5",
    "1790000001",
    "17899999999999999999",
    "\"1790000600\"",
    "\"\\u006awt\"",
    "1e12",
    "1790000005.5",
    "1790000005.501",
    "1789999100.5",
    "1789999100.501",
    "\"../x\"",
    "\"a b\"",
    "9223372036854775808",
];

/// Claims as JSON text by name: valid, but for up to three of them.
fn members(dice: &mut Dice) -> BTreeMap<&'static str, String> {
    let seconds = NOW.as_millis() / 1000;
    let names = ["alice", "Åsa", "a\"b\\c\n", "名前", "", "x\u{7f}"];
    let mut members: BTreeMap<&str, String> = BTreeMap::from([
        ("iss", json!(ISSUER).to_string()),
        ("aud", json!("jwt").to_string()),
        ("sub", json!(uuid::Uuid::from_u64_pair(7, dice.roll(1 << 40) as u64)).to_string()),
        ("jti", json!(format!("j{}", dice.roll(1 << 40))).to_string()),
        ("iat", (seconds - 1).to_string()),
        ("exp", (seconds + 600).to_string()),
        ("name", json!(dice.pick(&names)).to_string()),
        ("role", dice.pick(&["\"user\"", "\"presenter\""]).to_owned()),
    ]);
    for _ in 0..dice.pick(&[0, 0, 0, 1, 1, 2, 3]) {
        let member = dice.pick(&["iss", "aud", "sub", "jti", "iat", "exp", "nbf", "name", "role", "sid", "gen", "x"]);
        if dice.roll(4) == 0 {
            members.remove(member)
        } else {
            members.insert(member, dice.pick(&ODD_VALUES).to_owned())
        };
    }
    members
}

/// Claims as the text of a token, in an order and a form that may be odd. Written as text: a JSON object cannot hold a claim twice.
pub(super) fn claims(dice: &mut Dice) -> Vec<u8> {
    let members = members(dice);
    let mut text: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    match dice.roll(20) {
        0 => text.push(text[dice.roll(text.len())].clone()),
        1 => text.reverse(),
        2 => text.iter_mut().for_each(|member| *member = format!(" {member}\n\t")),
        3 => text.iter_mut().for_each(|member| *member = member.replace("\"aud\"", "\"\\u0061ud\"")),
        _ => {}
    }
    let whole = format!("{{{}}}", text.join(","));
    match dice.roll(40) {
        0 => format!("{whole} x").into_bytes(),
        1 => format!("[{whole}]").into_bytes(),
        4 => {
            let value = |name: &str| members.get(name).map_or("null", String::as_str);
            let order = ["iss", "aud", "sub", "jti", "iat", "exp", "nbf", "name", "role", "sid", "gen"];
            format!("[{}]", order.map(value).join(",")).into_bytes()
        }
        2 => whole.as_bytes()[..dice.roll(whole.len())].to_vec(),
        3 => whole.bytes().map(|byte| if byte == b'j' { 0xff } else { byte }).collect(),
        _ => whole.into_bytes(),
    }
}

/// A header as the text of a token, which may be odd.
pub(super) fn header(valid: &Value, dice: &mut Dice) -> Vec<u8> {
    let mut header = valid.clone();
    if dice.roll(3) == 0 {
        let odd = [json!("none"), json!("HS256"), json!("RS256"), json!("JWT"), json!(null), json!(1), json!([])];
        let member = dice.pick(&["typ", "alg", "kid", "crit", "b64", "jwk", "jku", "cty"]);
        header[member] = dice.pick(&odd);
    }
    match dice.roll(12) {
        0 => serde_json::to_vec_pretty(&header),
        1 => serde_json::to_vec(&json!([header])),
        2 => serde_json::to_vec(&json!([header["typ"], header["alg"], header["kid"]])),
        _ => serde_json::to_vec(&header),
    }
    .expect("JSON")
}

/// Changes a valid token in up to three places.
pub(super) fn mangle(token: &str, other: &str, dice: &mut Dice) -> String {
    let alphabet: Vec<char> = "ABCabc019-_.=+/ \0é".chars().collect();
    let mut text: Vec<char> = token.chars().collect();
    for _ in 0..=dice.roll(2) {
        let at = dice.roll(text.len());
        match dice.roll(8) {
            0 => text[at] = dice.pick(&alphabet),
            1 => text.insert(at, dice.pick(&alphabet)),
            2 => drop(text.remove(at)),
            3 => text.truncate(at.max(1)),
            4 => text.extend(other.chars().skip(at)),
            5 => text.push(dice.pick(&alphabet)),
            // The last character of a part has bits without meaning.
            6 => text.iter_mut().rev().take(1).for_each(|last| *last = dice.pick(&alphabet)),
            _ => text.splice(at.., other.chars().skip(at)).for_each(drop),
        }
        if text.is_empty() {
            break;
        }
    }
    text.into_iter().collect()
}
