//! The home page, every link, and the routes for operators.

use std::collections::BTreeSet;

use super::client::{Answer, MountClient, answer, unescaped};
use super::server::{TestServer, base};
use crate::common::bare_client;

async fn get(server: &TestServer, path: &str) -> Answer {
    answer(bare_client().get(server.app.url(path))).await
}

#[tokio::test]
async fn the_home_page_shows_every_mount_the_table_and_the_stores() {
    let server = TestServer::start().await;
    let home = unescaped(&get(&server, "/").await.body);
    for mount in server.mounts() {
        assert!(home.contains(&format!("href=\"{}/\"", base(mount))), "no way to {}", mount.slug);
        assert!(home.contains(mount.texts.label) && home.contains(mount.texts.summary), "{}", mount.slug);
    }
    for row in ["State", "Scalability", "Revocation", "Payload size", "Client support", "Cookies and scripts"] {
        let row = home.split("<tr>").find(|tr| tr.contains(&format!("<th scope=\"row\">{row}</th>"))).expect(row);
        assert!(row.contains("<a href=\"/"), "{row} cannot be seen anywhere");
    }
    for store in [format!("at 127.0.0.1:{}", server.redis.port()), "SQLite file".to_owned()] {
        let row = home.split("<li>").find(|row| row.contains(&store)).unwrap_or_else(|| panic!("{store}: {home}"));
        assert!(row.contains("shape live"), "{row}");
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_not_live_on_the_home_page() {
    let mut server = TestServer::start().await;
    server.redis.kill();
    let home = get(&server, "/").await;
    assert_eq!(home.status, 200);
    assert!(home.body.contains("shape down") && home.body.contains("Redis does not answer."), "{}", home.body);
}

/// Follows the links from the home page, logged out and logged in, under every mount.
#[tokio::test]
async fn every_link_leads_somewhere_on_this_server() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let client = server.client(mount);
        let logged_out = crawl(&client).await;
        client.demo_login("alice").await;
        let logged_in = crawl(&client).await;
        for path in ["/profile", "/devices", "/password"] {
            assert!(logged_in.contains(&format!("{}{path}", client.base)), "{logged_in:?}");
        }
        assert!(logged_out.contains(&format!("{}/register", client.base)), "{logged_out:?}");
    }
}

async fn crawl(client: &MountClient) -> BTreeSet<String> {
    let (mut seen, mut found) = (BTreeSet::new(), vec!["/".to_owned(), format!("{}/", client.base)]);
    while let Some(path) = found.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let page = client.open(&path).await;
        assert!([200, 303].contains(&page.status), "{path}: {}", page.status);
        let ours = path == "/" || path.starts_with(&format!("{}/", client.base));
        let links = page.body.split("href=\"").skip(1).filter(|_| ours).filter_map(|rest| rest.split_once('"'));
        found.extend(links.map(|(link, _)| unescaped(link)).filter(|link| !link.starts_with('#')));
    }
    assert!(seen.iter().all(|path| path.starts_with('/') && !path.starts_with("//")), "{seen:?}");
    seen
}

#[tokio::test]
async fn readyz_lists_the_mounts_and_healthz_says_ok() {
    for server in TestServer::on_both_databases().await {
        let ready = get(&server, "/readyz").await;
        let rows = ready.json()["strategies"].as_array().expect("rows").clone();
        let slugs: Vec<_> = rows.iter().filter_map(|row| row["strategy"].as_str()).collect();
        assert_eq!(slugs, server.mounts().iter().map(|mount| mount.slug).collect::<Vec<_>>());
        assert!(rows.iter().all(|row| row["ready"] == true), "{rows:?}");
        assert_eq!((ready.status, get(&server, "/healthz").await.body.as_str()), (200, "ok\n"));
        for slug in slugs {
            assert_eq!(get(&server, &format!("/{slug}/")).await.status, 200);
        }
    }
}

#[tokio::test]
async fn the_metrics_count_logins_identities_and_requests() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let client = server.client(mount);
        client.log_in("alice", "wrong").await;
        client.demo_login("alice").await;
        client.get("/profile").await;
    }
    let reply = get(&server, "/metrics").await;
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for mount in server.mounts() {
        for line in [
            format!("logins_total{{strategy=\"{}\",outcome=\"opened\"}}", mount.slug),
            format!("logins_total{{strategy=\"{}\",outcome=\"refused\"}}", mount.slug),
            format!("auth_identify_total{{strategy=\"{}\",verdict=\"accepted\"}}", mount.slug),
            format!("http_requests_total{{mount=\"{}\",method=\"POST\",status=\"303\"}}", base(mount)),
            format!("http_request_duration_seconds_count{{mount=\"{}\",method=\"GET\",status=\"200\"}}", base(mount)),
        ] {
            let value = reply.body.lines().find_map(|found| found.strip_prefix(&line));
            assert!(value.is_some_and(|value| value.trim() != "0"), "{line}\n{}", reply.body);
        }
    }
    assert!(!reply.body.contains("alice"), "a metric names no user");
}
