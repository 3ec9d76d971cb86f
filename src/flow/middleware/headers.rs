//! The headers of every answer, errors included (OWASP ASVS 5.0, 3.4).

use std::time::Duration;

use poem::http::{HeaderMap, HeaderValue, header};

use crate::flow::state::Services;
use crate::security_log::RequestId;

/// Forbids inline code, other origins and frames.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'";

const HEADERS: [(header::HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // With no-referrer a form sends `Origin: null`, and the cross-site check would refuse it.
    (header::REFERRER_POLICY, "same-origin"),
    (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

pub(super) fn add(headers: &mut HeaderMap, services: &Services, id: RequestId) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if services.secure {
        // RFC 6797; a year, as the preload lists ask for.
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if let Ok(node) = HeaderValue::from_str(&services.node) {
        headers.insert("x-node", node);
    }
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert("x-request-id", id);
    }
}

/// Adds `Server-Timing` to an answer of a mount without a trace: the middleware refused the request before its routes.
pub(super) fn time(headers: &mut HeaderMap, took: Duration) {
    if let Ok(total) = HeaderValue::from_str(&format!("total;dur={:.3}", took.as_secs_f64() * 1e3)) {
        headers.entry("server-timing").or_insert(total);
    }
}
