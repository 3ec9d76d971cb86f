//! `GET /assets/{name}` and `GET /favicon.ico`: styles, scripts and pictures, which browsers keep.

use poem::http::{HeaderMap, StatusCode, header};
use poem::web::{Path, Query};
use poem::{Request, Response, handler};
use serde::Deserialize;

use crate::error::Error;
use crate::page::{ASSETS, Asset, FAVICON, assets_version};

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
    Ok(answer(asset, query.v.as_deref(), request.headers()))
}

/// `GET /favicon.ico`, for browsers that look there without a link.
#[handler]
pub(super) fn favicon(request: &Request) -> Response {
    answer(&FAVICON, None, request.headers())
}

/// The asset, or 304 if the browser has it.
fn answer(asset: &Asset, version: Option<&str>, headers: &HeaderMap) -> Response {
    let etag = asset.etag();
    let caching = match version {
        Some(version) if version == assets_version() => "public, max-age=31536000, immutable",
        // During an update a page of a newer node may load its assets here. No browser may keep these under that name.
        Some(_) => "no-cache",
        None => "public, max-age=3600",
    };
    let response = Response::builder().header(header::ETAG, &etag).header(header::CACHE_CONTROL, caching);
    if is_known(headers, &etag) {
        return response.status(StatusCode::NOT_MODIFIED).body(());
    }
    response.header(header::CONTENT_TYPE, asset.media_type).body(asset.content)
}

/// `If-None-Match` (RFC 9110, 13.1.2): a weak comparison with each of the list.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}
