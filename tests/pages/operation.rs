//! The home page and every link, and what operators ask for.

use std::collections::BTreeSet;

use super::stage::{Stage, base};
use super::visitor::{Answer, Visitor, answer, unescaped};
use crate::common::bare_client;

async fn get(stage: &Stage, path: &str) -> Answer {
    answer(bare_client().get(stage.app.url(path))).await
}

#[tokio::test]
async fn the_home_page_shows_every_mount_the_table_and_the_stores() {
    let stage = Stage::start().await;
    let home = unescaped(&get(&stage, "/").await.body);
    for mount in stage.mounts() {
        assert!(home.contains(&format!("href=\"{}/\"", base(mount))), "no way to {}", mount.slug);
        assert!(home.contains(mount.texts.label) && home.contains(mount.texts.summary), "{}", mount.slug);
    }
    for row in ["State", "Scalability", "Revocation", "Payload size", "Client support", "Cookies and scripts"] {
        let row = home.split("<tr>").find(|tr| tr.contains(&format!("<th scope=\"row\">{row}</th>"))).expect(row);
        assert!(row.contains("<a href=\"/"), "{row} cannot be seen anywhere");
    }
    for store in [format!("at 127.0.0.1:{}", stage.redis.port()), "SQLite file".to_owned()] {
        let row = home.split("<li>").find(|row| row.contains(&store)).unwrap_or_else(|| panic!("{store}: {home}"));
        assert!(row.contains("shape live"), "{row}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_not_live_on_the_home_page() {
    let mut stage = Stage::start().await;
    stage.redis.kill();
    let home = get(&stage, "/").await;
    assert_eq!(home.status, 200);
    assert!(home.body.contains("shape down") && home.body.contains("Redis does not answer."), "{}", home.body);
}

/// Followed from the home page, signed out and signed in under every mount.
#[tokio::test]
async fn every_link_leads_somewhere_on_this_server() {
    let stage = Stage::start().await;
    for mount in stage.mounts() {
        let visitor = stage.visitor(mount);
        let signed_out = crawl(&visitor).await;
        visitor.sign_in("alice").await;
        let signed_in = crawl(&visitor).await;
        for path in ["/profile", "/devices", "/password"] {
            assert!(signed_in.contains(&format!("{}{path}", visitor.base)), "{signed_in:?}");
        }
        assert!(signed_out.contains(&format!("{}/register", visitor.base)), "{signed_out:?}");
    }
}

async fn crawl(visitor: &Visitor) -> BTreeSet<String> {
    let (mut seen, mut found) = (BTreeSet::new(), vec!["/".to_owned(), format!("{}/", visitor.base)]);
    while let Some(path) = found.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let page = visitor.open(&path).await;
        assert!([200, 303].contains(&page.status), "{path}: {}", page.status);
        let ours = path == "/" || path.starts_with(&format!("{}/", visitor.base));
        let links = page.body.split("href=\"").skip(1).filter(|_| ours).filter_map(|rest| rest.split_once('"'));
        found.extend(links.map(|(link, _)| unescaped(link)).filter(|link| !link.starts_with('#')));
    }
    assert!(seen.iter().all(|path| path.starts_with('/') && !path.starts_with("//")), "{seen:?}");
    seen
}

#[tokio::test]
async fn readyz_lists_the_mounts_and_healthz_says_ok() {
    for stage in Stage::on_both_databases().await {
        let ready = get(&stage, "/readyz").await;
        let rows = ready.json()["strategies"].as_array().expect("rows").clone();
        let slugs: Vec<_> = rows.iter().filter_map(|row| row["strategy"].as_str()).collect();
        assert_eq!(slugs, stage.mounts().iter().map(|mount| mount.slug).collect::<Vec<_>>());
        assert!(rows.iter().all(|row| row["ready"] == true), "{rows:?}");
        assert_eq!((ready.status, get(&stage, "/healthz").await.body.as_str()), (200, "ok\n"));
        for slug in slugs {
            assert_eq!(get(&stage, &format!("/{slug}/")).await.status, 200);
        }
    }
}

#[tokio::test]
async fn the_metrics_count_logins_identities_and_requests() {
    let stage = Stage::start().await;
    for mount in stage.mounts() {
        let visitor = stage.visitor(mount);
        visitor.log_in("alice", "wrong").await;
        visitor.sign_in("alice").await;
        visitor.get("/profile").await;
    }
    let reply = get(&stage, "/metrics").await;
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for mount in stage.mounts() {
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
