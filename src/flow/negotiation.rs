//! Answers with the form of some content that the client accepts, or with 304 if it has that form.

use poem::Response;
use poem::http::{HeaderMap, StatusCode, header};

use super::accept_encoding::AcceptEncoding;
use crate::page::{ContentCoding, EncodedContent};

/// `headers` are those of the request, `caching` is the answer's `Cache-Control`.
pub(super) fn answer(content: &EncodedContent, caching: &'static str, headers: &HeaderMap) -> Response {
    let chosen = AcceptEncoding::of(headers).choose(content);
    let mut response = Response::builder().header(header::ETAG, &chosen.etag).header(header::CACHE_CONTROL, caching);
    if content.is_negotiated() {
        response = response.header(header::VARY, "Accept-Encoding");
    }
    if is_known(headers, &chosen.etag) {
        return response.status(StatusCode::NOT_MODIFIED).body(());
    }
    response = match chosen.coding {
        ContentCoding::Brotli => response.header(header::CONTENT_ENCODING, "br"),
        ContentCoding::Gzip => response.header(header::CONTENT_ENCODING, "gzip"),
        ContentCoding::Identity => response,
    };
    response.header(header::CONTENT_TYPE, content.media_type).body(chosen.bytes.clone())
}

/// `If-None-Match` (RFC 9110, 13.1.2): a weak comparison with each of the list.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}
