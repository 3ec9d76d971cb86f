//! What visitors see while a store is away, and how soon after its return.

use jwt_vs_session::auth::Backend;
use reqwest::RequestBuilder;
use tokio::task::{JoinSet, LocalSet};

use super::stage::Stage;
use super::visitor::{Visitor, answer};
use crate::common::{bare_client, until};

/// A visitor signed in under a mount.
#[derive(Clone)]
pub struct Guest {
    pub visitor: Visitor,
    pub slug: &'static str,
    pub needs: Backend,
    /// Whether its login outlives an empty Redis.
    pub kept: bool,
    /// Whether a store is asked who this is. A token that is renewed stands for itself until then.
    asked: bool,
}

pub async fn guests(stage: &Stage) -> Vec<Guest> {
    let mut guests = Vec::new();
    for mount in stage.mounts() {
        let visitor = stage.visitor(mount);
        visitor.sign_in("alice").await;
        // The panel of the login is shown, and its cookie forgotten.
        visitor.get("/profile").await;
        let kept = mount.transport.bearer || mount.backend != Backend::Redis;
        guests.push(Guest {
            visitor,
            slug: mount.slug,
            needs: mount.backend,
            kept,
            asked: mount.transport.refresh_cookie.is_none(),
        });
    }
    guests
}

/// Who needs what is away gets 503 and keeps the cookie; everybody else goes on.
pub async fn assert_away(guests: &[Guest], away: Backend) {
    let visits = async {
        let mut visits = JoinSet::new();
        for guest in guests {
            visits.spawn_local(guest.clone().assert_away(away));
        }
        visits.join_all().await;
    };
    LocalSet::new().run_until(visits).await;
}

impl Guest {
    async fn assert_away(self, away: Backend) {
        let Self { visitor, slug, needs, asked, .. } = &self;
        let asks = *needs == away && *asked;
        // What was pushed is trusted for a moment longer.
        until("it is seen", async || !asks || visitor.get("/profile").await.status == 503).await;
        for path in ["/", "/profile", "/api/me"] {
            if asks {
                assert_unavailable(&format!("{slug}{path}"), visitor.getting(path)).await;
            } else {
                assert_eq!(visitor.get(path).await.status, 200, "{slug}{path} goes on");
            }
        }
        if *needs == away {
            for path in ["/logout", "/logout-everywhere", "/api/logout"] {
                assert_unavailable(&format!("{slug}{path}"), visitor.posting(path)).await;
            }
        }
    }
}

/// There is an answer; how long a store may keep it waiting, the stores' own tests say.
pub async fn assert_unavailable(what: &str, request: RequestBuilder) {
    let reply = answer(request).await;
    assert_eq!(reply.status, 503, "{what}: {}", reply.body);
    assert!(reply.body.contains("does not answer"), "{what}: {}", reply.body);
    assert_eq!(reply.header("retry-after"), Some("1"), "{what}");
    for name in ["set-cookie", "location", "www-authenticate"] {
        assert_eq!(reply.header(name), None, "{what}: {name}");
    }
    let page = reply.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    assert!(!page || reply.body.contains("Login state unknown"), "{what} says who is signed in");
}

/// `/readyz` names exactly those who need what is away; `/healthz` does not care.
pub async fn assert_told(stage: &Stage, expected: impl Fn(Backend) -> bool) {
    let ready = answer(bare_client().get(stage.app.url("/readyz"))).await;
    let rows = ready.json();
    for (row, mount) in rows["strategies"].as_array().expect("rows").iter().zip(stage.mounts()) {
        assert_eq!(
            (row["strategy"].as_str(), row["ready"].as_bool()),
            (Some(mount.slug), Some(expected(mount.backend)))
        );
        assert_eq!(row["reason"].is_string(), !expected(mount.backend), "{row}");
    }
    let any = stage.mounts().iter().any(|mount| expected(mount.backend));
    assert_eq!(ready.status, if any { 200 } else { 503 });
    let home = answer(bare_client().get(stage.app.url("/"))).await;
    assert_eq!(home.status, 200, "the home page is for everybody, always");
    let alive = answer(bare_client().get(stage.app.url("/healthz"))).await;
    assert_eq!((alive.status, alive.body.as_str()), (200, "ok\n"));
}

/// Nobody is told that a store is away any more after its return.
pub async fn assert_back(guests: &[Guest]) {
    for Guest { visitor, .. } in guests {
        until("its store is in use again", async || visitor.get("/profile").await.status != 503).await;
    }
}
