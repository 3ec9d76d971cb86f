//! Two credentials where one belongs are none: somebody else may have set one of them ("cookie tossing").

use reqwest::RequestBuilder;

use super::client::{answer, between, unescaped};
use super::server::{TestServer, base};
use crate::common::bare_client;

fn with_lines(request: RequestBuilder, name: &str, lines: &[String]) -> RequestBuilder {
    lines.iter().fold(request, |request, line| request.header(name, line))
}

/// The thief's cookie is valid: whoever takes it uploads to the thief's account.
#[tokio::test]
async fn two_cookies_of_one_name_are_no_credential() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let (victim, thief) = (server.client(mount), server.client(mount));
        let (mine, tossed) = (victim.demo_login("alice").await, thief.demo_login("bob").await);
        let get = |path: &str| bare_client().get(format!("{}{}{path}", server.app.base, base(mount)));
        let name = mount.transport.cookie;
        for lines in [
            vec![format!("{mine}; {tossed}")],
            vec![format!("{tossed}; other=1; {mine}")],
            vec![format!("{mine}; {mine}")],
            vec![mine.clone(), tossed.clone()],
            vec![format!("{mine}; {name}=")],
        ] {
            let me = answer(with_lines(get("/api/me"), "cookie", &lines)).await;
            assert_eq!(me.status, 401, "{}: {lines:?}: {}", mount.slug, me.body);
            let detail = me.json()["detail"].as_str().expect("a sentence").to_owned();
            assert!(detail.starts_with(&format!("Your browser sent two cookies with the name {name},")), "{detail}");
            let profile = answer(with_lines(get("/profile"), "cookie", &lines)).await;
            assert_eq!((profile.status, profile.location()), (303, &*format!("{}/login", base(mount))));
            let login = answer(with_lines(get("/login"), "cookie", &lines)).await;
            let alert = between(&login.body, r#"id="doubled">"#, "</p>").expect("an alert");
            assert!(unescaped(alert).ends_with(&detail), "{alert}");
            assert!(login.body.contains("refused: not logged in"), "the trace says nothing");
            assert!(!login.steps().iter().any(|step| step.starts_with("store") || step.starts_with("database")));
            assert!(me.headers.get("set-cookie").is_none() && login.headers.get("set-cookie").is_none());
        }
        for alone in [mine, tossed] {
            assert!(server.accepts(mount, &format!("other=1; {alone}; x{name}=2")).await, "{}", mount.slug);
        }
    }
}

#[tokio::test]
async fn two_refresh_cookies_are_no_credential() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let Some(renewal) = mount.transport.refresh_cookie else { continue };
        let client = server.client(mount);
        let login = client.log_in("alice", crate::common::DEMO_PASSWORD).await;
        let line = login.cookie(renewal).and_then(|line| line.split(';').next()).expect("a refresh token").to_owned();
        let doubled = format!("{line}; {}; {renewal}=other", client.credential(&login));
        for cookie in [doubled, format!("{line}; {line}")] {
            let me = bare_client().get(client.url("/api/me")).header("cookie", cookie);
            let me = answer(me).await;
            assert_eq!(me.status, 401, "{}", me.body);
            assert!(me.body.contains(&format!("two cookies with the name {renewal},")), "{}", me.body);
            assert!(me.headers.get("set-cookie").is_none());
        }
        assert!(server.accepts(mount, &line).await, "the refused request used the token up");
    }
}

#[tokio::test]
async fn two_authorization_headers_are_no_credential() {
    let server = TestServer::start().await;
    for mount in server.mounts().iter().filter(|mount| mount.transport.bearer) {
        let cookie = server.client(mount).demo_login("alice").await;
        let bearer = format!("Bearer {}", cookie.split_once('=').expect("a pair").1);
        let get = |lines: &[String]| {
            with_lines(bare_client().get(server.app.url(&format!("{}/api/me", base(mount)))), "authorization", lines)
        };
        assert_eq!(answer(get(std::slice::from_ref(&bearer))).await.status, 200);
        for second in [bearer.clone(), "Bearer made.up.token".to_owned(), "Basic YTpi".to_owned()] {
            for lines in [[bearer.clone(), second.clone()], [second.clone(), bearer.clone()]] {
                // A valid cookie beside them does not help.
                let refused = answer(get(&lines).header("cookie", &cookie)).await;
                assert_eq!(refused.status, 401, "{}", refused.body);
                assert!(refused.body.contains("two Authorization headers"), "{}", refused.body);
            }
        }
    }
}

/// The trace of a POST is shown to the browser that made it, and to no other.
#[tokio::test]
async fn two_cookies_that_name_the_previous_request_show_none() {
    let server = TestServer::start().await;
    for mount in server.title_pair() {
        let login = server.client(mount).log_in("alice", crate::common::DEMO_PASSWORD).await;
        let line = login.cookie("previous_request").and_then(|line| line.split(';').next()).expect("a name").to_owned();
        let get = |cookie: String| bare_client().get(server.app.url(&base(mount)) + "/").header("cookie", cookie);
        let heading = "The request before this one";
        assert!(!answer(get(format!("{line}; previous_request=other"))).await.body.contains(heading));
        assert!(answer(get(line)).await.body.contains(heading));
    }
}
