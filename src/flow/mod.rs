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
mod metrics;
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

use poem::{Endpoint, EndpointExt as _, Request, Response, Route};

use self::methods::{RouteMethods, get, post};

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
use crate::error::Error;

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
        route = with_mount(route, mount);
    }
    middleware::wrap(route, state)
}

/// Adds the routes of one mount, each with its whole path: below a nested route, poem would take the address of each
/// request apart and build another.
fn with_mount(route: Route, mount: &Arc<Mount>) -> Route {
    let pages = [
        ("", get(landing::page)),
        ("/register", get(register::form).post(register::submit)),
        ("/login", get(login::form).post(login::submit)),
        ("/profile", get(profile::page)),
        ("/devices", get(devices::page)),
        ("/devices/:id/revoke", post(devices::revoke)),
        ("/password", get(password::form).post(password::submit)),
        ("/password/changed", get(password::changed)),
        ("/users", get(users::list)),
        ("/users/:id", get(users::one)),
        ("/users/:id/disable", post(users::disable)),
        ("/users/:id/enable", post(users::enable)),
        ("/users/:id/delete", post(users::delete)),
        ("/events", get(events::listen)),
        ("/logout", post(logout::this)),
        ("/logout-everywhere", post(logout::everywhere)),
    ];
    let pages = pages.into_iter().map(|(path, methods)| (path.to_owned(), methods));
    let json = api::routes().map(|(path, methods)| (format!("/api{path}"), methods));
    let context = || context::WithContext::new(mount.clone());
    let add = |route: Route, (path, methods): (String, RouteMethods)| {
        route.at(format!("{}{path}", mount.base()), methods.with(context()))
    };
    let route = pages.chain(json).fold(route, add);
    let rest = BelowMount { landing_path: format!("{}/", mount.base()), landing: get(landing::page) };
    route.at(format!("{}*rest", rest.landing_path), rest.with(context()))
}

/// Every other path below a mount. For poem the mount's path with a slash at the end is one of them.
struct BelowMount {
    landing_path: String,
    landing: RouteMethods,
}

impl Endpoint for BelowMount {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if request.uri().path() == self.landing_path {
            self.landing.call(request).await
        } else {
            Err(Error::NotFound.into())
        }
    }
}
