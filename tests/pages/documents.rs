//! The documents for programs: OpenAPI, also as a page, and the public keys.

use std::collections::BTreeSet;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Value, json};

use super::client::{Answer, answer};
use super::server::TestServer;
use crate::common::{DEMO_PASSWORD, bare_client};

async fn get(server: &TestServer, path: &str) -> Answer {
    answer(bare_client().get(server.app.url(path))).await
}

#[tokio::test]
async fn every_documented_route_answers_as_documented_under_every_mount() {
    let server = TestServer::start().await;
    let document = get(&server, "/openapi.json").await.json();
    let servers: Vec<_> = document["servers"].as_array().expect("servers").iter().map(|s| s["url"].clone()).collect();
    let mounts = server.mounts().iter().map(|mount| json!(server.app.url(&format!("/{}/api", mount.slug))));
    assert_eq!(servers, mounts.collect::<Vec<_>>());
    let routes = routes(&document);
    assert!(routes.len() >= 4, "{routes:?}");
    let mut served = BTreeSet::new();
    for server in &servers {
        for (path, method, operation) in &routes {
            let url = format!("{}{path}", server.as_str().expect("a url"));
            let method = method.to_uppercase().parse().expect("a method");
            let mut request = bare_client().request(method, &url);
            if operation.get("requestBody").is_some() {
                request =
                    request.json(&json!({ "username": "alice", "password": DEMO_PASSWORD, "refresh_token": "x" }));
            }
            let reply = answer(request).await;
            let documented = operation["responses"].as_object().expect("responses");
            assert!(documented.contains_key(&reply.status.to_string()), "{url}: {} is not documented", reply.status);
            if reply.status != 404 {
                served.insert(path);
            }
        }
    }
    assert_eq!(served.len(), routes.len(), "served by some mount: {served:?}");
}

/// Generators of clients need a name for each operation, and the ways to present a login.
#[tokio::test]
async fn operations_have_names_and_say_how_to_present_a_login() {
    let server = TestServer::start().await;
    let document = get(&server, "/openapi.json").await.json();
    let schemes = document["components"]["securitySchemes"].as_object().expect("schemes");
    assert_eq!(schemes["bearer"]["scheme"], "bearer");
    for mount in server.mounts() {
        let cookie = schemes.values().find(|scheme| scheme["name"] == mount.transport.cookie).expect("the cookie");
        assert_eq!((&cookie["type"], &cookie["in"]), (&json!("apiKey"), &json!("cookie")));
    }
    let mut names = BTreeSet::new();
    for (path, _, operation) in routes(&document) {
        let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{path} has no name"));
        assert!(names.insert(name.to_owned()), "{name} twice");
        let ways = operation["security"].as_array().map_or(0, Vec::len);
        let takes_body = operation.get("requestBody").is_some();
        assert_eq!(ways, if takes_body { 0 } else { schemes.len() }, "{path}");
        assert_eq!(operation["responses"].get("415").is_some(), takes_body, "{path}");
    }
}

/// Every example of the page, sent as it stands: none is for an address that is not there.
#[tokio::test]
async fn the_examples_of_the_page_lead_somewhere() {
    let server = TestServer::start().await;
    let page = get(&server, "/docs").await.body.replace("&#x2f;", "/").replace("&quot;", "\"").replace("&#x27;", "'");
    let examples: Vec<_> = page.split("<pre>curl -i ").skip(1).filter_map(|rest| rest.split("</pre>").next()).collect();
    assert!(examples.iter().any(|example| example.contains(" -b 'id=")), "by cookie: {examples:#?}");
    assert!(examples.iter().any(|example| example.contains("Bearer")), "by token: {examples:#?}");
    for example in examples {
        let mut words = example.split(' ').filter(|word| !["-X", "GET", "POST"].contains(word));
        let url = words.next().expect("an address");
        let request = if example.starts_with("-X POST") || example.contains(" -d ") {
            let body = example.split(" -d '").nth(1).map(|body| body.trim_end_matches('\'').to_owned());
            bare_client().post(url).header("content-type", "application/json").body(body.unwrap_or_default())
        } else {
            bare_client().get(url)
        };
        let reply = answer(request).await;
        assert!(![400, 404, 405, 415].contains(&reply.status), "{example}: {} {}", reply.status, reply.body);
    }
}

fn routes(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let routes = paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().expect("operations").iter();
        operations.map(|(method, operation)| (path.clone(), method.clone(), operation.clone()))
    });
    routes.collect()
}

#[tokio::test]
async fn the_page_shows_every_route_and_every_field() {
    let server = TestServer::start().await;
    let document = get(&server, "/openapi.json").await.json();
    let page = get(&server, "/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    for (path, method, operation) in routes(&document) {
        let heading = format!("{}</span> <code>{}</code>", method.to_uppercase(), path.replace('/', "&#x2f;"));
        assert!(page.body.contains(&heading), "{heading}");
        assert!(page.body.contains(operation["summary"].as_str().expect("a summary")));
    }
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        assert!(page.body.contains(&format!("id=\"schema-{name}\"")), "{name}");
        for field in schema["properties"].as_object().expect("fields").keys() {
            assert!(page.body.contains(&format!("<code>{field}</code>")), "{name}.{field}");
        }
    }
}

#[tokio::test]
async fn the_public_keys_check_a_token_and_sign_none() {
    for algorithm in ["ES256", "EdDSA", "RS256"] {
        let server = TestServer::with(&["--jwt-algorithm", algorithm]).await;
        let reply = get(&server, "/.well-known/jwks.json").await;
        assert_eq!(reply.header("content-type"), Some("application/jwk-set+json"));
        for member in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"", "\"k\""] {
            assert!(!reply.body.contains(member), "{algorithm}: {member} is part of the private key");
        }
        let keys: JwkSet = serde_json::from_str(&reply.body).expect("a set of keys");
        for mount in server.mounts().iter().filter(|mount| mount.transport.bearer) {
            let cookie = server.client(mount).demo_login("alice").await;
            let token = cookie.split_once('=').expect("a pair").1;
            let header = jsonwebtoken::decode_header(token).expect("a header");
            assert_eq!(json!(header.alg), json!(algorithm));
            let key = keys.find(&header.kid.expect("a key id")).expect("the key is published");
            let mut validation = Validation::new(header.alg);
            validation.set_audience(&[mount.slug]);
            validation.set_issuer(&["jwt-vs-session"]);
            let key = DecodingKey::from_jwk(key).expect("a public key");
            let claims = jsonwebtoken::decode::<Value>(token, &key, &validation).expect("a valid token").claims;
            assert_eq!(claims["name"], "alice");
            let (signed, signature) = token.rsplit_once('.').expect("a signature");
            let forged = format!("{signed}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]);
            assert!(jsonwebtoken::decode::<Value>(&forged, &key, &validation).is_err());
        }
    }
}

#[tokio::test]
async fn a_secret_has_no_public_key() {
    let server = TestServer::start().await;
    assert_eq!(get(&server, "/.well-known/jwks.json").await.json(), json!({ "keys": [] }));
}
