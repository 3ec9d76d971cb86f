//! Tokens whose claims are missing, wrong, doubled or out of time: the strategy refuses each, though the signature is right.

use jwt_vs_session::clock::Timestamp;
use serde_json::json;

use super::fixture::{Fixture, LIFE, TICK};
use super::forge::{Forge, twice, with, without};
use super::strategy_under_test::StrategyUnderTest;

pub async fn a_missing_doubled_or_wrongly_typed_claim_is_refused(fixture: Fixture, node: StrategyUnderTest) {
    let forge = Forge::new(&fixture, &node).await;
    let (header, good) = (forge.header().to_string(), forge.claims());
    for name in ["iss", "aud", "sub", "jti", "iat", "exp", "name", "role"] {
        forge.refuses_claims(&without(&good, name)).await;
        for value in [json!(null), json!(true), json!([good[name]]), json!({}), json!([])] {
            forge.refuses_claims(&with(&good, name, &value)).await;
        }
        forge.refuses_signed(&header, &twice(&good, name, &good[name])).await;
    }
    for name in ["iss", "aud", "sub", forge.login_claim(), "iat", "exp", "role"] {
        forge.refuses_claims(&with(&good, name, &json!(""))).await;
    }
    for text in ["", "null", "[]", "1", r#""claims""#, "{}", &format!("{good}{good}"), "\u{feff}{}"] {
        forge.refuses_signed(&header, text).await;
    }
}

pub async fn a_token_for_another_mount_issuer_or_purpose_is_refused(fixture: Fixture, node: StrategyUnderTest) {
    let forge = Forge::new(&fixture, &node).await;
    let (good, mount) = (forge.claims(), node.facts().slug);
    let wrong = [
        ("aud", json!("session")),
        ("aud", json!(format!("{mount}-other"))),
        ("aud", json!(mount.to_uppercase())),
        ("aud", json!([mount, "session"])),
        ("aud", json!(7)),
        ("iss", json!("https://192.0.2.1")),
        ("iss", json!("JWT-vs-session")),
        ("iss", json!(["jwt-vs-session"])),
        ("sub", json!("alice")),
        ("sub", json!(1)),
        ("jti", json!(1)),
        (forge.login_claim(), json!("a/b")),
        (forge.login_claim(), json!("a".repeat(65))),
        ("role", json!("root")),
    ];
    for (name, value) in wrong {
        forge.refuses_claims(&with(&good, name, &value)).await;
    }
}

pub async fn times_are_compared_to_the_millisecond_and_in_one_form_only(fixture: Fixture, node: StrategyUnderTest) {
    let forge = Forge::new(&fixture, &node).await;
    let (good, now) = (forge.claims(), forge.seconds());
    let precise = |more: i64| precise_seconds(fixture.clock.now().as_millis() + more);
    let wrong = [
        ("exp", json!((now + 600).to_string())),
        ("exp", json!("9999999999")),
        ("exp", json!(-1)),
        ("exp", json!(0)),
        ("exp", json!(now - 1)),
        ("exp", precise(0)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(1e300)),
        ("iat", json!(now.to_string())),
        ("iat", json!(-now)),
        ("iat", json!(u64::MAX)),
        ("iat", precise(5_001)),
        ("iat", json!(now + 86_400)),
        ("nbf", precise(1)),
        ("nbf", json!(now + 60)),
        ("nbf", json!("soon")),
        ("nbf", json!(u64::MAX)),
    ];
    for (name, value) in wrong {
        forge.refuses_claims(&with(&good, name, &value)).await;
    }
    let last = with(&good, "exp", &precise(1));
    forge.accepts("a millisecond before its expiry", &forge.with_claims(&last)).await;
    let first = with(&good, "nbf", &precise(0));
    forge.accepts("in its first millisecond", &forge.with_claims(&first)).await;
    let ahead = with(&good, "iat", &precise(5_000));
    forge.accepts("of a clock that is just not too far ahead", &forge.with_claims(&ahead)).await;
}

pub async fn a_token_expires_after_its_access_life_whatever_it_says(fixture: Fixture, node: StrategyUnderTest) {
    let forge = Forge::new(&fixture, &node).await;
    let begun = Timestamp::from_millis(forge.seconds() * 1000);
    let century = json!(forge.seconds() + 3_155_760_000);
    let token = forge.with_claims(&with(&forge.claims(), "exp", &century));
    fixture.go_to(begun + LIFE - TICK);
    forge.accepts("a millisecond before its life ends", &token).await;
    fixture.clock.advance(TICK);
    forge.refuses("older than the access life", &token).await;
}

#[allow(clippy::cast_precision_loss)] // 41 bits of the 53
fn precise_seconds(millis: i64) -> serde_json::Value {
    json!(millis as f64 / 1000.0)
}
