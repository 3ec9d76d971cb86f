//! Styles, scripts and pictures: a browser keeps them for as long as their address is true.

use super::client::{Answer, answer};
use super::server::TestServer;
use crate::common::bare_client;

const YEAR: &str = "public, max-age=31536000, immutable";

async fn get(server: &TestServer, path: &str, known: Option<&str>) -> Answer {
    let request = bare_client().get(server.app.url(path));
    answer(if let Some(tag) = known { request.header("if-none-match", tag) } else { request }).await
}

/// The addresses of assets in a page.
fn linked(page: &str) -> Vec<String> {
    let parts = page.split('"').filter(|part| part.starts_with("/assets/"));
    parts.map(|part| part.replace("&#x2f;", "/")).collect()
}

#[tokio::test]
async fn what_a_page_links_to_is_kept_for_a_year_and_nothing_else_is() {
    let server = TestServer::start().await;
    let mut all = Vec::new();
    for page in ["/", "/labs/revocation", "/labs/cost", "/jwt/login"] {
        all.extend(linked(&get(&server, page, None).await.body));
    }
    assert!(all.len() > 8, "{all:?}");
    for address in all {
        let reply = get(&server, &address, None).await;
        assert_eq!((reply.status, reply.header("cache-control")), (200, Some(YEAR)), "{address}");
        assert!(reply.header("content-type").is_some_and(|kind| kind.ends_with("; charset=utf-8")), "{address}");
        let (plain, _) = address.split_once("?v=").expect("a version");
        for (other, caching) in [(plain.to_owned(), "public, max-age=3600"), (format!("{plain}?v=other"), "no-cache")] {
            assert_eq!(get(&server, &other, None).await.header("cache-control"), Some(caching), "{other}");
        }
    }
}

#[tokio::test]
async fn a_browser_that_has_an_asset_gets_a_304() {
    let server = TestServer::start().await;
    let mut tags = Vec::new();
    for path in ["/assets/style.css", "/assets/labs.js", "/assets/favicon.svg", "/favicon.ico"] {
        let reply = get(&server, path, None).await;
        let tag = reply.header("etag").expect("a tag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 12, "{tag}");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let again = get(&server, path, Some(&known)).await;
            assert_eq!((again.status, again.body.as_str(), again.header("etag")), (304, "", Some(&*tag)), "{known}");
        }
        let other = get(&server, path, Some("\"other\"")).await;
        assert_eq!((other.status, other.body), (200, reply.body), "{path}");
        tags.push(tag);
    }
    tags.dedup();
    assert_eq!(tags.len(), 4, "{tags:?}");
}

#[tokio::test]
async fn the_icon_is_where_browsers_look_for_it() {
    let server = TestServer::start().await;
    let reply = bare_client().get(server.app.url("/favicon.ico")).send().await.expect("an answer");
    assert_eq!((reply.status().as_u16(), &reply.headers()["content-type"]), (200, &"image/x-icon".parse().unwrap()));
    let bytes = reply.bytes().await.expect("a picture");
    assert_eq!(bytes[..6], [0, 0, 1, 0, 1, 0], "an icon with one picture");
}
