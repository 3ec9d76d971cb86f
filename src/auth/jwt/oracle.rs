//! Compares [`TokenCheck`] with the `decode` of jsonwebtoken: both must accept the same tokens, and read the same from them.
//!
//! An ordinary run compares 100,000 tokens; `ORACLE_CASES=3000000 cargo test --release --lib oracle` compares more.

#![allow(clippy::print_stdout)]

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
use super::oracle_tokens::{Dice, NOW, claims, header, mangle};
use super::{Keys, SigningAlgorithm};
use crate::identity::{LoginId, Role, Subject, UserId};

const TOKEN_LIFE: Duration = Duration::from_mins(15);
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
        Self { ours: TokenCheck::new(keys.clone(), "jwt", TOKEN_LIFE), keys, signing, library, validation }
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
        check_times(&claims, NOW, TOKEN_LIFE).ok()?;
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

fn compare(both: &Both, cases: usize, seed: u64) -> usize {
    let dice = &mut Dice(fastrand::Rng::with_seed(seed));
    let subject = Subject { id: UserId::random(), name: "alice".into(), role: Role::User };
    let valid: Vec<String> = (0..64)
        .map(|_| {
            let login = LoginId::random();
            both.keys.sign(&Claims::new(&subject, &login, "jwt", NOW, TOKEN_LIFE)).expect("a token")
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
            _ => both.sign(&header(&both.header(), dice), &claims(dice)),
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
