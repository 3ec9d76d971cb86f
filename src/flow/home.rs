//! `GET /`: the mounts, the frontier, the comparison row by row, the stores and the demo users.

use std::sync::Arc;

use poem::web::Data;
use poem::{Request, Response, handler};
use serde::Serialize;
use serde_json::{Value, json};

use super::negotiation::answer;
use super::state::{AppState, Mount, MountView, StoreStatus};
use crate::error::Error;
use crate::page::{Frame, HTML};
use crate::store::StoreError;

/// The first mounts are those of the title. The page shows them larger.
const TITLE_MOUNTS: usize = 2;

#[derive(Serialize)]
struct HomeRow<'a> {
    #[serde(flatten)]
    view: MountView<'a>,
    ready: bool,
    why_not: Option<String>,
}

#[derive(Serialize)]
struct HomeStore<'a> {
    #[serde(flatten)]
    state: &'a StoreStatus,
    live: bool,
}

#[handler]
pub(super) async fn page(state: Data<&Arc<AppState>>, request: &Request) -> Result<Response, Error> {
    let services = &state.services;
    let health = services.health.result().await;
    let mut strategies = Vec::new();
    for mount in state.mounts() {
        let why_not = health.of(mount.strategy.describe().backend).err();
        let why_not = why_not.map(StoreError::sentence);
        strategies.push(HomeRow { view: mount.view(), ready: why_not.is_none(), why_not });
    }
    let mut stores = Vec::new();
    for state in &services.stores {
        let live = state.backend.is_some_and(|backend| health.of(backend).is_ok());
        stores.push(HomeStore { state, live });
    }
    let (pair, others) = state.mounts().split_at(TITLE_MOUNTS.min(state.mounts().len()));
    let views = |mounts: &[Arc<Mount>]| mounts.iter().map(|mount| json!(mount.view())).collect::<Vec<_>>();
    let context = json!({
        "strategies": strategies,
        "title_pair": views(pair),
        "others": views(others),
        "rows": rows(strategies.len()),
        "stores": stores,
        "frontier": super::frontier::view(&state),
        "demo": services.demo,
        "node": services.node,
    });
    let content = services.pages.content("home.html", context)?;
    let text = services.pages.framed(Frame::plain("Home", &services.node), &content)?;
    Ok(answer(&state.shared_pages.home.latest(HTML, text), "no-store", request.headers()))
}

/// The usual comparison of the two, and where a visitor sees each row on this server.
fn rows(strategies: usize) -> Value {
    let link = |href: &str, text: &str| json!({ "href": href, "text": text });
    json!([
        {
            "name": "State",
            "session": "The server stores a record of every login.",
            "jwt": "The server stores a key, and nothing about a login.",
            "see": [link("/session/profile", "What the server holds of a session"), link("/jwt/profile", "What the server holds of a token")],
        },
        {
            "name": "Scalability",
            "session": "Nodes need a shared store, and read it at every request.",
            "jwt": "Any node with the key can check any token.",
            "see": [link("/session-memory/", "A session that only one node accepts"), link("/readyz", "Which strategies are ready when a store is down")],
        },
        {
            "name": "Revocation",
            "session": "The server deletes the record and refuses the next request.",
            "jwt": "The server accepts a token until it expires.",
            "see": [link("/labs/revocation", &format!("Revoke a login under all {strategies} strategies at once")), link("/session/", "Log out, then replay the session id"), link("/jwt/", "Log out, then replay the token"), link("/jwt/devices", "Why the server has no list of tokens")],
        },
        {
            "name": "Payload size",
            "session": "22 bytes with every request.",
            "jwt": "About 350 bytes with every request: claims and a signature.",
            "see": [link("/session/profile", "Size of a session id"), link("/jwt/profile", "Size of a token"), link("/labs/cost", "What a check costs, also with larger claims")],
        },
        {
            "name": "Client support",
            "session": "Browsers: they store cookies and send them.",
            "jwt": "Any client that can send a header.",
            "see": [link("/docs", "The JSON routes, with a bearer token and with a cookie")],
        },
        {
            "name": "Cookies and scripts",
            "session": "HttpOnly: no script can read the session id.",
            "jwt": "HttpOnly, if the token is in a cookie and not in local storage.",
            "see": [link("/session/profile", "A script tries to read the session id"), link("/jwt/profile", "A script tries to read the token")],
        },
    ])
}
