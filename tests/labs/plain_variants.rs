//! The plain variants of an earlier measurement on the home page.

use serde_json::json;

use crate::common::{RedisServer, TestApp, bare_client};

#[tokio::test]
async fn the_plain_variants_stand_beside_our_strategies_on_the_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("figures.json");
    let spread = |median: f64| json!({ "low": median * 0.9, "median": median, "high": median * 1.1 });
    let staleness = json!({ "p50": 0.0, "worst": 0.0, "bound": 0.0, "shortened_life": null });
    let row = json!({
        "strategy": "session", "identify_ns": spread(16_000.0), "issue_ns": null, "revoke_ns": spread(240_000.0),
        "store_calls": 1.0, "request_bytes": 22, "stored_bytes": 330, "staleness_ms": staleness,
    });
    let plain = |name: &str, beside: &str| {
        json!({
            "name": name, "beside": beside, "what": "one GET, one DEL", "check_ns": spread(15_000.0),
            "revoke_ns": spread(14_000.0), "staleness_note": "while Redis keeps its data",
            "comparison": "Ours also writes each revocation to the SQL database.",
        })
    };
    let source =
        json!({ "method": "criterion", "machine": "a machine", "date": "2026-11-22", "versions": "one", "load": null });
    let plain = [plain("plain session", "session"), plain("plain JWT", "jwt")];
    std::fs::write(&file, json!({ "source": source, "rows": [row], "plain": plain }).to_string()).expect("a file");
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--figures", file.to_str().expect("a path"), "--redis-url", &redis.url()]).await;
    let home = bare_client().get(app.url("/")).send().await.expect("a response").text().await.expect("a page");
    let said = "plain session, beside session: 15.0 µs (13.5 µs to 16.5 µs); none accepted, while Redis keeps its data";
    assert_eq!(home.matches(&format!("<title>{said}</title>")).count(), 2, "on both drawings: {home}");
    assert_eq!(home.matches(&format!("aria-label=\"{said}\"")).count(), 2, "a screen reader reads both");
    for part in ["a revoke takes 14.0 µs", "Ours also writes each revocation to the SQL database.", "• plain: "] {
        assert_eq!(home.matches(part).count(), 1, "{part} is in the table or the key");
    }
    assert!(!home.contains("plain JWT") && !home.contains("an earlier measurement"), "jwt was not measured");
    app.stop().await;
}
