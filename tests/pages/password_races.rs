//! A log out that the server answers while it works on a password change of the same login, or of the same user.

use std::time::{Duration, Instant};

use jwt_vs_session::auth::Description;

use super::client::answer;
use super::server::{PASSWORD, TestServer, base, name};
use crate::common::bare_client;

const NEW: &str = "ein-anderes-brot-um-fünf";

/// The server hashes two passwords before it stores the new one: meanwhile it answers many log outs.
const ROUNDS: u64 = 12;

#[tokio::test]
async fn a_log_out_answered_during_a_password_change_leaves_no_live_credential() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let mut raced = 0;
        for round in 0..ROUNDS {
            let user = name(mount, &format!("leaver-{round}"));
            let cookie = server.client(mount).register(&user, PASSWORD).await;
            let pause = Duration::from_millis(1 + 4 * round);
            raced += usize::from(race(&server, mount, [&cookie, &cookie], "/logout", pause).await);
        }
        assert!(raced > 0, "{}: no log out came during a change", mount.slug);
    }
}

#[tokio::test]
async fn a_log_out_everywhere_by_another_device_during_a_password_change_leaves_no_live_credential() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let mut raced = 0;
        for round in 0..ROUNDS {
            let user = name(mount, &format!("owner-{round}"));
            let one = server.client(mount).register(&user, PASSWORD).await;
            let other = server.client(mount).login_cookie(&user, PASSWORD).await;
            let pause = Duration::from_millis(1 + 4 * round);
            raced += usize::from(race(&server, mount, [&one, &other], "/logout-everywhere", pause).await);
        }
        assert!(raced > 0, "{}: no log out came during a change", mount.slug);
    }
}

/// Whether the log out was answered while the change was worked on. Then the answer to the change must not log in.
async fn race(
    server: &TestServer,
    mount: &Description,
    [changer, leaver]: [&str; 2],
    path: &str,
    pause: Duration,
) -> bool {
    let post = |path: &str, cookie: &str| {
        bare_client().post(format!("{}{path}", server.app.url(&base(mount)))).header("cookie", cookie)
    };
    let form = [("current_password", PASSWORD), ("new_password", NEW)];
    let change = post("/password", changer).form(&form);
    let change = tokio::spawn(async move { (answer(change).await, Instant::now()) });
    tokio::time::sleep(pause).await;
    let left = answer(post(path, leaver)).await;
    let left_at = Instant::now();
    assert_eq!(left.status, 303, "{}", left.body);
    let (changed, changed_at) = change.await.expect("no panic");
    // A log out whose own login the change had revoked before revoked nothing: it leads to the login page.
    if left_at >= changed_at || left.location().contains("/login") {
        return false;
    }
    let line = changed.cookie(mount.transport.cookie).filter(|line| !line.contains("Max-Age=0"));
    if let Some(credential) = line.and_then(|line| line.split(';').next()) {
        let late = changed_at - left_at;
        assert!(!server.accepts(mount, credential).await, "{}{path}: a live credential {late:?} later", mount.slug);
    }
    true
}
