//! Pages that listen for the end of their login: told when it comes, and of one login no more than a few.

use jwt_vs_session::auth::{Description, Promise};
use reqwest::Response;

use super::stage::{Stage, base};
use super::visitor::answer;
use crate::common::bare_client;

const PER_LOGIN: usize = 16;

async fn listen(stage: &Stage, mount: &Description, cookie: &str) -> Response {
    let request = bare_client().get(stage.app.url(&format!("{}/events", base(mount)))).header("cookie", cookie);
    request.send().await.expect("an answer")
}

/// Reads a stream to its end.
async fn rest(stream: Response) -> String {
    stream.text().await.expect("a whole stream")
}

/// The mounts whose logins can end before they expire.
fn telling(stage: &Stage) -> impl Iterator<Item = &Description> {
    stage.mounts().iter().filter(|mount| !matches!(mount.promise, Promise::Expiry { .. }))
}

#[tokio::test]
async fn every_page_that_listens_is_told_and_a_seventeenth_takes_the_place_of_the_oldest() {
    let stage = Stage::start().await;
    for mount in telling(&stage) {
        let (here, there) = (stage.visitor(mount), stage.visitor(mount));
        let (mine, other) = (here.sign_in("alice").await, there.sign_in("alice").await);
        let mut streams = Vec::new();
        for _ in 0..=PER_LOGIN {
            streams.push(listen(&stage, mount, &mine).await);
            // The user's other login has places of its own.
            streams.push(listen(&stage, mount, &other).await);
        }
        assert!(streams.iter().all(|stream| stream.status() == 200), "{}: {streams:?}", mount.slug);
        for oldest in streams.drain(..2) {
            assert_eq!(rest(oldest).await, "", "{}: its login has not ended", mount.slug);
        }
        let done = answer(here.posting("/logout-everywhere")).await;
        assert_eq!(done.status, 303, "{}", done.body);
        assert_eq!(streams.len(), 2 * PER_LOGIN);
        for stream in streams {
            assert!(rest(stream).await.contains("event: ended"), "{}: not told", mount.slug);
        }
    }
}

#[tokio::test]
async fn without_a_login_every_page_is_told_at_once() {
    let stage = Stage::start().await;
    for mount in telling(&stage) {
        let made_up = format!("{}=made-up", mount.transport.cookie);
        for cookie in ["nothing=0", &made_up] {
            for _ in 0..2 * PER_LOGIN {
                let stream = listen(&stage, mount, cookie).await;
                assert_eq!(stream.status(), 200, "{}: {cookie}", mount.slug);
                assert!(rest(stream).await.contains("event: ended"), "{}: {cookie}", mount.slug);
            }
        }
    }
}
