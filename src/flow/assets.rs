//! `GET /assets/{name}` and `GET /favicon.ico`: styles, scripts and pictures, which browsers keep.

use poem::web::{Path, Query};
use poem::{Request, Response, handler};
use serde::Deserialize;

use super::negotiation::answer;
use crate::error::Error;
use crate::page::{ASSETS, FAVICON, assets_version};

#[derive(Deserialize)]
struct AssetQuery {
    /// The version that a page links to.
    v: Option<String>,
}

/// `GET /assets/{name}`.
#[handler]
pub(super) fn file(
    Path(name): Path<String>,
    Query(query): Query<AssetQuery>,
    request: &Request,
) -> Result<Response, Error> {
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or(Error::NotFound)?;
    Ok(answer(&asset.content, caching(query.v.as_deref()), request.headers()))
}

/// `GET /favicon.ico`, for browsers that look there without a link.
#[handler]
pub(super) fn favicon(request: &Request) -> Response {
    answer(&FAVICON, caching(None), request.headers())
}

/// How long a browser may keep what it requested under this version.
fn caching(version: Option<&str>) -> &'static str {
    match version {
        Some(version) if version == assets_version() => "public, max-age=31536000, immutable",
        // During an update a page of a newer node may load its assets here. No browser may keep these under that name.
        Some(_) => "no-cache",
        None => "public, max-age=3600",
    }
}
