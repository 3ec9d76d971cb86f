//! A new password: what it ends, what it renews, and what happens at the same time.

use std::time::Duration;

use jwt_vs_session::auth::{Description, Promise};
use tokio::task::JoinSet;

use super::stage::{PASSWORD, Stage, name};
use super::visitor::between;
use crate::common::until;

const NEW: &str = "ein-anderes-brot-um-fünf";

#[tokio::test]
async fn a_new_password_ends_every_other_login_everywhere_and_renews_this_one() {
    for stage in Stage::on_both_databases().await {
        for mount in stage.title_pair() {
            let (here, user) = (stage.visitor(mount), name(mount, "changer"));
            let old = here.register(&user, PASSWORD).await;
            let mut others = Vec::new();
            for other in stage.mounts() {
                others.push((other, stage.visitor(other).sign_in_with(&user, PASSWORD).await));
            }
            let bystander = stage.visitor(mount).sign_in("bob").await;
            let done = here.change_password(PASSWORD, NEW).await;
            assert_eq!(done.status, 200, "{}", done.body);
            let new = here.credential(&done);
            assert!(new != old && stage.accepts(mount, &new).await, "{}: this one is renewed", mount.slug);
            stage.assert_ended(mount, &old).await;
            for (other, cookie) in &others {
                stage.assert_ended(other, cookie).await;
                assert!(done.body.contains(&format!("&#x2f;{}: ", other.slug)), "no word of {}", other.slug);
            }
            assert!(stage.accepts(mount, &bystander).await, "bob changed nothing");
            assert_eq!(stage.visitor(mount).log_in(&user, PASSWORD).await.status, 401);
            assert_eq!(stage.visitor(mount).log_in(&user, NEW).await.status, 303);
        }
    }
}

#[tokio::test]
async fn a_new_password_renews_this_login_under_every_mount() {
    let stage = Stage::start().await;
    for mount in stage.mounts() {
        let (visitor, user) = (stage.visitor(mount), name(mount, "renewer"));
        let old = visitor.register(&user, PASSWORD).await;
        let done = visitor.change_password(PASSWORD, NEW).await;
        assert!(done.status == 200 && visitor.credential(&done) != old, "{}", done.body);
        stage.assert_ended(mount, &old).await;
        assert_eq!(visitor.get("/profile").await.status, 200);
    }
}

#[tokio::test]
async fn a_refused_change_changes_nothing() {
    let stage = Stage::start().await;
    for mount in stage.mounts() {
        let (visitor, user) = (stage.visitor(mount), name(mount, "doubter"));
        let cookie = visitor.register(&user, PASSWORD).await;
        for (current, new, status, sentence) in [
            ("wrong", NEW, 401, "The current password is wrong."),
            (PASSWORD, "seven-7", 422, "A password has 8 to 128 characters."),
            (PASSWORD, "12345678", 422, "This password is among the first"),
        ] {
            let page = visitor.change_password(current, new).await;
            assert_eq!(page.status, status, "{}", page.body);
            assert!(between(&page.body, r#"id="message">"#, "</p>").expect("a message").contains(sentence));
            assert!(page.cookie(mount.transport.cookie).is_none(), "nothing is renewed");
        }
        assert!(stage.accepts(mount, &cookie).await);
        assert_eq!(stage.visitor(mount).log_in(&user, PASSWORD).await.status, 303);
        let stranger = stage.visitor(mount).change_password(PASSWORD, NEW).await;
        assert_eq!((stranger.status, stranger.location()), (303, format!("{}/login", visitor.base).as_str()));
    }
}

#[tokio::test]
async fn of_two_changes_with_the_same_old_password_one_wins() {
    for stage in Stage::on_both_databases().await {
        for mount in stage.title_pair() {
            let user = name(mount, "couple");
            stage.visitor(mount).register(&user, PASSWORD).await;
            let couple = [stage.visitor(mount), stage.visitor(mount)];
            for visitor in &couple {
                visitor.sign_in_with(&user, PASSWORD).await;
            }
            let mut changes = JoinSet::new();
            for (visitor, new) in couple.into_iter().zip(["die-erste-wird-es-sein", "die-zweite-wird-es-sein"]) {
                changes.spawn(async move { (visitor.change_password(PASSWORD, new).await.status, new) });
            }
            let (won, lost): (Vec<_>, Vec<_>) = changes.join_all().await.into_iter().partition(|done| done.0 == 200);
            assert_eq!(won.len(), 1, "{}: {won:?} won, {lost:?} lost", mount.slug);
            // A late one may find its login gone already, and is led to the login page.
            assert!(lost.iter().all(|(status, _)| [401, 303].contains(status)), "{lost:?}");
            for (_, new) in lost {
                assert_eq!(stage.visitor(mount).log_in(&user, new).await.status, 401);
            }
            assert_eq!(stage.visitor(mount).log_in(&user, won[0].1).await.status, 303);
        }
    }
}

/// Logins begin all through a change: some read the old hash before it and would be stored after it.
#[tokio::test]
async fn a_login_that_was_checked_against_the_old_password_does_not_outlive_it() {
    let stage = Stage::start().await;
    for mount in stage.mounts().iter().filter(|mount| !matches!(mount.promise, Promise::Expiry { .. })) {
        let mut tried = 0;
        until("the change gets its turn", async || {
            tried += 1;
            race(&stage, mount, tried).await
        })
        .await;
    }
}

/// False if the change was turned away, because too many passwords were being checked: next time there are fewer.
async fn race(stage: &Stage, mount: &Description, tried: usize) -> bool {
    let (changer, user) = (stage.visitor(mount), name(mount, &format!("racer-{tried}")));
    changer.register(&user, PASSWORD).await;
    let mut logins = JoinSet::new();
    let begin = |after: u64| {
        let (visitor, user) = (stage.visitor(mount), user.clone());
        async move {
            tokio::time::sleep(Duration::from_millis(after)).await;
            let answer = visitor.log_in(&user, PASSWORD).await;
            (answer.status == 303).then(|| visitor.credential(&answer))
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
    assert_eq!(done.status, 200, "{}", done.body);
    for cookie in logins.into_iter().flatten() {
        stage.assert_ended(mount, &cookie).await;
    }
    true
}
