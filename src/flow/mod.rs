//! WHAT a visitor does: the pages and JSON routes of a mount, written once and mounted for every strategy.

mod api;
mod cookies;
mod devices;
mod docs;
mod events;
mod frontier;
mod guard;
mod home;
mod labs;
mod landing;
mod login;
mod logout;
mod ops;
mod password;
mod profile;
mod recent;
mod register;
mod site;
mod visit;

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, EndpointExt as _, IntoEndpoint as _, Response, Route, get, post};

pub use self::events::News;
pub use self::guard::{RateLimits, TrustedProxies};
pub use self::recent::RecentPosts;
pub use self::site::{Demo, DemoUser, Mount, Shared, Site, StoreState};

/// The whole site: home, the mounts, what operators ask for; safe headers and error pages around everything.
pub fn routes(site: &Arc<Site>) -> impl Endpoint<Output = Response> + use<> {
    let mut route = Route::new()
        .at("/", get(home::page))
        .at("/docs", get(docs::page))
        .at("/openapi.json", get(docs::openapi))
        .at("/assets/:name", get(docs::asset))
        .nest("/labs", labs::routes())
        .at("/healthz", get(ops::healthz))
        .at("/readyz", get(ops::readyz))
        .at("/metrics", get(ops::metrics))
        .at("/.well-known/jwks.json", get(ops::jwks));
    for mount in site.mounts() {
        route = route.nest(mount.base(), mounted(mount));
    }
    guard::around(route, site)
}

/// The pages of one mount.
fn mounted(mount: &Arc<Mount>) -> BoxEndpoint<'static> {
    Route::new()
        .at("/", get(landing::page))
        .at("/register", get(register::form).post(register::submit))
        .at("/login", get(login::form).post(login::submit))
        .at("/profile", get(profile::page))
        .at("/devices", get(devices::page))
        .at("/devices/:id/revoke", post(devices::revoke))
        .at("/password", get(password::form).post(password::submit))
        .at("/events", get(events::listen))
        .at("/logout", post(logout::this))
        .at("/logout-everywhere", post(logout::everywhere))
        .nest("/api", api::service())
        .with(visit::PerVisit::new(mount.clone()))
        .into_endpoint()
        .boxed()
}
