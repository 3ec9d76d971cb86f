//! WHAT a visitor does: the pages and JSON routes of a mount, written once and mounted for every strategy.

mod accept_encoding;
mod api;
mod assets;
mod blocked_users;
mod changes_under_way;
mod client;
mod context;
mod cookies;
mod devices;
mod docs;
mod ended_users;
mod events;
mod flash;
mod frontier;
mod health;
mod home;
mod hosts;
mod labs;
mod landing;
mod login;
mod login_events;
mod logout;
mod methods;
mod middleware;
mod negotiation;
mod ops;
mod outages;
mod password;
mod profile;
mod rate_limits;
mod register;
mod revoke;
mod security;
mod state;
mod users;

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, EndpointExt as _, IntoEndpoint as _, Response, Route};

use self::methods::{get, post};

pub use self::blocked_users::BlockedUsers;
pub use self::changes_under_way::ChangesUnderWay;
pub use self::ended_users::{ENDED_WITHIN, EndedUserWatch};
pub use self::flash::FlashMessages;
pub use self::health::{HealthCheck, StoreHealth};
pub use self::hosts::ServedHosts;
pub use self::login_events::LoginEvents;
pub use self::outages::Outages;
pub use self::rate_limits::RateLimits;
pub use self::revoke::when_refused;
pub use self::state::{AppState, Demo, DemoUser, Mount, Services, StoreStatus};

/// Every route of the server, inside the middleware.
pub fn routes(state: &Arc<AppState>) -> impl Endpoint<Output = Response> + use<> {
    let mut route = Route::new()
        .at("/", get(home::page))
        .at("/docs", get(docs::page))
        .at("/openapi.json", get(docs::openapi))
        .at("/assets/:name", get(assets::file))
        .at("/favicon.ico", get(assets::favicon))
        .nest("/labs", labs::routes())
        .at("/healthz", get(ops::healthz))
        .at("/readyz", get(ops::readyz))
        .at("/metrics", get(ops::metrics))
        .at("/.well-known/jwks.json", get(ops::jwks));
    for mount in state.mounts() {
        route = route.nest(mount.base(), mounted(mount));
    }
    middleware::wrap(route, state)
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
        .at("/password/changed", get(password::changed))
        .at("/users", get(users::list))
        .at("/users/:id", get(users::one))
        .at("/users/:id/disable", post(users::disable))
        .at("/users/:id/enable", post(users::enable))
        .at("/users/:id/delete", post(users::delete))
        .at("/events", get(events::listen))
        .at("/logout", post(logout::this))
        .at("/logout-everywhere", post(logout::everywhere))
        .nest("/api", api::routes())
        .with(context::WithContext::new(mount.clone()))
        .into_endpoint()
        .boxed()
}
