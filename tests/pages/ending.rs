//! Log out, log out everywhere, log in anew: what becomes of the old credential.

use super::cookies::attributes;
use super::stage::{Stage, base};
use super::visitor::answer;
use crate::common::{DEMO_PASSWORD, bare_client};

#[tokio::test]
async fn logging_out_takes_the_cookie_away_and_keeps_what_the_strategy_promises() {
    for stage in Stage::on_both_databases().await {
        for mount in stage.mounts() {
            let visitor = stage.visitor(mount);
            let login = visitor.log_in("alice", DEMO_PASSWORD).await;
            let copy = visitor.credential(&login);
            assert!(stage.accepts(mount, &copy).await);
            let done = visitor.post("/logout", &[]).await;
            assert_eq!((done.status, done.location()), (303, format!("{}/", visitor.base).as_str()));
            let removal = done.cookie(mount.transport.cookie).expect("a removal");
            assert!(removal.starts_with(&format!("{}=;", mount.transport.cookie)) && removal.contains("Max-Age=0"));
            assert_eq!(attributes(removal), attributes(login.cookie(mount.transport.cookie).expect("a cookie")));
            assert!(visitor.follow(&done).await.body.contains("Log in"), "the browser has forgotten it");
            stage.assert_ended(mount, &copy).await;
        }
    }
}

#[tokio::test]
async fn a_replayed_credential_is_refused_when_its_bound_is_over() {
    let stage = Stage::start().await;
    let mut copies = Vec::new();
    for mount in stage.mounts() {
        let visitor = stage.visitor(mount);
        copies.push((mount, visitor.sign_in("alice").await));
        assert_eq!(answer(visitor.posting("/api/logout")).await.status, 204);
    }
    stage.wait_for_expiry();
    for (mount, copy) in copies {
        assert!(!stage.accepts(mount, &copy).await, "{}: accepted past its bound", mount.slug);
    }
}

#[tokio::test]
async fn logging_out_leaves_other_devices_alone_where_one_login_can_be_ended() {
    let stage = Stage::start().await;
    for mount in stage.mounts().iter().filter(|mount| mount.revokes_single) {
        let (here, there) = (stage.visitor(mount), stage.visitor(mount));
        here.sign_in("alice").await;
        let other = there.sign_in("alice").await;
        here.post("/logout", &[]).await;
        assert!(stage.accepts(mount, &other).await, "{}", mount.slug);
    }
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_login_of_the_user_and_of_nobody_else() {
    for stage in Stage::on_both_databases().await {
        for mount in stage.mounts() {
            let (here, there) = (stage.visitor(mount), stage.visitor(mount));
            let cookies = [here.sign_in("alice").await, there.sign_in("alice").await];
            let bob = stage.visitor(mount).sign_in("bob").await;
            let done = here.post("/logout-everywhere", &[]).await;
            assert_eq!((done.status, done.location()), (303, format!("{}/", here.base).as_str()));
            assert!(done.cookie(mount.transport.cookie).expect("a removal").contains("Max-Age=0"));
            for cookie in cookies {
                stage.assert_ended(mount, &cookie).await;
            }
            assert!(stage.accepts(mount, &bob).await, "{}: bob was not asked", mount.slug);
        }
    }
}

#[tokio::test]
async fn without_a_login_a_log_out_is_done_and_a_log_out_everywhere_asks_who_it_is() {
    let stage = Stage::start().await;
    for mount in stage.mounts() {
        for (path, to) in [("/logout", "/"), ("/logout-everywhere", "/login")] {
            let done = stage.visitor(mount).post(path, &[]).await;
            assert_eq!((done.status, done.location()), (303, format!("{}{to}", base(mount)).as_str()));
        }
    }
}

#[tokio::test]
async fn logging_in_while_signed_in_ends_the_old_login() {
    let stage = Stage::start().await;
    for mount in stage.mounts() {
        let visitor = stage.visitor(mount);
        let old = visitor.sign_in("alice").await;
        let new = visitor.sign_in("bob").await;
        assert_ne!(old, new);
        assert_eq!(visitor.me().await.json()["username"], "bob");
        if mount.revokes_single {
            stage.assert_ended(mount, &old).await;
        }
    }
}

/// Session fixation: an id that the browser brings is not the one that it gets.
#[tokio::test]
async fn a_made_up_id_is_not_adopted_at_login() {
    let stage = Stage::start().await;
    for mount in stage.mounts() {
        let name = mount.transport.cookie;
        let made_up = format!("{name}=AAAAAAAAAAAAAAAAAAAAAA");
        let form = [("username", "alice"), ("password", DEMO_PASSWORD)];
        let url = stage.app.url(&format!("{}/login", base(mount)));
        let login = answer(bare_client().post(url).header("cookie", &made_up).form(&form)).await;
        assert_eq!(login.status, 303);
        assert!(!login.cookie(name).expect("a credential").starts_with(&format!("{made_up};")));
        assert!(!stage.accepts(mount, &made_up).await, "{}", mount.slug);
    }
}

#[tokio::test]
async fn a_login_under_one_mount_is_nothing_to_another() {
    let stage = Stage::start().await;
    let mut cookies = Vec::new();
    for mount in stage.mounts() {
        cookies.push((mount, stage.visitor(mount).sign_in("alice").await));
    }
    for (mount, _) in &cookies {
        for (other, cookie) in &cookies {
            let accepted = stage.accepts(mount, cookie).await;
            assert_eq!(accepted, mount.slug == other.slug, "{}'s credential under {}", other.slug, mount.slug);
        }
    }
}
