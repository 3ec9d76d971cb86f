//! A password change: the logins that it revokes, the one that it renews, and logins at the same time.

use std::time::Duration;

use jwt_vs_session::auth::{Description, Promise};
use tokio::task::JoinSet;

use super::client::{between, is_changed};
use super::server::{PASSWORD, TestServer, name};
use crate::common::until;

const NEW: &str = "ein-anderes-brot-um-fünf";

#[tokio::test]
async fn a_new_password_revokes_every_other_login_everywhere_and_renews_this_one() {
    for server in TestServer::on_both_databases().await {
        for mount in server.title_pair() {
            let (here, user) = (server.client(mount), name(mount, "changer"));
            let old = here.register(&user, PASSWORD).await;
            let mut others = Vec::new();
            for other in server.mounts() {
                others.push((other, server.client(other).login_cookie(&user, PASSWORD).await));
            }
            let bystander = server.client(mount).demo_login("bob").await;
            let (done, page) = here.changed_password(PASSWORD, NEW).await;
            let new = here.credential(&done);
            assert!(new != old && server.accepts(mount, &new).await, "{}: this one is renewed", mount.slug);
            server.assert_revoked(mount, &old).await;
            for (other, cookie) in &others {
                server.assert_revoked(other, cookie).await;
                assert!(page.body.contains(&format!("&#x2f;{}: ", other.slug)), "no word of {}", other.slug);
            }
            assert!(server.accepts(mount, &bystander).await, "bob changed nothing");
            assert_eq!(server.client(mount).log_in(&user, PASSWORD).await.status, 401);
            assert_eq!(server.client(mount).log_in(&user, NEW).await.status, 303);
        }
    }
}

#[tokio::test]
async fn a_new_password_renews_this_login_under_every_mount() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let (client, user) = (server.client(mount), name(mount, "renewer"));
        let old = client.register(&user, PASSWORD).await;
        let (done, _) = client.changed_password(PASSWORD, NEW).await;
        assert!(client.credential(&done) != old);
        server.assert_revoked(mount, &old).await;
        assert_eq!(client.get("/profile").await.status, 200);
    }
}

/// The browser has the page's address, and none of a form: to load it again sends no password.
#[tokio::test]
async fn the_report_of_a_change_is_a_page_that_can_be_loaded_again() {
    let server = TestServer::start().await;
    let (mount, lost) = (&server.title_pair()[1], "no longer has the report");
    let (client, user) = (server.client(mount), name(mount, "reloader"));
    client.register(&user, PASSWORD).await;
    let (done, page) = client.changed_password(PASSWORD, NEW).await;
    let again = client.follow(&done).await;
    for page in [&page, &again] {
        assert!(page.body.contains("The new password is valid from now on"), "{}", page.body);
        assert!(page.body.contains("The server renewed this login.") && !page.body.contains(lost), "{}", page.body);
    }
    let stranger = server.client(mount);
    for path in ["/password/changed", "/password/changed?report=made-up"] {
        let page = stranger.get(path).await;
        assert!(page.status == 200 && page.body.contains(lost) && page.body.contains("Log in"), "{}", page.body);
    }
}

#[tokio::test]
async fn a_refused_change_changes_nothing() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let (client, user) = (server.client(mount), name(mount, "doubter"));
        let cookie = client.register(&user, PASSWORD).await;
        for (current, new, status, sentence) in [
            ("wrong", NEW, 401, "The current password is wrong."),
            (PASSWORD, "seven-7", 422, "A password has 8 to 128 characters."),
            (PASSWORD, "12345678", 422, "This password is among the first"),
        ] {
            let page = client.change_password(current, new).await;
            assert_eq!(page.status, status, "{}", page.body);
            assert!(between(&page.body, r#"id="message">"#, "</p>").expect("a message").contains(sentence));
            assert!(page.cookie(mount.transport.cookie).is_none(), "nothing is renewed");
        }
        assert!(server.accepts(mount, &cookie).await);
        assert_eq!(server.client(mount).log_in(&user, PASSWORD).await.status, 303);
        let stranger = server.client(mount).change_password(PASSWORD, NEW).await;
        assert_eq!((stranger.status, stranger.location()), (303, format!("{}/login", client.base).as_str()));
    }
}

#[tokio::test]
async fn of_two_changes_with_the_same_old_password_one_wins() {
    for server in TestServer::on_both_databases().await {
        for mount in server.title_pair() {
            let user = name(mount, "couple");
            server.client(mount).register(&user, PASSWORD).await;
            let couple = [server.client(mount), server.client(mount)];
            for client in &couple {
                client.login_cookie(&user, PASSWORD).await;
            }
            let mut changes = JoinSet::new();
            for (client, new) in couple.into_iter().zip(["die-erste-wird-es-sein", "die-zweite-wird-es-sein"]) {
                changes.spawn(async move { (client.change_password(PASSWORD, new).await, new) });
            }
            let (won, lost): (Vec<_>, Vec<_>) =
                changes.join_all().await.into_iter().partition(|(done, _)| is_changed(done));
            assert_eq!(won.len(), 1, "{}: {won:?} won, {lost:?} lost", mount.slug);
            // A late change may find its login revoked: the answer leads to the login page.
            assert!(lost.iter().all(|(done, _)| [401, 303].contains(&done.status)), "{lost:?}");
            for (_, new) in lost {
                assert_eq!(server.client(mount).log_in(&user, new).await.status, 401);
            }
            assert_eq!(server.client(mount).log_in(&user, won[0].1).await.status, 303);
        }
    }
}

/// Logins begin throughout a change: some read the old hash before it, and store their record after it.
#[tokio::test]
async fn a_login_that_was_checked_against_the_old_password_does_not_outlive_it() {
    let server = TestServer::start().await;
    for mount in server.mounts().iter().filter(|mount| !matches!(mount.promise, Promise::Expiry { .. })) {
        let mut tried = 0;
        until("the change gets its turn", async || {
            tried += 1;
            race(&server, mount, tried).await
        })
        .await;
    }
}

/// False if the server refused the change because it was hashing too many passwords. The next round has fewer.
async fn race(server: &TestServer, mount: &Description, tried: usize) -> bool {
    let (changer, user) = (server.client(mount), name(mount, &format!("racer-{tried}")));
    changer.register(&user, PASSWORD).await;
    let mut logins = JoinSet::new();
    let begin = |after: u64| {
        let (client, user) = (server.client(mount), user.clone());
        async move {
            tokio::time::sleep(Duration::from_millis(after)).await;
            let answer = client.log_in(&user, PASSWORD).await;
            (answer.status == 303).then(|| client.credential(&answer))
        }
    };
    for after in (0..240).step_by(20 * tried) {
        logins.spawn(begin(after));
    }
    let done = changer.change_password(PASSWORD, NEW).await;
    let logins = logins.join_all().await;
    if done.status == 503 {
        return false;
    }
    assert!(is_changed(&done), "{}: {}", done.status, done.body);
    for cookie in logins.into_iter().flatten() {
        server.assert_revoked(mount, &cookie).await;
    }
    true
}
