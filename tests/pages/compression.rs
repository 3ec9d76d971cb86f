//! What is compressed, for which client, and what never is: a page that shows a login, or what a visitor typed.

use std::io::Read as _;

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;

use super::client::between;
use super::server::{TestServer, base};
use crate::common::{TestApp, bare_client, until};

/// Every asset that is text.
const ASSETS: [&str; 8] =
    ["style.css", "cookie-check.js", "ended.js", "labs.css", "labs.js", "cost.css", "cost.js", "favicon.svg"];

/// The pages with the same bytes for everybody.
const SHARED: [&str; 3] = ["/", "/docs", "/openapi.json"];

/// What clients say who would read anything.
const GREEDY: [&str; 3] = ["gzip, deflate, br, zstd", "*", "identity;q=0, *;q=0.5"];

/// An answer as it came over the socket.
struct Raw {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Raw {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("readable"))
    }

    fn encoding(&self) -> Option<&str> {
        self.header("content-encoding")
    }

    fn etag(&self) -> &str {
        self.header("etag").expect("an entity tag")
    }

    fn decoded(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        let done = match self.encoding() {
            Some("br") => brotli::Decompressor::new(&self.body[..], 4096).read_to_end(&mut plain),
            Some("gzip") => flate2::read::GzDecoder::new(&self.body[..]).read_to_end(&mut plain),
            Some(other) => panic!("{other} is not a coding of the server"),
            None => (&self.body[..]).read_to_end(&mut plain),
        };
        done.expect("a whole body in the coding that the answer names");
        plain
    }

    /// Fails unless the bytes are those of the content, and the length says how many there are.
    fn assert_plain(&self, what: &str) {
        assert_eq!(self.encoding(), None, "{what}");
        let length = self.header("content-length").map(|length| length.parse().expect("a number"));
        assert_eq!(length, Some(self.body.len()), "{what}");
    }
}

async fn raw(request: RequestBuilder) -> Raw {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Raw { status, headers, body: response.bytes().await.expect("a whole answer").to_vec() }
}

fn request(app: &TestApp, path: &str, accept: &str) -> RequestBuilder {
    bare_client().get(app.url(path)).header("accept-encoding", accept)
}

async fn head(app: &TestApp, path: &str, accept: &str) -> Raw {
    raw(bare_client().head(app.url(path)).header("accept-encoding", accept)).await
}

async fn get(app: &TestApp, path: &str, accept: &str) -> Raw {
    raw(request(app, path, accept)).await
}

#[tokio::test]
async fn every_form_of_an_asset_is_the_same_content_and_smaller() {
    let app = TestApp::start(&[]).await;
    let (mut before, mut after) = (0, 0);
    for name in ASSETS {
        let path = format!("/assets/{name}");
        let plain = raw(bare_client().get(app.url(&path))).await;
        plain.assert_plain(&path);
        assert_eq!(plain.header("vary"), Some("Accept-Encoding"), "{path}");
        for coding in ["br", "gzip"] {
            let form = get(&app, &path, coding).await;
            assert_eq!((form.status, form.encoding()), (200, Some(coding)), "{path}");
            assert_eq!(form.decoded(), plain.body, "{path} in {coding}");
            assert!(form.body.len() < plain.body.len(), "{path} in {coding}");
            for same in ["content-type", "cache-control", "vary"] {
                assert_eq!(form.header(same), plain.header(same), "{path} in {coding}: {same}");
            }
            (before, after) = (before + plain.body.len(), after + form.body.len());
        }
    }
    assert!(after * 2 < before, "{after} bytes of {before}");
}

#[tokio::test]
async fn every_form_has_a_tag_and_a_304_of_its_own() {
    let app = TestApp::start(&[]).await;
    let assets = ASSETS.iter().map(|name| format!("/assets/{name}"));
    for path in assets.chain(SHARED.map(ToOwned::to_owned)) {
        let mut tags = Vec::new();
        for coding in ["br", "gzip", "identity"] {
            let form = get(&app, &path, coding).await;
            let tag = form.etag().to_owned();
            // A shared page has no brotli form.
            assert!(!tags.contains(&tag) || SHARED.contains(&&*path), "{path}: {coding} has the tag of another form");
            let again = raw(request(&app, &path, coding).header("if-none-match", &tag)).await;
            assert_eq!((again.status, again.body.len(), again.etag()), (304, 0, &*tag), "{path} in {coding}");
            assert_eq!((again.header("vary"), again.encoding()), (Some("Accept-Encoding"), None), "{path} in {coding}");
            assert_eq!(again.header("cache-control"), form.header("cache-control"), "{path} in {coding}");
            for other in tags.iter().filter(|other| **other != tag) {
                let reply = raw(request(&app, &path, coding).header("if-none-match", other)).await;
                assert_eq!(
                    (reply.status, reply.etag()),
                    (200, &*tag),
                    "{path} in {coding}: the tag is of another form"
                );
            }
            let head = head(&app, &path, coding).await;
            assert_eq!((head.status, head.body.len(), head.etag()), (200, 0, &*tag), "HEAD {path} in {coding}");
            for same in ["content-encoding", "content-length", "content-type", "vary", "cache-control"] {
                assert_eq!(head.header(same), form.header(same), "HEAD {path} in {coding}: {same}");
            }
            tags.push(tag);
        }
    }
}

#[tokio::test]
async fn a_client_gets_the_smallest_form_that_it_accepts() {
    let app = TestApp::start(&[]).await;
    for (accept, coding) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("gzip, deflate", Some("gzip")),
        ("br;q=0, gzip", Some("gzip")),
        ("br;q=0.1, gzip;q=0.2", Some("gzip")),
        ("*", Some("br")),
        ("identity;q=0, *", Some("br")),
        ("*;q=0, gzip;q=0.1", Some("gzip")),
        ("identity", None),
        ("", None),
        ("zstd", None),
        ("br;q=0, gzip;q=0", None),
        ("*;q=0", None),
    ] {
        let reply = get(&app, "/assets/style.css", accept).await;
        assert_eq!((reply.status, reply.encoding()), (200, coding), "{accept}");
    }
    let lines = request(&app, "/assets/style.css", "br;q=0.5").header("accept-encoding", "gzip");
    assert_eq!(raw(lines).await.encoding(), Some("gzip"), "two lines are one list");
    let icon = get(&app, "/favicon.ico", "br, gzip").await;
    icon.assert_plain("/favicon.ico");
    assert_eq!(icon.header("vary"), None, "there is one form");
}

#[tokio::test]
async fn a_page_for_everybody_is_compressed_and_has_nothing_of_a_visitor() {
    let server = TestServer::start().await;
    let mut cookies = Vec::new();
    for mount in server.mounts() {
        cookies.push(server.client(mount).demo_login("carol").await);
    }
    for path in SHARED {
        let plain = get(&server.app, path, "identity").await;
        plain.assert_plain(path);
        let form = get(&server.app, path, "gzip, br").await;
        assert_eq!((form.encoding(), form.header("vary")), (Some("gzip"), Some("Accept-Encoding")), "{path}");
        assert!(form.decoded() == plain.body, "{path}: the two forms differ");
        assert!(form.body.len() * 3 < plain.body.len(), "{path}: {} bytes", form.body.len());
        let typed = format!("{path}?name=typed-text&next=typed-text&username=typed-text");
        let visitor = request(&server.app, &typed, "gzip").header("cookie", cookies.join("; "));
        let visitor = visitor.header("referer", server.app.url("/typed-text")).header("user-agent", "typed-text");
        let seen = raw(visitor.header("x-request-id", "typed-text")).await;
        assert!(seen.body == form.body, "{path}: another page for somebody who is logged in");
    }
}

/// A form that the server keeps must not outlive its text.
#[tokio::test]
async fn the_home_page_follows_the_stores_in_every_form() {
    let mut server = TestServer::start().await;
    let before = get(&server.app, "/", "gzip").await;
    server.redis.kill();
    until("the home page shows the outage", async || {
        let now = get(&server.app, "/", "gzip").await;
        now.etag() != before.etag() && now.decoded() == get(&server.app, "/", "identity").await.body
    })
    .await;
}

/// BREACH: the length of a compressed page says whether what somebody typed repeats a secret beside it.
#[tokio::test]
async fn no_page_of_a_mount_is_compressed() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let (client, path) = (server.client(mount), base(mount));
        let cookie = client.demo_login("carol").await;
        let query = "name=typed-text&next=%2Ftyped-text&username=typed-text";
        for page in ["/", "/login", "/register", "/profile", "/devices", "/password", "/users", "/nowhere", "/api/me"] {
            for (accept, cookie) in GREEDY.iter().flat_map(|accept| [(accept, &*cookie), (accept, "")]) {
                let what = format!("{path}{page}?{query}");
                let reply = raw(request(&server.app, &what, accept).header("cookie", cookie)).await;
                reply.assert_plain(&format!("{what} for {accept} with {cookie:?}"));
            }
        }
        for page in ["/login", "/register", "/password", "/logout-everywhere", "/api/login"] {
            let form = [("username", "typed-text"), ("password", "typed"), ("current_password", "typed")];
            let post = bare_client().post(server.app.url(&format!("{path}{page}"))).header("cookie", &cookie);
            let reply = raw(post.header("accept-encoding", GREEDY[0]).form(&form)).await;
            reply.assert_plain(&format!("POST {path}{page}"));
        }
    }
}

#[tokio::test]
async fn no_other_page_is_compressed() {
    let app = TestApp::start(&[]).await;
    for path in ["/labs/revocation", "/labs/cost?logins=7", "/nowhere", "/assets/nothing.css", "/readyz", "/metrics"] {
        for accept in GREEDY {
            get(&app, path, accept).await.assert_plain(path);
        }
    }
    let form = [("username", "typed-text"), ("password", "typed-text")];
    for path in ["/labs/revocation", "/labs/cost"] {
        let post = bare_client().post(app.url(path)).header("accept-encoding", GREEDY[0]);
        raw(post.form(&form)).await.assert_plain(path);
    }
}

/// The attack itself: a page of a mount shows the ends of the credential, and a link may fill in the search.
#[tokio::test]
async fn a_guess_of_a_secret_does_not_change_the_length_of_a_page() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let cookie = server.client(mount).demo_login("carol").await;
        let (_, secret) = cookie.split_once('=').expect("a pair");
        // As the panel does; see `trace::mask`.
        let shown = &secret[..(secret.len() / 8).min(5)];
        let length = async |guess: &str| {
            let path = format!("{}/users?name={guess}", base(mount));
            let reply = raw(request(&server.app, &path, GREEDY[0]).header("cookie", &cookie)).await;
            reply.assert_plain(&path);
            let page = String::from_utf8(reply.body).expect("text");
            assert!(
                page.contains(&format!("{shown}…")),
                "{}: the page shows the beginning of the credential: {page}",
                mount.slug
            );
            // Without the panel, which has the times of this request.
            let main = between(&page, "<main", "</main>").expect("a page");
            assert!(main.contains(guess), "{}: the page repeats the guess", mount.slug);
            main.len()
        };
        let right = shown.repeat(8);
        let wrong = "~".repeat(right.len());
        assert_eq!(length(&right).await, length(&wrong).await, "{}", mount.slug);
    }
}
