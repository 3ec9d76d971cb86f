//! `GET /openapi.json`, and the same as a page at `GET /docs`.

use std::sync::Arc;

use poem::web::Data;
use poem::{Request, Response, handler};
use serde_json::{Value, json};

use super::api;
use super::negotiation::answer;
use super::state::AppState;
use crate::auth::Transport;
use crate::error::Error;
use crate::page::{Frame, HTML};

/// A browser may keep both, and checks each time whether the server still has the same.
const CACHING: &str = "no-cache";

/// The OpenAPI document: the routes once, and every mount as a server.
fn document(state: &AppState) -> Result<Value, Error> {
    let mut document: Value =
        serde_json::from_str(&api::service().spec()).map_err(|error| Error::Internal(format!("openapi: {error}")))?;
    let servers = state.mounts().iter().map(|mount| {
        let description = mount.strategy.describe();
        json!({ "url": format!("{}{}/api", state.services.public_url, mount.base()), "description": description.texts.label })
    });
    document["servers"] = servers.collect();
    add_security(&mut document, state);
    Ok(document)
}

/// Names the ways to present a login, and where each operation works. An operation that takes a body needs no login: the
/// body has the credential.
fn add_security(document: &mut Value, state: &AppState) {
    let transports = || state.mounts().iter().map(|mount| mount.strategy.describe().transport);
    let mut schemes = json!({ "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } });
    for cookie in transports().map(|transport| transport.cookie) {
        let name = state.services.whole_server().name(cookie);
        schemes[cookie] = json!({ "type": "apiKey", "in": "cookie", "name": name });
    }
    let names = schemes.as_object().into_iter().flat_map(|schemes| schemes.keys());
    let ways: Vec<_> = names.map(|name| json!({ name: [] })).collect();
    document["components"]["securitySchemes"] = schemes;
    let servers = document["servers"].as_array().cloned().unwrap_or_default();
    let of = |wanted: fn(&Transport) -> bool| {
        servers
            .iter()
            .zip(transports())
            .filter(|(_, it)| wanted(it))
            .map(|(server, _)| server.clone())
            .collect::<Vec<_>>()
    };
    // 404 elsewhere.
    document["paths"]["/refresh"]["post"]["servers"] = of(|it| it.refresh_cookie.is_some()).into();
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (_, operation) in paths.flat_map(|(_, path)| path.as_object_mut().into_iter().flatten()) {
        if operation.get("requestBody").is_none() {
            operation["security"] = json!(ways);
            if let Some(answers) = operation["responses"].as_object_mut() {
                answers.remove("415");
            }
        }
    }
}

/// `GET /openapi.json`.
#[handler]
pub(super) fn openapi(Data(state): Data<&Arc<AppState>>, request: &Request) -> Result<Response, Error> {
    let content = state.shared_pages.openapi.once("application/json", || Ok(document(state)?.to_string()))?;
    Ok(answer(&content, CACHING, request.headers()))
}

/// `GET /docs`. Rendered by a template: the usual OpenAPI viewers need inline scripts and styles.
#[handler]
pub(super) fn page(Data(state): Data<&Arc<AppState>>, request: &Request) -> Result<Response, Error> {
    let content = state.shared_pages.docs.once(HTML, || rendered(state))?;
    Ok(answer(&content, CACHING, request.headers()))
}

fn rendered(state: &AppState) -> Result<String, Error> {
    let services = &state.services;
    let by_cookie = state.mounts().iter().find(|mount| !mount.strategy.describe().transport.bearer).map(|mount| {
        let cookie = services.whole_server().name(mount.strategy.describe().transport.cookie);
        json!({ "url": format!("{}{}/api", services.public_url, mount.base()), "cookie": cookie })
    });
    let content = services.pages.content("docs.html", json!({ "spec": document(state)?, "by_cookie": by_cookie }))?;
    services.pages.framed(Frame::plain("API docs", &services.node), &content)
}
