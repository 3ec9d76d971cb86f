//! Makes tokens by hand, signed with the right key whatever they say, and presents them to a strategy.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use jwt_vs_session::auth::{Credentials, Identity, SigningAlgorithm};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::fixture::Fixture;
use super::keys::SigningKey;
use super::strategy_under_test::StrategyUnderTest;

pub const WRONG_SIGNATURE: &str = "the signature does not match";

/// Makes tokens for one strategy, and presents them to it.
pub struct Forge<'a> {
    pub fixture: &'a Fixture,
    node: &'a StrategyUnderTest,
    pub key: SigningKey,
    issued_claims: Value,
}

impl<'a> Forge<'a> {
    /// Learns the claims of the strategy from a token that it issued.
    pub async fn new(fixture: &'a Fixture, node: &'a StrategyUnderTest) -> Self {
        let grant = node.log_in(&fixture.alice().await).await;
        let claims = grant.credential.expose_secret().split('.').nth(1).expect("three parts");
        let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
        let issued_claims = serde_json::from_slice(&claims).expect("JSON");
        Self { fixture, node, key: SigningKey::of(node.algorithm()), issued_claims }
    }

    pub fn seconds(&self) -> i64 {
        self.fixture.clock.now().as_millis() / 1000
    }

    pub fn header(&self) -> Value {
        json!({ "typ": "at+jwt", "alg": self.key.algorithm.name(), "kid": self.key.keys.kid() })
    }

    pub fn claims(&self) -> Value {
        let mut claims = self.issued_claims.clone();
        claims["iat"] = json!(self.seconds());
        claims["exp"] = json!(self.seconds() + 600);
        claims
    }

    /// The claim that names the login: `jti`, or `sid` where a login has several tokens.
    pub fn login_claim(&self) -> &'static str {
        if self.issued_claims.get("sid").is_some() { "sid" } else { "jti" }
    }

    /// Signed with the right key, whatever the parts say.
    pub fn token(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = sign(&self.key, message.as_bytes());
        format!("{message}.{signature}")
    }

    pub fn honest(&self) -> String {
        self.token(&self.header().to_string(), &self.claims().to_string())
    }

    pub fn with_claims(&self, claims: &Value) -> String {
        self.token(&self.header().to_string(), &claims.to_string())
    }

    pub async fn identify(&self, token: &str) -> (Option<Identity>, String) {
        let trace = Trace::on();
        let found = self.node.strategy.identify(&Credentials::new(Some(token.to_owned())), &trace).await;
        (found.expect("an answer"), trace.refusal().unwrap_or_default().into_owned())
    }

    pub async fn accepts(&self, what: &str, token: &str) {
        let (found, reason) = self.identify(token).await;
        assert!(found.is_some(), "{what}: refused: {reason}");
    }

    /// Fails unless the strategy refuses these, and for another reason than the signature, which is right.
    pub async fn refuses_signed(&self, header: &str, claims: &str) {
        let (found, reason) = self.identify(&self.token(header, claims)).await;
        assert_eq!(found, None, "{header} {claims}: accepted");
        let other_reason = !reason.is_empty() && reason != WRONG_SIGNATURE;
        assert!(other_reason, "{header} {claims}: {reason:?}");
    }

    pub async fn refuses_header(&self, header: &Value) {
        self.refuses_signed(&header.to_string(), &self.claims().to_string()).await;
    }

    pub async fn refuses_claims(&self, claims: &Value) {
        self.refuses_signed(&self.header().to_string(), &claims.to_string()).await;
    }

    pub async fn refuses(&self, what: &str, token: &str) {
        let (found, reason) = self.identify(token).await;
        assert_eq!(found, None, "{what}: accepted");
        assert!(!reason.is_empty(), "{what}: refused without a reason");
    }
}

pub fn sign(key: &SigningKey, message: &[u8]) -> String {
    let pem = key.text.as_bytes();
    let encoding = match key.algorithm {
        SigningAlgorithm::Hs256 => EncodingKey::from_secret(&STANDARD.decode(key.text.trim()).expect("base64")),
        SigningAlgorithm::Es256 => EncodingKey::from_ec_pem(pem).expect("a key"),
        SigningAlgorithm::EdDsa => EncodingKey::from_ed_pem(pem).expect("a key"),
        SigningAlgorithm::Rs256 => EncodingKey::from_rsa_pem(pem).expect("a key"),
    };
    jsonwebtoken::crypto::sign(message, &encoding, key.algorithm.into()).expect("a signature")
}

pub fn sign_by_hmac(secret: &[u8], message: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

pub fn with(base: &Value, name: &str, value: &Value) -> Value {
    let mut changed = base.clone();
    changed[name] = value.clone();
    changed
}

pub fn without(base: &Value, name: &str) -> Value {
    let mut changed = base.clone();
    changed.as_object_mut().and_then(|members| members.remove(name)).expect("it was there");
    changed
}

/// The text of an object with one member twice.
pub fn twice(base: &Value, name: &str, value: &Value) -> String {
    format!("{{{}:{value},{}", json!(name), &base.to_string()[1..])
}
