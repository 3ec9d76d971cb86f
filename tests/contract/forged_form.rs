//! Tokens with another header, algorithm, key or form: the strategy accepts only the honest one.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jwt_vs_session::auth::Keys;
use jwt_vs_session::auth::SigningAlgorithm::{EdDsa, Es256, Hs256, Rs256};
use serde_json::json;

use super::fixture::Fixture;
use super::forge::{Forge, WRONG_SIGNATURE, sign, sign_by_hmac, twice, with, without};
use super::keys::SigningKey;
use super::strategy_under_test::StrategyUnderTest;

pub async fn an_honest_token_made_by_hand_is_accepted_so_the_forge_works(fixture: Fixture, node: StrategyUnderTest) {
    let forge = Forge::new(&fixture, &node).await;
    forge.accepts("honest", &forge.honest()).await;
    let unknown = with(&forge.claims(), "unknown", &json!({ "a": [1] }));
    forge.accepts("an unknown claim", &forge.with_claims(&unknown)).await;
    let past = with(&forge.claims(), "nbf", &json!(forge.seconds()));
    forge.accepts("nbf that has passed", &forge.with_claims(&past)).await;
    let skewed = with(&forge.claims(), "iat", &json!(forge.seconds() + 5));
    forge.accepts("a clock that is 5 s ahead", &forge.with_claims(&skewed)).await;
}

pub async fn no_header_but_the_one_that_is_issued_is_accepted(fixture: Fixture, node: StrategyUnderTest) {
    let forge = Forge::new(&fixture, &node).await;
    let (good, claims) = (forge.header(), forge.claims().to_string());
    for name in ["typ", "alg", "kid"] {
        forge.refuses_header(&without(&good, name)).await;
        for value in [json!(null), json!(1), json!([good[name]]), json!(""), json!("other")] {
            forge.refuses_header(&with(&good, name, &value)).await;
        }
        forge.refuses_signed(&twice(&good, name, &good[name]), &claims).await;
    }
    let extra = [
        ("typ", json!("JWT")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("jwk", json!({ "kty": "oct", "k": "AAAA" })),
        ("jku", json!("http://192.0.2.1/jwks.json")),
        ("x5u", json!("http://192.0.2.1/certificate")),
        ("zip", json!("DEF")),
    ];
    for (name, value) in extra {
        forge.refuses_header(&with(&good, name, &value)).await;
    }
    forge.refuses_header(&with(&with(&good, "b64", &json!(false)), "crit", &json!(["b64"]))).await;
    for text in ["", "null", "[]", r#""at+jwt""#, "{", &format!("{good}{good}")] {
        forge.refuses_signed(text, &claims).await;
    }
}

pub async fn no_other_algorithm_is_accepted_not_even_with_the_public_key_as_a_secret(
    fixture: Fixture,
    node: StrategyUnderTest,
) {
    let forge = Forge::new(&fixture, &node).await;
    let claims = URL_SAFE_NO_PAD.encode(forge.claims().to_string());
    for alg in ["none", "None", "NONE", "nOnE", "", "HS384", "HS512", "PS256", "ES384", "EdDSA ", "hs256"] {
        let header = URL_SAFE_NO_PAD.encode(with(&forge.header(), "alg", &json!(alg)).to_string());
        let signature = sign(&forge.key, format!("{header}.{claims}").as_bytes());
        for signature in ["", &signature] {
            forge.refuses(&format!("alg {alg:?}"), &format!("{header}.{claims}.{signature}")).await;
        }
        forge.refuses(&format!("alg {alg:?}, two parts"), &format!("{header}.{claims}")).await;
    }
    for secret in public_texts(&forge.key) {
        for alg in ["HS256", forge.key.algorithm.name()] {
            let header = URL_SAFE_NO_PAD.encode(with(&forge.header(), "alg", &json!(alg)).to_string());
            let token = sign_by_hmac(&secret, &format!("{header}.{claims}"));
            let what = format!("{alg} with the secret {:?}", String::from_utf8_lossy(&secret));
            forge.refuses(&what, &token).await;
        }
    }
}

/// Everything that somebody outside could take for a secret.
fn public_texts(key: &SigningKey) -> Vec<Vec<u8>> {
    let mut texts = vec![Vec::new(), b"secret".to_vec(), key.keys.kid().as_bytes().to_vec()];
    let set = key.keys.public();
    texts.push(serde_json::to_vec(set).expect("JSON"));
    for jwk in &set.keys {
        texts.push(serde_json::to_vec(jwk).expect("JSON"));
        let members = serde_json::to_value(jwk).expect("JSON");
        for name in ["x", "y", "n", "e"] {
            let Some(text) = members[name].as_str() else { continue };
            texts.extend([text.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(text).expect("base64url")]);
        }
    }
    texts
}

pub async fn a_token_of_another_key_is_refused_even_under_the_same_key_id(fixture: Fixture, node: StrategyUnderTest) {
    let folder = tempfile::tempdir().expect("a folder");
    let forge = Forge::new(&fixture, &node).await;
    let file = folder.path().join(forge.key.algorithm.name());
    Keys::from_file(&file, forge.key.algorithm).expect("another key");
    let text = std::fs::read_to_string(&file).expect("a key file");
    let stranger = SigningKey { text, keys: forge.key.keys.clone(), algorithm: forge.key.algorithm };
    let honest = forge.honest();
    let message = honest.rsplit_once('.').expect("three parts").0;
    let (found, reason) = forge.identify(&format!("{message}.{}", sign(&stranger, message.as_bytes()))).await;
    assert_eq!((found, reason.as_str()), (None, WRONG_SIGNATURE));
}

pub async fn an_honest_token_in_another_form_is_refused(fixture: Fixture, node: StrategyUnderTest) {
    let forge = Forge::new(&fixture, &node).await;
    let honest = forge.honest();
    let parts: Vec<&str> = honest.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    let (header_json, claims_json) = (forge.header().to_string(), forge.claims().to_string());
    let padded = format!("{}.{}", STANDARD.encode(format!("{header_json} ")), STANDARD.encode(claims_json));
    assert!(padded.contains('='), "the padding is what this is about");
    let changed = [
        ("padding", format!("{padded}.{}", sign(&forge.key, padded.as_bytes()))),
        ("padded signature", format!("{honest}==")),
        ("two parts", format!("{header}.{claims}")),
        ("an empty signature", format!("{header}.{claims}.")),
        ("four parts", format!("{honest}.{signature}")),
        ("an empty part before", format!(".{honest}")),
        ("an empty part after", format!("{honest}.")),
        ("a space before", format!(" {honest}")),
        ("a space after", format!("{honest} ")),
        ("a line end", format!("{honest}\n")),
        ("quotes", format!("\"{honest}\"")),
        ("the scheme", format!("Bearer {honest}")),
        ("a comma", honest.replacen('.', ",", 1)),
    ];
    for (what, token) in changed {
        forge.refuses(what, &token).await;
    }
}

pub async fn a_token_of_more_than_4096_bytes_is_refused_before_its_signature_is_checked(
    fixture: Fixture,
    node: StrategyUnderTest,
) {
    let forge = Forge::new(&fixture, &node).await;
    let filled = |spaces: usize, filler: usize| {
        let claims = with(&forge.claims(), "name", &json!("x".repeat(filler)));
        forge.token(&format!("{}{}", forge.header(), " ".repeat(spaces)), &claims.to_string())
    };
    // Base64 has no text of every length: spaces after the header make up for that.
    let room = (4096 - filled(0, 0).len()) / 4 * 3;
    let tries = (0..3).flat_map(|spaces| (room - 6..room + 3).map(move |filler| (spaces, filler)));
    let most = tries.map(|(spaces, filler)| filled(spaces, filler)).find(|token| token.len() == 4096);
    forge.accepts("4,096 bytes", &most.expect("a token of 4,096 bytes")).await;
    let (found, reason) = forge.identify(&filled(0, 3_500)).await;
    assert!(found.is_none() && reason.contains("form"), "{reason}");
    let (_, reason) = forge.identify(&"x".repeat(1 << 20)).await;
    assert!(reason.contains("form"), "{reason}");
}

pub async fn a_token_of_another_algorithm_is_refused(fixture: Fixture, node: StrategyUnderTest) {
    let mut forge = Forge::new(&fixture, &node).await;
    for other in [Hs256, Es256, EdDsa, Rs256].into_iter().filter(|other| *other != node.algorithm()) {
        forge.key = SigningKey::of(other);
        forge.refuses(&format!("a token of {other}"), &forge.honest()).await;
    }
}
