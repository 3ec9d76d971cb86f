//! Event streams: a page hears that its login has ended, and one login has at most 16 streams.

use jwt_vs_session::auth::{Description, Promise};
use reqwest::Response;

use super::client::answer;
use super::server::{TestServer, base};
use crate::common::bare_client;

const PER_LOGIN: usize = 16;

async fn listen(server: &TestServer, mount: &Description, cookie: &str) -> Response {
    let request = bare_client().get(server.app.url(&format!("{}/events", base(mount)))).header("cookie", cookie);
    request.send().await.expect("an answer")
}

/// Reads a stream to its end.
async fn rest(stream: Response) -> String {
    stream.text().await.expect("a whole stream")
}

/// The mounts that can revoke a login.
fn revoking(server: &TestServer) -> impl Iterator<Item = &Description> {
    server.mounts().iter().filter(|mount| !matches!(mount.promise, Promise::Expiry { .. }))
}

#[tokio::test]
async fn every_stream_hears_the_revocation_and_a_seventeenth_replaces_the_oldest() {
    let server = TestServer::start().await;
    for mount in revoking(&server) {
        let (here, there) = (server.client(mount), server.client(mount));
        let (mine, other) = (here.demo_login("alice").await, there.demo_login("alice").await);
        let mut streams = Vec::new();
        for _ in 0..=PER_LOGIN {
            streams.push(listen(&server, mount, &mine).await);
            // The user's other login has its own limit.
            streams.push(listen(&server, mount, &other).await);
        }
        assert!(streams.iter().all(|stream| stream.status() == 200), "{}: {streams:?}", mount.slug);
        for oldest in streams.drain(..2) {
            assert_eq!(rest(oldest).await, "", "{}: its login has not ended", mount.slug);
        }
        let done = answer(here.post_request("/logout-everywhere")).await;
        assert_eq!(done.status, 303, "{}", done.body);
        assert_eq!(streams.len(), 2 * PER_LOGIN);
        for stream in streams {
            assert!(rest(stream).await.contains("event: ended"), "{}: no event", mount.slug);
        }
    }
}

#[tokio::test]
async fn without_a_login_every_stream_hears_it_at_once() {
    let server = TestServer::start().await;
    for mount in revoking(&server) {
        let made_up = format!("{}=made-up", mount.transport.cookie);
        for cookie in ["nothing=0", &made_up] {
            for _ in 0..2 * PER_LOGIN {
                let stream = listen(&server, mount, cookie).await;
                assert_eq!(stream.status(), 200, "{}: {cookie}", mount.slug);
                assert_eq!(stream.headers()["content-type"], "text/event-stream; charset=utf-8");
                assert_eq!(stream.headers()["cache-control"], "no-store");
                assert!(rest(stream).await.contains("event: ended"), "{}: {cookie}", mount.slug);
            }
        }
    }
}
