//! The list of devices, as far as a strategy can know it, and how one of them is ended.

use jwt_vs_session::auth::Description;

use super::stage::{Stage, base};
use super::visitor::{Visitor, answer, unescaped};
use crate::common::DEMO_PASSWORD;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

#[tokio::test]
async fn the_list_names_every_login_of_the_user_and_marks_this_one() {
    for stage in Stage::on_both_databases().await {
        for mount in listing(&stage) {
            let (here, there) = (stage.visitor(mount), stage.visitor(mount));
            here.sign_in("alice").await;
            let fields = [("username", "alice"), ("password", DEMO_PASSWORD)];
            assert_eq!(answer(there.posting("/login").header("user-agent", FIREFOX).form(&fields)).await.status, 303);
            stage.visitor(mount).sign_in("bob").await;
            let page = here.get("/devices").await;
            let ids = logins(&page.body);
            assert_eq!(ids.len(), 2, "{}", page.body);
            for visitor in [&here, &there] {
                assert!(ids.contains(&login_id(visitor).await));
            }
            assert_eq!(page.body.matches("This device").count(), 1);
            let marked = page.body.split("<li ").find(|row| row.contains("This device")).expect("this device");
            assert_eq!(logins(marked), [login_id(&here).await]);
            assert!(page.body.contains("Firefox on Linux") && page.body.contains("127.0.0.1"), "{}", page.body);
        }
    }
}

#[tokio::test]
async fn a_strategy_that_cannot_know_says_so_and_why() {
    let stage = Stage::start().await;
    let mut without_a_list = 0;
    for mount in stage.mounts() {
        if mount.lists_logins {
            continue;
        }
        let sentence = mount.texts.devices;
        let visitor = stage.visitor(mount);
        visitor.sign_in("alice").await;
        let page = visitor.get("/devices").await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("The server cannot know") && unescaped(&page.body).contains(sentence));
        assert_eq!(logins(&page.body), [""; 0]);
        let id = login_id(&visitor).await;
        assert_eq!(visitor.post(&format!("/devices/{id}/revoke"), &[]).await.status, 404);
        assert_eq!(visitor.me().await.status, 200);
        without_a_list += 1;
    }
    assert!(without_a_list > 0, "{:?}", base(&stage.mounts()[0]));
}

#[tokio::test]
async fn a_device_can_be_ended_from_another() {
    for stage in Stage::on_both_databases().await {
        for mount in listing(&stage) {
            let (here, there) = (stage.visitor(mount), stage.visitor(mount));
            here.sign_in("alice").await;
            let lost = there.sign_in("alice").await;
            let id = login_id(&there).await;
            let done = here.post(&format!("/devices/{id}/revoke"), &[]).await;
            assert_eq!((done.status, done.location()), (303, format!("{}/devices", here.base).as_str()));
            stage.assert_ended(mount, &lost).await;
            assert_eq!(logins(&here.follow(&done).await.body), [login_id(&here).await]);
            assert_eq!(here.post(&format!("/devices/{id}/revoke"), &[]).await.status, 404, "it is no more");
        }
    }
}

#[tokio::test]
async fn ending_this_device_logs_out() {
    let stage = Stage::start().await;
    for mount in listing(&stage) {
        let visitor = stage.visitor(mount);
        let cookie = visitor.sign_in("alice").await;
        let id = login_id(&visitor).await;
        let done = visitor.post(&format!("/devices/{id}/revoke"), &[]).await;
        assert_eq!((done.status, done.location()), (303, format!("{}/", visitor.base).as_str()));
        assert!(done.cookie(mount.transport.cookie).expect("a removal").contains("Max-Age=0"));
        stage.assert_ended(mount, &cookie).await;
    }
}

#[tokio::test]
async fn somebody_elses_device_is_as_unknown_as_one_that_never_was() {
    for stage in Stage::on_both_databases().await {
        for mount in stage.mounts() {
            let (alice, bob) = (stage.visitor(mount), stage.visitor(mount));
            alice.sign_in("alice").await;
            bob.sign_in("bob").await;
            let theirs = login_id(&bob).await;
            let theirs = alice.post(&format!("/devices/{theirs}/revoke"), &[]).await;
            assert_eq!(theirs.status, 404, "{}", theirs.body);
            assert_eq!(bob.me().await.status, 200, "it goes on");
        }
    }
}

#[tokio::test]
async fn a_device_that_never_was_cannot_be_ended() {
    let stage = Stage::start().await;
    for mount in stage.mounts() {
        let visitor = stage.visitor(mount);
        let stranger = visitor.post("/devices/AAAAAAAAAAAAAAAAAAAAAA/revoke", &[]).await;
        assert_eq!((stranger.status, stranger.location()), (303, format!("{}/login", visitor.base).as_str()));
        visitor.sign_in("alice").await;
        for id in ["AAAAAAAAAAAAAAAAAAAAAA", "..%2f..", "%00", &"x".repeat(65), "*", "'--"] {
            assert_eq!(visitor.post(&format!("/devices/{id}/revoke"), &[]).await.status, 404, "{id}");
        }
        assert_eq!(visitor.me().await.status, 200);
    }
}

/// The mounts that can list logins.
fn listing(stage: &Stage) -> Vec<&Description> {
    let mounts: Vec<_> = stage.mounts().iter().filter(|mount| mount.lists_logins).collect();
    assert!(!mounts.is_empty(), "no strategy can list logins");
    mounts
}

/// The logins that a page offers to end.
fn logins(body: &str) -> Vec<String> {
    let ends = body.split("/devices/").skip(1).filter_map(|rest| rest.split_once("/revoke"));
    ends.map(|(id, _)| id.to_owned()).collect()
}

async fn login_id(visitor: &Visitor) -> String {
    visitor.me().await.json()["login_id"].as_str().expect("a login").to_owned()
}
