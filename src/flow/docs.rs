//! `GET /openapi.json`, its reader `GET /docs`, and the files that pages link to.

use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::web::{Data, Path};
use poem::{Response, handler};
use serde_json::{Value, json};

use super::api;
use super::site::Site;
use crate::error::Error;
use crate::page::{ASSETS, Frame, html};

/// The routes once, and every mount as a server that they stand on.
fn document(site: &Site) -> Result<Value, Error> {
    let mut document: Value =
        serde_json::from_str(&api::service().spec()).map_err(|error| Error::Internal(format!("openapi: {error}")))?;
    let servers = site.mounts().iter().map(|mount| {
        let description = mount.strategy.describe();
        json!({ "url": format!("{}{}/api", site.shared.public_url, mount.base()), "description": description.label })
    });
    document["servers"] = servers.collect();
    Ok(document)
}

/// `GET /openapi.json`.
#[handler]
pub(super) fn openapi(Data(site): Data<&Arc<Site>>) -> Result<Response, Error> {
    let text = document(site)?.to_string();
    Ok(Response::builder().header(header::CONTENT_TYPE, "application/json").body(text))
}

/// `GET /docs`: the same, for people. Rendered here: the readers that there are need scripts and styles inline.
#[handler]
pub(super) fn page(Data(site): Data<&Arc<Site>>) -> Result<Response, Error> {
    let shared = &site.shared;
    let content = shared.pages.content("docs.html", json!({ "spec": document(site)? }))?;
    Ok(html(StatusCode::OK, shared.pages.framed(Frame::plain("API docs", &shared.node), content)?))
}

/// `GET /assets/{name}`.
#[handler]
pub(super) fn asset(Path(name): Path<String>) -> Result<Response, Error> {
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or(Error::NotFound)?;
    Ok(Response::builder()
        .header(header::CONTENT_TYPE, asset.media_type)
        .header(header::CACHE_CONTROL, "public, max-age=3600")
        .body(asset.text))
}
