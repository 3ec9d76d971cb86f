//! `/labs/revocation`: without scripts in one request, with scripts login by login.

use reqwest::Response;
use serde_json::Value;

use crate::common::{RedisServer, TestApp, bare_client, until};

/// The row of a strategy in the table.
fn row<'a>(page: &'a str, slug: &str) -> &'a str {
    let row = page.split("<tr ").find(|row| row.starts_with(&format!("data-slug=\"{slug}\"")));
    row.unwrap_or_else(|| panic!("no row of {slug} in {page}"))
}

#[tokio::test]
async fn the_form_alone_runs_the_experiment_and_answers_with_the_table() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let page = bare_client().get(app.url("/labs/revocation")).send().await.expect("an answer").text().await;
    let page = page.expect("a page");
    let boxes = page.split("name=\"strategy\" value=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let form: Vec<_> = boxes.map(|slug| ("strategy", slug)).collect();
    assert_eq!(form.len(), app.strategies.len(), "a box for each strategy");
    let answer = bare_client().post(app.url("/labs/revocation")).form(&form).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let answered = answer.text().await.expect("a page");
    for (_, slug) in &form {
        let row = row(&answered, slug);
        assert!(!row.contains("class=\"late\""), "not within the promise: {row}");
    }
    let (session, jwt) = (row(&answered, "session"), row(&answered, "jwt"));
    assert!(session.contains(" ms</strong>, refused at once"), "{session}");
    assert!(session.contains("<strong>&lt; "), "the first probe was refused, and was sent at that time: {session}");
    assert!(session.contains("next request") && session.contains("class=\"refused\""), "{session}");
    assert!(jwt.contains("expiry, ≤ 8 s") && jwt.contains("probes, the last at "), "{jwt}");
    assert!(row(&answered, "session-memory").contains("never accepted this login"), "{answered}");
    app.stop().await;
}

/// The events of a stream so far, as name and data.
struct Stream {
    answer: Response,
    text: String,
    /// The id of the last event.
    id: String,
}

impl Stream {
    /// The next event of this name.
    async fn next(&mut self, name: &str) -> Value {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let field = |key: &str| event.lines().find_map(|line| line.strip_prefix(key));
                field("id: ").unwrap_or_default().clone_into(&mut self.id);
                let data = (field("event: ") == Some(name)).then(|| field("data: ").expect("data").to_owned());
                if let Some(data) = data {
                    return serde_json::from_str(&data).expect("JSON");
                }
            }
            let chunk = self.answer.chunk().await.expect("the stream goes on").expect("an event before the end");
            self.text.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }
}

#[tokio::test]
async fn the_stream_has_every_tick_and_the_revoke_of_every_login() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let client = bare_client();
    let form = [("strategy", "session"), ("strategy", "session-tracked")];
    let answer = client.post(app.url("/labs/revocation/api/runs")).form(&form).send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    let run: Value = answer.json().await.expect("JSON");
    assert_eq!(run["logins"][0]["slug"], "session");
    let address = |name: &str| app.url(run[name].as_str().expect("an address"));
    let answer = client.get(address("events")).send().await.expect("a stream");
    assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["x-accel-buffering"], "no");
    assert!(answer.headers().get("content-encoding").is_none());
    let mut stream = Stream { answer, text: String::new(), id: String::new() };
    for _ in 0..3 {
        assert_eq!(stream.next("tick").await["outcomes"], serde_json::json!(["aa", "aa"]));
    }
    // A browser that lost the connection gets what came since.
    let last: usize = stream.id.parse().expect("a number");
    let again = client.get(address("events")).header("last-event-id", last.to_string()).send().await;
    let mut again = Stream { answer: again.expect("a stream"), text: String::new(), id: String::new() };
    again.next("tick").await;
    assert_eq!(again.id, (last + 1).to_string());
    let answer = client.post(address("revoke")).send().await.expect("an answer");
    assert_eq!(answer.status(), 204);
    for number in [0, 1] {
        // The refusal of a check that takes longer than the revoke is known before the answer to the revoke.
        let revoking = stream.next("login").await;
        assert_eq!((&revoking["number"], &revoking["row"]["kind"]), (&number.into(), &"revoking".into()));
        let revoked = stream.next("login").await;
        assert_eq!((&revoked["number"], &revoked["row"]["kind"]), (&number.into(), &"revoked".into()));
        let settled = stream.next("login").await;
        assert_eq!((&settled["number"], &settled["row"]["kind"]), (&number.into(), &"refused".into()), "{settled}");
    }
    // The probes of the first tick may have been sent before.
    stream.next("tick").await;
    assert_eq!(stream.next("tick").await["outcomes"], serde_json::json!(["rr", "rr"]));
    stream.next("end").await;
    until("a run that is over is forgotten", async || {
        client.post(address("revoke")).send().await.expect("an answer").status() == 404
    })
    .await;
    app.stop().await;
}

#[tokio::test]
async fn while_redis_stands_still_ticks_come_in_the_order_of_their_probes() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let client = bare_client();
    let form = ["session", "jwt-blocklist", "jwt-pushed", "session-tracked"].map(|slug| ("strategy", slug));
    let answer = client.post(app.url("/labs/revocation/api/runs")).form(&form).send().await.expect("an answer");
    let run: Value = answer.json().await.expect("JSON");
    let events = app.url(run["events"].as_str().expect("an address"));
    let mut stream =
        Stream { answer: client.get(events).send().await.expect("a stream"), text: String::new(), id: String::new() };
    // With Redis standing still no login opens.
    stream.next("tick").await;
    let (mut last, mut stood_still) = (0, false);
    for round in 0..4 {
        redis.freeze();
        // Until one probe timed out: its outcome comes after those of later probes.
        for _ in 0..12 {
            let tick = stream.next("tick").await;
            let at = tick["at"].as_u64().expect("milliseconds");
            assert!(at > last, "round {round}: {tick} after {last}");
            last = at;
            if tick["outcomes"].as_array().expect("outcomes").iter().any(|outcome| outcome == "uu") {
                stood_still = true;
                redis.thaw();
            }
        }
        redis.thaw();
    }
    assert!(stood_still, "Redis stood still long enough to be noticed");
    app.stop().await;
}
