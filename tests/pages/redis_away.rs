//! Redis killed, frozen, back: what needs it says so and keeps the cookie, everything else goes on.

use jwt_vs_session::auth::Backend;

use super::outage::{assert_away, assert_back, assert_told, assert_unavailable, guests};
use super::stage::Stage;
use crate::common::DEMO_PASSWORD;

#[tokio::test]
async fn a_killed_redis_takes_nobody_else_along_and_comes_back_empty() {
    let mut stage = Stage::start().await;
    let guests = guests(&stage).await;
    assert_told(&stage, |_| true).await;
    stage.redis.kill();
    assert_away(&guests, Backend::Redis).await;
    assert_told(&stage, |need| need != Backend::Redis).await;
    assert_logins_refused(&stage).await;
    stage.redis.restart().await;
    assert_back(&guests).await;
    assert_told(&stage, |_| true).await;
    for guest in &guests {
        let page = guest.visitor.get("/profile").await;
        assert_eq!(
            page.status,
            if guest.kept { 200 } else { 303 },
            "{}: a record that is gone is a plain no",
            guest.slug
        );
        assert_eq!(guest.visitor.log_in("bob", DEMO_PASSWORD).await.status, 303);
        assert_eq!(guest.visitor.get("/profile").await.status, 200);
    }
}

#[tokio::test]
async fn a_frozen_redis_takes_nobody_else_along_and_comes_back_with_every_login() {
    let stage = Stage::start().await;
    let guests = guests(&stage).await;
    stage.redis.freeze();
    assert_away(&guests, Backend::Redis).await;
    assert_told(&stage, |need| need != Backend::Redis).await;
    assert_logins_refused(&stage).await;
    stage.redis.thaw();
    assert_back(&guests).await;
    for guest in &guests {
        assert_eq!(guest.visitor.get("/profile").await.status, 200, "{}: the login was kept", guest.slug);
    }
}

async fn assert_logins_refused(stage: &Stage) {
    for mount in stage.mounts() {
        let (visitor, form) = (stage.visitor(mount), [("username", "bob"), ("password", DEMO_PASSWORD)]);
        // A token needs no Redis to be signed, only to be looked up.
        if mount.backend == Backend::Redis && !mount.transport.bearer {
            assert_unavailable(mount.slug, visitor.posting("/login").form(&form)).await;
        } else {
            assert_eq!(visitor.post("/login", &form).await.status, 303, "{}", mount.slug);
        }
    }
}

/// A password change under a mount that goes on must not pass for one that ended the logins in a Redis that is away.
#[tokio::test]
async fn a_password_change_tells_which_logins_it_could_not_end() {
    let mut stage = Stage::start().await;
    let guests = guests(&stage).await;
    stage.redis.kill();
    let here = guests.iter().find(|guest| guest.needs == Backend::None).expect("a mount that needs no store");
    let done = here.visitor.change_password(DEMO_PASSWORD, "ein-anderes-brot-um-fünf").await;
    assert_eq!(done.status, 200, "{}", done.body);
    for guest in guests.iter().filter(|guest| guest.slug != here.slug) {
        let unsure = format!("&#x2f;{}: not sure! A store does not answer", guest.slug);
        assert_eq!(done.body.contains(&unsure), guest.needs == Backend::Redis, "{}: {}", guest.slug, done.body);
    }
}
