//! `/labs/cost`: without scripts as a form, with scripts as a stream; what it leaves behind; the frontier; the capacity view.

use reqwest::Response;
use serde_json::{Value, json};

use crate::common::{LONG_PATIENCE, RedisServer, TestApp, bare_client};

const PAGE: &str = "/labs/cost";

/// Presses the button as a browser without scripts does, and follows it to the end.
async fn measure(app: &TestApp, form: &[(&str, &str)]) -> String {
    let mut answer = bare_client().post(app.url(PAGE)).form(form).send().await.expect("an answer");
    while answer.status() == 303 || answer.headers().contains_key("refresh") {
        let next = match answer.headers().get("location") {
            Some(location) => app.url(location.to_str().expect("a path")),
            None => answer.url().to_string(),
        };
        answer = bare_client().get(next).send().await.expect("an answer");
    }
    assert_eq!(answer.status(), 200);
    text(answer).await
}

async fn text(answer: Response) -> String {
    answer.text().await.expect("a page")
}

async fn get(app: &TestApp, path: &str) -> Response {
    bare_client().get(app.url(path)).send().await.expect("an answer")
}

/// The cells of a strategy in one of the tables, as text.
fn cells(page: &str, table: &str, slug: &str) -> Vec<String> {
    let found = page.split("<table class=\"").find(|rest| rest.starts_with(&format!("figures-table {table}\"")));
    let table = found.unwrap_or_else(|| panic!("no table {table} in {page}"));
    let row = table.split("<tr ").find(|row| row.starts_with(&format!("data-slug=\"{slug}\"")));
    let row = row.unwrap_or_else(|| panic!("no row of {slug} in {table}")).split("</tr>").next().expect("a row");
    row.split("<td").skip(1).map(|cell| plain(cell.split_once('>').expect("a cell").1)).collect()
}

/// Without tags.
fn plain(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, rest)| rest));
        text.push(' ');
    }
    text.replace("&#x2f;", "/").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the dots of the wide picture say of themselves, by their names.
fn dots(page: &str) -> Vec<(String, String)> {
    let picture =
        page.split("class=\"frontier wide\"").nth(1).expect("a picture").split("</svg>").next().expect("its end");
    let titles = picture.split("<title>").skip(1).map(|rest| rest.split("</title>").next().expect("a title"));
    titles.filter_map(|title| title.split_once(": ")).map(|(name, said)| (name.to_owned(), said.to_owned())).collect()
}

#[tokio::test]
async fn the_form_alone_measures_and_leaves_nothing_behind() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let wanted = ["jwt", "session", "jwt-generation", "session-sql", "session-tracked", "session-memory"];
    let form: Vec<_> = wanted.map(|slug| ("strategy", slug)).into_iter().chain([("tens", "1")]).collect();
    let page = measure(&app, &form).await;
    for (slug, calls, least, most) in [
        ("jwt", "0", 0, 0),
        ("session", "1", 200, 700),
        ("jwt-generation", "1", 1, 8),
        ("session-sql", "1", 150, 2000),
        ("session-tracked", "0", 200, 700),
        ("session-memory", "0", 150, 700),
    ] {
        let cells = cells(&page, "costs", slug);
        // After a pause of the machine this strategy calls Redis before it trusts its copies again.
        let now_and_then = slug == "session-tracked" && cells[4].starts_with("0.");
        assert!(cells[4] == calls || now_and_then, "{slug}: calls in {cells:?}");
        let sent: u32 = cells[5].parse().expect("bytes");
        assert!(if slug.starts_with("jwt") { sent > 300 } else { sent == 22 }, "{slug}: {sent} bytes sent");
        let stored: u32 = cells[6].replace(',', "").parse().expect("bytes");
        assert!((least..=most).contains(&stored), "{slug}: {stored} bytes stored");
    }
    let dots = dots(&page);
    assert_eq!(dots.len(), wanted.len());
    for (slug, said) in dots {
        let cells = cells(&page, "points", &slug);
        let (cost, staleness) = said.split_once("; ").expect("both figures");
        assert_eq!(cost.replace(['(', ')'], ""), cells[0], "{slug}: the picture and the table");
        assert_eq!(staleness.replacen(',', "", 1), cells[1], "{slug}: the picture and the table");
    }
    assert!(
        cells(&page, "points", "jwt")[1].contains("15 min the life of a token"),
        "the real life, not the shortened one"
    );
    assert_eq!(left_behind(&app, &redis).await, (vec![], 0, 0));
    let home = text(get(&app, "/").await).await;
    assert!(home.contains("class=\"frontier wide\"") && home.contains("href=\"&#x2f;labs&#x2f;cost#command-session\""));
    app.stop().await;
}

/// Keys of logins in Redis, rows of sessions, users without a name.
async fn left_behind(app: &TestApp, redis: &RedisServer) -> (Vec<String>, i64, i64) {
    use sea_orm::{ConnectionTrait as _, Statement};
    let url = format!("sqlite://{}/test.db", app.folder.path().display());
    let pool = sea_orm::Database::connect(&url).await.expect("the database");
    let count = async |sql: &str| {
        let statement = Statement::from_string(pool.get_database_backend(), sql);
        let row = pool.query_one_raw(statement).await.expect("an answer").expect("a row");
        row.try_get_by_index::<i64>(0).expect("a number")
    };
    let sessions = count("SELECT count(*) FROM sessions").await;
    let users = count("SELECT count(*) FROM users WHERE name LIKE '(%-%-%-%-%)'").await;
    let keys = redis.keys().await.into_iter().filter(|key| !key.starts_with("{jvs}:r:")).collect();
    pool.close().await.expect("closed");
    (keys, sessions, users)
}

#[tokio::test]
async fn claims_too_large_for_a_cookie_are_reported_and_the_run_goes_on() {
    let app = TestApp::start(&[]).await;
    let form = [("strategy", "jwt"), ("strategy", "session-memory"), ("tens", "1"), ("claims", "4096")];
    let page = measure(&app, &form).await;
    let told =
        plain(page.split("<strong>jwt</strong>").nth(1).expect("a sentence").split("</p>").next().expect("its end"));
    assert!(told.starts_with("was not measured.") && (told.contains("4096") || told.contains("claims")), "{told}");
    assert_eq!(cells(&page, "costs", "session-memory")[5], "22", "an id is as long as before");
    app.stop().await;
}

#[tokio::test]
async fn a_strategy_without_its_store_is_reported() {
    let app = TestApp::start(&[]).await;
    let page = measure(&app, &[("strategy", "session-tracked"), ("strategy", "jwt"), ("tens", "0")]).await;
    assert!(
        page.contains("<strong>session-tracked</strong> was not measured. The server runs without Redis."),
        "{page}"
    );
    assert_eq!(cells(&page, "costs", "jwt")[4], "0");
    app.stop().await;
}

#[tokio::test]
async fn one_run_at_a_time_and_its_stream_has_every_step() {
    let app = TestApp::start(&[]).await;
    let form = [("strategy", "jwt"), ("strategy", "session-sql"), ("tens", "1")];
    let start = || bare_client().post(app.url("/labs/cost/api/runs")).form(&form).send();
    let answer = start().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    let run: Value = answer.json().await.expect("JSON");
    let second = start().await.expect("an answer");
    assert_eq!(second.status(), 503);
    assert_eq!(second.headers()["retry-after"], "10");
    let problem: Value = second.json().await.expect("JSON");
    assert_eq!(problem["detail"], "The cost lab is already running; a run takes less than two minutes.");
    let pressed = bare_client().post(app.url(PAGE)).form(&form).send().await.expect("an answer");
    assert_eq!(pressed.status(), 503);
    let page = text(pressed).await;
    assert!(
        page.contains("role=\"alert\"") && page.contains("data-events=\"&#x2f;labs"),
        "the page shows the one that goes on"
    );
    let stream = bare_client().get(app.url(run["events"].as_str().expect("an address"))).timeout(LONG_PATIENCE);
    let events = text(stream.send().await.expect("a stream")).await;
    let at = |words: &str| events.find(words).unwrap_or_else(|| panic!("no {words} in {events}"));
    assert!(at("Measuring jwt, 1 of 2") < at("Measuring session-sql, 2 of 2"));
    assert!(at("session-sql") < at("event: done") && at("event: done") < at("event: end"));
    assert_eq!(get(&app, "/labs/cost/api/runs/unknown/events").await.status(), 404);
    assert_eq!(start().await.expect("an answer").status(), 201, "and the next may start");
    // It ends with the server.
    app.stop().await;
}

#[tokio::test]
async fn nonsense_is_refused_with_a_sentence_and_kept() {
    let app = TestApp::start(&[]).await;
    for (form, sentence) in [
        (vec![], "Choose at least one strategy."),
        (vec![("strategy", "jwt-carrier-pigeon")], "There is no strategy jwt-carrier-pigeon."),
        (
            vec![("strategy", "jwt"), ("delay", "6")],
            "Delay per store call: choose a number from 0 to 5, in steps of 1.",
        ),
        (vec![("strategy", "jwt"), ("claims", "-1")], "choose a number from 0 to 4096, in steps of 256."),
    ] {
        for path in [PAGE, "/labs/cost/api/runs"] {
            let answer = bare_client().post(app.url(path)).form(&form).send().await.expect("an answer");
            assert_eq!(answer.status(), 400, "{path} {form:?}");
            let said = text(answer).await;
            assert!(said.contains(sentence), "{path} {form:?}: {said}");
        }
    }
    let answer = get(&app, "/labs/cost?users=many&devices=3%22%3E&requests=5&nodes=0&round_trip=1").await;
    assert_eq!(answer.status(), 400);
    let page = text(answer).await;
    assert!(page.contains("Users: type a whole number from 1 to 10,000,000,000."), "{page}");
    for typed in ["value=\"many\"", "value=\"3&quot;&gt;\"", "value=\"5\"", "value=\"0\""] {
        assert!(page.contains(typed), "{typed} is lost: {page}");
    }
    app.stop().await;
}

/// Figures that another measurement left: what is not known here is not invented.
#[tokio::test]
async fn earlier_figures_are_drawn_and_labelled_and_the_capacity_view_uses_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("figures.json");
    let interval = |median: f64| json!({ "low": median * 0.9, "median": median, "high": median * 1.1 });
    let row = |slug: &str, median: f64, worst: f64| {
        json!({
            "strategy": slug, "identify_ns": interval(median), "issue_ns": null, "revoke_ns": null, "store_calls": 1.0,
            "request_bytes": 22, "stored_bytes": 330,
            "staleness_ms": { "p50": 0.0, "worst": worst, "bound": 0.0, "shortened_life": null },
        })
    };
    let source =
        json!({ "method": "criterion", "machine": "a machine", "date": "2026-11-22", "versions": "one", "load": 0.5 });
    let mut other = row("jwt", 900.0, 0.0);
    other["setup"] = json!("RS256, no store");
    let rows = [row("session", 60_000.0, 0.0), row("session-sql", 90_000.0, 2.5), other];
    let figures = json!({ "source": source, "rows": rows });
    std::fs::write(&file, figures.to_string()).expect("a file");
    // Without Redis no other node would know a session.
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--figures", file.to_str().expect("a path"), "--redis-url", &redis.url()]).await;
    let home = text(get(&app, "/").await).await;
    assert!(
        home.contains(
            "Measured by cargo bench --bench lookup, in an earlier run. a machine; one; 2026-11-22, load 0.5 before. \
             Not shown, because this server has another set-up: jwt (RS256, no store; here HS256, no store)."
        ),
        "{home}"
    );
    let said: Vec<_> = dots(&home);
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[0], ("session".to_owned(), "60.0 µs (54.0 µs to 66.0 µs); none accepted, in no trial".to_owned()));
    assert_eq!(said[1].1, "90.0 µs (81.0 µs to 99.0 µs); 2.50 ms, none in half of the trials");
    let page = text(get(&app, "/labs/cost?users=1000&devices=2&requests=1000&nodes=1&round_trip=0.5").await).await;
    // 2,000 logins of 330 bytes; 1,000 calls, and each login is written once in 180 and 2 s; half a millisecond each;
    // 1,000 × 60 µs; 1,000 × 22 × 8 bits.
    let expected = ["660 kB", "1,011 11.0 sliding writes", "505 µs", "≤ 0.0600", "176 kbit/s", "none accepted"];
    assert_eq!(cells(&page, "capacity", "session"), expected);
    app.stop().await;
}
