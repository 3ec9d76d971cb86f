//! `GET /openapi.json`, and the same as a page at `GET /docs`.

use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::web::Data;
use poem::{Response, handler};
use serde_json::{Value, json};

use super::api;
use super::state::AppState;
use crate::error::Error;
use crate::page::{Frame, html};

/// The OpenAPI document: the routes once, and every mount as a server.
fn document(state: &AppState) -> Result<Value, Error> {
    let mut document: Value =
        serde_json::from_str(&api::service().spec()).map_err(|error| Error::Internal(format!("openapi: {error}")))?;
    let servers = state.mounts().iter().map(|mount| {
        let description = mount.strategy.describe();
        json!({ "url": format!("{}{}/api", state.services.public_url, mount.base()), "description": description.texts.label })
    });
    document["servers"] = servers.collect();
    Ok(document)
}

/// `GET /openapi.json`.
#[handler]
pub(super) fn openapi(Data(state): Data<&Arc<AppState>>) -> Result<Response, Error> {
    let text = document(state)?.to_string();
    Ok(Response::builder().header(header::CONTENT_TYPE, "application/json").body(text))
}

/// `GET /docs`. Rendered by a template: the usual OpenAPI viewers need inline scripts and styles.
#[handler]
pub(super) fn page(Data(state): Data<&Arc<AppState>>) -> Result<Response, Error> {
    let services = &state.services;
    let content = services.pages.content("docs.html", json!({ "spec": document(state)? }))?;
    Ok(html(StatusCode::OK, services.pages.framed(Frame::plain("API docs", &services.node), content)?))
}
