//! Compares [`TokenCheck`] with the `decode` of jsonwebtoken: both must accept the same tokens, and read the same from them.
//!
//! An ordinary run compares 100,000 tokens; `ORACLE_CASES=3000000 cargo test --release --lib oracle` compares more.

#![allow(clippy::print_stdout)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
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

/// A key as the library has it.
struct LibraryKey {
    kid: String,
    signing: EncodingKey,
    verifying: DecodingKey,
}

/// Both checks with the same keys.
struct Both {
    ours: TokenCheck,
    keys: Arc<Keys>,
    library: Vec<LibraryKey>,
    validation: Validation,
}

impl Both {
    fn hs256() -> Self {
        let keys = Arc::new(Keys::from_secret(&SecretString::from(SECRET)).expect("a key"));
        let (signing, verifying) =
            (EncodingKey::from_secret(SECRET.as_bytes()), DecodingKey::from_secret(SECRET.as_bytes()));
        Self::of(keys.clone(), vec![LibraryKey { kid: keys.kid().to_owned(), signing, verifying }])
    }

    /// With this many keys: the first signs what the server issues.
    fn from_files(algorithm: SigningAlgorithm, count: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let paths: Vec<_> = (0..count).map(|number| folder.path().join(format!("{number}.key"))).collect();
        for path in &paths {
            Keys::create_file(path, algorithm).expect("a key file");
        }
        let library = paths.iter().map(|path| LibraryKey::read(path, algorithm)).collect();
        Self::of(Arc::new(Keys::from_files(&paths, algorithm).expect("keys")), library)
    }

    fn of(keys: Arc<Keys>, library: Vec<LibraryKey>) -> Self {
        let mut validation = Validation::new(keys.algorithm().into());
        validation.set_audience(&["jwt"]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        (validation.validate_exp, validation.validate_nbf, validation.leeway) = (false, false, 0);
        Self { ours: TokenCheck::new(keys.clone(), "jwt", TOKEN_LIFE), keys, library, validation }
    }

    fn accepted_by_library(&self, token: &str) -> Option<Checked> {
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
        let header: Value = serde_json::from_slice(&header).ok().filter(Value::is_object)?;
        let header: StrictHeader = serde_json::from_value(header).ok()?;
        let key = self.library.iter().find(|key| key.kid == header.kid)?;
        let ours = header.typ == TYPE && header.alg == self.keys.algorithm().name();
        if !ours || token.len() > 4096 {
            return None;
        }
        let read = jsonwebtoken::decode::<OwnedClaims>(token, &key.verifying, &self.validation).ok()?.claims;
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

    fn sign(&self, key: &LibraryKey, header: &[u8], claims: &[u8]) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let algorithm = self.keys.algorithm().into();
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key.signing, algorithm).expect("a signature");
        format!("{message}.{signature}")
    }

    /// Names one of the keys, not always the one that signs.
    fn header(&self, dice: &mut Dice) -> Value {
        let kid = &self.library[dice.roll(self.library.len())].kid;
        json!({ "typ": TYPE, "alg": self.keys.algorithm().name(), "kid": kid })
    }
}

impl LibraryKey {
    fn read(path: &Path, algorithm: SigningAlgorithm) -> Self {
        let keys = Keys::from_file(path, algorithm).expect("a key");
        let text = std::fs::read_to_string(path).expect("a key file");
        let pem = text.as_bytes();
        let secret = || STANDARD.decode(text.trim()).expect("base64");
        let signing = match algorithm {
            SigningAlgorithm::Hs256 => Ok(EncodingKey::from_secret(&secret())),
            SigningAlgorithm::Es256 => EncodingKey::from_ec_pem(pem),
            SigningAlgorithm::EdDsa => EncodingKey::from_ed_pem(pem),
            SigningAlgorithm::Rs256 => EncodingKey::from_rsa_pem(pem),
        };
        let verifying = match keys.public().keys.first() {
            Some(public) => DecodingKey::from_jwk(public).expect("a public key"),
            None => DecodingKey::from_secret(&secret()),
        };
        Self { kid: keys.kid().to_owned(), signing: signing.expect("a key pair"), verifying }
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
        let (key, named) = (&both.library[dice.roll(both.library.len())], both.header(dice));
        let token = match dice.roll(4) {
            0 | 1 => mangle(&dice.pick(&valid), &dice.pick(&valid), dice),
            2 => both.sign(key, &serde_json::to_vec(&named).expect("JSON"), &claims(dice)),
            _ => both.sign(key, &header(&named, dice), &claims(dice)),
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
    for (algorithm, keys) in [
        (SigningAlgorithm::Hs256, 3),
        (SigningAlgorithm::Es256, 1),
        (SigningAlgorithm::Es256, 2),
        (SigningAlgorithm::EdDsa, 1),
        (SigningAlgorithm::Rs256, 1),
    ] {
        let cases = (cases / if algorithm == SigningAlgorithm::Hs256 { 10 } else { 100 }).max(200);
        let accepted = compare(&Both::from_files(algorithm, keys), cases, 2);
        println!("{algorithm}, {keys} keys: of {cases} tokens both accepted {accepted}");
        assert!((cases / 25..cases / 2).contains(&accepted), "both kinds were tried: {accepted} of {cases}");
    }
}

#[test]
fn the_key_is_the_one_that_the_header_names() {
    let both = Both::from_files(SigningAlgorithm::Es256, 2);
    let subject = Subject { id: UserId::random(), name: "alice".into(), role: Role::User };
    let login = LoginId::random();
    let claims = serde_json::to_vec(&Claims::new(&subject, &login, "jwt", NOW, TOKEN_LIFE)).expect("JSON");
    for signing in &both.library {
        for named in &both.library {
            let header = json!({ "typ": TYPE, "alg": "ES256", "kid": named.kid });
            let token = both.sign(signing, header.to_string().as_bytes(), &claims);
            assert_eq!(both.agree(&token), signing.kid == named.kid, "{token}");
        }
        for header in [json!({ "typ": TYPE, "alg": "ES256" }), json!({ "typ": TYPE, "alg": "ES256", "kid": "another" })]
        {
            assert!(!both.agree(&both.sign(signing, header.to_string().as_bytes(), &claims)), "{header}");
        }
    }
}
