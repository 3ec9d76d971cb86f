//! Compares [`TokenCheck`] with the `decode` of jsonwebtoken: both must accept the same tokens, and read the same from them.
//!
//! An ordinary run compares 100,000 tokens; `ORACLE_CASES=3000000 cargo test --release --lib oracle` compares more.

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey, Validation};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::check::{Checked, TokenCheck, check_times, checked};
use super::claims::{Claims, ISSUER, NumericDate, TYPE};
use super::{Keys, SigningAlgorithm};
use crate::clock::Timestamp;
use crate::identity::{LoginId, Role, Subject, UserId};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_500);
const LIFE: Duration = Duration::from_mins(15);
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The claims without borrowed text, as the library needs them.
#[derive(Deserialize)]
struct OwnedClaims {
    iss: String,
    aud: String,
    sub: UserId,
    jti: String,
    iat: NumericDate,
    exp: NumericDate,
    nbf: Option<NumericDate>,
    name: String,
    role: Role,
    sid: Option<String>,
    #[serde(rename = "gen")]
    generation: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    typ: String,
    alg: String,
    kid: String,
}

/// Both checks with the same key.
struct Both {
    ours: TokenCheck,
    keys: Arc<Keys>,
    signing: EncodingKey,
    library: DecodingKey,
    validation: Validation,
}

impl Both {
    fn hs256() -> Self {
        let keys = Arc::new(Keys::from_secret(&SecretString::from(SECRET)).expect("a key"));
        Self::of(keys, EncodingKey::from_secret(SECRET.as_bytes()), DecodingKey::from_secret(SECRET.as_bytes()))
    }

    fn key_pair(algorithm: SigningAlgorithm) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("jwt.pem");
        let keys = Arc::new(Keys::from_file(&path, algorithm).expect("a key"));
        let pem = std::fs::read(&path).expect("a key file");
        let signing = match algorithm {
            SigningAlgorithm::Es256 => EncodingKey::from_ec_pem(&pem),
            SigningAlgorithm::EdDsa => EncodingKey::from_ed_pem(&pem),
            _ => EncodingKey::from_rsa_pem(&pem),
        };
        let library = DecodingKey::from_jwk(&keys.public().keys[0]).expect("a public key");
        Self::of(keys, signing.expect("a key pair"), library)
    }

    fn of(keys: Arc<Keys>, signing: EncodingKey, library: DecodingKey) -> Self {
        let mut validation = Validation::new(keys.algorithm().into());
        validation.set_audience(&["jwt"]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        (validation.validate_exp, validation.validate_nbf, validation.leeway) = (false, false, 0);
        Self { ours: TokenCheck::new(keys.clone(), "jwt", LIFE), keys, signing, library, validation }
    }

    fn accepted_by_library(&self, token: &str) -> Option<Checked> {
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
        let header: Value = serde_json::from_slice(&header).ok().filter(Value::is_object)?;
        let header: StrictHeader = serde_json::from_value(header).ok()?;
        let ours = header.typ == TYPE && header.alg == self.keys.algorithm().name() && header.kid == self.keys.kid();
        if !ours || token.len() > 4096 {
            return None;
        }
        let read = jsonwebtoken::decode::<OwnedClaims>(token, &self.library, &self.validation).ok()?.claims;
        let OwnedClaims { iss, aud, sub, jti, iat, exp, nbf, name, role, sid, generation } = read;
        let (iss, aud, jti, name) = (iss.into(), aud.into(), jti.into(), name.into());
        let sid = sid.map(|sid| LoginId::parse(&sid)).map_or(Some(None), |sid| sid.map(Some))?;
        let claims = Claims { iss, aud, sub, jti, iat, exp, nbf, name, role, sid, generation };
        check_times(&claims, NOW, LIFE).ok()?;
        checked(claims).ok()
    }

    /// Compares both checks, and returns whether they accept the token.
    fn agree(&self, token: &str) -> bool {
        let ours = self.ours.accept(token, NOW).ok();
        assert_eq!(ours, self.accepted_by_library(token), "the token {token:?}");
        ours.is_some()
    }

    fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let algorithm = self.keys.algorithm().into();
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.signing, algorithm).expect("a signature");
        format!("{message}.{signature}")
    }

    fn header(&self) -> Value {
        json!({ "typ": TYPE, "alg": self.keys.algorithm().name(), "kid": self.keys.kid() })
    }
}

/// `SplitMix64`: every run compares the same tokens.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).expect("it fits")
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
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

/// Claims as the text of a token, in an order and a form that may be odd. As text: a JSON object cannot hold a claim twice.
fn claims(dice: &mut Dice) -> Vec<u8> {
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

fn header(both: &Both, dice: &mut Dice) -> Vec<u8> {
    let mut header = both.header();
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
fn mangle(token: &str, other: &str, dice: &mut Dice) -> String {
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

fn compare(both: &Both, cases: usize, seed: u64) -> usize {
    let dice = &mut Dice(seed);
    let subject = Subject { id: UserId::random(), name: "alice".into(), role: Role::User };
    let valid: Vec<String> = (0..64)
        .map(|_| {
            let login = LoginId::random();
            both.keys.sign(&Claims::new(&subject, &login, "jwt", NOW, LIFE)).expect("a token")
        })
        .collect();
    for token in &valid {
        assert!(both.agree(token), "{token} was issued here");
    }
    let mut accepted = 0;
    for _ in 0..cases {
        let token = match dice.roll(4) {
            0 | 1 => mangle(&dice.pick(&valid), &dice.pick(&valid), dice),
            2 => both.sign(&serde_json::to_vec(&both.header()).expect("JSON"), &claims(dice)),
            _ => both.sign(&header(both, dice), &claims(dice)),
        };
        accepted += usize::from(both.agree(&token));
    }
    accepted
}

#[test]
fn the_library_accepts_the_same_of_valid_forged_and_malformed_tokens() {
    let cases = std::env::var("ORACLE_CASES").map_or(100_000, |cases| cases.parse().expect("a number"));
    let accepted = compare(&Both::hs256(), cases, 1);
    println!("HS256: of {cases} tokens both accepted {accepted}");
    assert!((cases / 20..cases / 2).contains(&accepted), "both kinds were tried: {accepted} of {cases}");
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa, SigningAlgorithm::Rs256] {
        let cases = (cases / 100).max(200);
        let accepted = compare(&Both::key_pair(algorithm), cases, 2);
        println!("{algorithm}: of {cases} tokens both accepted {accepted}");
        assert!((cases / 20..cases / 2).contains(&accepted), "both kinds were tried: {accepted} of {cases}");
    }
}
