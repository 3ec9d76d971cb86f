//! `GET /`: the mounts side by side, the table row by row, the stores, the demo users.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::Data;
use poem::{Response, handler};
use serde::Serialize;
use serde_json::{Value, json};

use super::state::{AppState, Mount, MountView, StoreStatus};
use crate::error::Error;
use crate::page::{Frame, html};
use crate::store::StoreError;

/// How many mounts stand large at the top: the two of the title.
const TITLE: usize = 2;

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

/// The home page.
#[handler]
pub(super) async fn page(state: Data<&Arc<AppState>>) -> Result<Response, Error> {
    let services = &state.services;
    let health = services.health().await;
    let mut strategies = Vec::new();
    for mount in state.mounts() {
        let why_not = health.of(mount.strategy.describe().backend).err();
        let why_not = why_not.map(StoreError::sentence);
        strategies.push(HomeRow { view: mount.view(), ready: why_not.is_none(), why_not });
    }
    let mut stores = Vec::new();
    for state in &services.stores {
        let live = state.need.is_some_and(|need| health.of(need).is_ok());
        stores.push(HomeStore { state, live });
    }
    let (pair, others) = state.mounts().split_at(TITLE.min(state.mounts().len()));
    let views = |mounts: &[Arc<Mount>]| mounts.iter().map(|mount| json!(mount.view())).collect::<Vec<_>>();
    let context = json!({
        "strategies": strategies,
        "title_pair": views(pair),
        "others": views(others),
        "rows": rows(),
        "stores": stores,
        "frontier": super::frontier::view(&state),
        "demo": services.demo,
        "node": services.node,
    });
    let content = services.pages.content("home.html", context)?;
    Ok(html(StatusCode::OK, services.pages.framed(Frame::plain("Home", &services.node), content)?))
}

/// The table that everybody repeats, and where each row of it can be seen here.
fn rows() -> Value {
    let link = |href: &str, text: &str| json!({ "href": href, "text": text });
    json!([
        {
            "name": "State",
            "session": "The server stores every login.",
            "jwt": "The server stores a key, and nothing of a login.",
            "see": [link("/session/profile", "What the server holds of a session"), link("/jwt/profile", "… and of a token")],
        },
        {
            "name": "Scalability",
            "session": "Nodes need a store that they share, and it is asked at every request.",
            "jwt": "Any node with the key can check any token.",
            "see": [link("/session-memory/", "A session that only one node knows"), link("/readyz", "Which strategies go on without a store")],
        },
        {
            "name": "Revocation",
            "session": "Delete the record: the next request is refused.",
            "jwt": "A token is accepted until it expires.",
            "see": [link("/labs/revocation", "Revoke all nine at once, and watch"), link("/session/", "Log out, then replay the cookie"), link("/jwt/", "… and the token"), link("/jwt/devices", "Why there is no list of tokens")],
        },
        {
            "name": "Payload size",
            "session": "22 bytes with every request.",
            "jwt": "Some 350 bytes with every request: claims and a signature.",
            "see": [link("/session/profile", "Bytes of an id"), link("/jwt/profile", "Bytes of a token"), link("/labs/cost", "What each costs, with claims as large as you like")],
        },
        {
            "name": "Client support",
            "session": "Browsers: they keep cookies by themselves.",
            "jwt": "Any client that can send a header.",
            "see": [link("/docs", "The JSON routes, with a bearer token and with a cookie")],
        },
        {
            "name": "Cookies and scripts",
            "session": "HttpOnly: no script can read the id.",
            "jwt": "The same, if the token is in a cookie and not in local storage.",
            "see": [link("/session/profile", "A script tries, and gets nothing"), link("/jwt/profile", "… and here")],
        },
    ])
}
