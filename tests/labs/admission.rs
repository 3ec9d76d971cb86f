//! Who may start an experiment, and how many.

use std::path::Path;

use jwt_vs_session::app::App;
use jwt_vs_session::clock::Clock;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use crate::common::{TestApp, bare_client, folder, settings, until};

const PATHS: [&str; 4] = ["/labs/revocation", "/labs/revocation/api/runs", "/labs/cost", "/labs/cost/api/runs"];

async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

/// A server that strangers reach: where it listens, and the password that was printed at its start.
async fn elsewhere(folder: &Path) -> (String, String) {
    let options = settings(folder, &["--public-url", "https://login.example", "--demo"]);
    let app = App::open(&options, Clock::system()).await.expect("the app starts");
    let (base, password) = (format!("http://{}", app.address()), app.demo().expect("seeded users").printed.clone());
    tokio::spawn(app.run(std::future::pending()));
    (base, password)
}

#[tokio::test]
async fn a_post_from_another_site_starts_nothing() {
    let app = TestApp::start(&[]).await;
    for path in PATHS.into_iter().chain(["/labs/revocation/api/runs/any/revoke"]) {
        for header in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
            let request = bare_client().post(app.url(path)).form(&[("strategy", "jwt")]);
            assert_eq!(send(request.header(header.0, header.1)).await.status(), 403, "{path} {header:?}");
        }
    }
}

#[tokio::test]
async fn elsewhere_only_a_presenter_starts_one() {
    let folder = folder();
    let (base, password) = elsewhere(folder.path()).await;
    let post = |path: &str, user: &str, password: &str| {
        let form = [("strategy", "jwt-generation"), ("username", user), ("password", password)];
        bare_client().post(format!("{base}{path}")).header("host", "login.example").form(&form)
    };
    let page = bare_client().get(format!("{base}{}", PATHS[0])).header("host", "login.example");
    let page = send(page).await.text().await.expect("a page");
    assert!(page.contains("name=\"password\"") && !page.contains(&password));
    for path in PATHS {
        for (user, password) in [("", ""), ("carol", "wrong"), ("nobody", password.as_str()), ("alice", &password)] {
            let answer = send(post(path, user, password)).await;
            assert_eq!(answer.status(), 401, "{path} {user}");
            let text = answer.text().await.expect("a text");
            assert!(text.contains("The user name or the password is wrong."), "{path} {user}: {text}");
        }
    }
    for path in [PATHS[1], PATHS[3]] {
        assert_eq!(send(post(path, "carol", &password)).await.status(), 201, "{path}");
    }
}

#[tokio::test]
async fn wrong_forms_are_refused_and_four_runs_go_on_at_once() {
    let app = TestApp::start(&[]).await;
    let start = |slug: &str| bare_client().post(app.url(PATHS[1])).form(&[("strategy", slug)]);
    assert_eq!(send(bare_client().post(app.url(PATHS[1]))).await.status(), 400, "nothing was chosen");
    assert_eq!(send(start("jwt-carrier-pigeon")).await.status(), 400);
    let mut watched = Vec::new();
    for _ in 0..4 {
        let answer = send(start("jwt")).await;
        assert_eq!(answer.status(), 201);
        let run: Value = answer.json().await.expect("JSON");
        watched.push(send(bare_client().get(app.url(run["events"].as_str().expect("an address")))).await);
    }
    let full = send(start("jwt")).await;
    assert_eq!(full.status(), 503);
    assert_eq!(full.headers()["retry-after"], "10");
    // Without scripts the form says it, with what was chosen.
    let form = [("strategy", "jwt"), ("strategy", "session-memory")];
    let full = send(bare_client().post(app.url(PATHS[0])).form(&form)).await;
    assert_eq!((full.status().as_u16(), &full.headers()["retry-after"]), (503, &"10".parse().unwrap()));
    let page = full.text().await.expect("a page");
    assert!(
        page.contains(
            "The maximum number of experiments is already running; each ends within a minute. Try again in 10 s."
        ) && page.matches(" checked").count() == 2,
        "{page}"
    );
    let unknown = send(bare_client().post(app.url("/labs/revocation/api/runs/unknown/revoke"))).await;
    assert_eq!(unknown.status(), 404);
    // From here on nobody watches them.
    drop(watched);
    until("the runs end by themselves", async || send(start("jwt")).await.status() == 201).await;
}
