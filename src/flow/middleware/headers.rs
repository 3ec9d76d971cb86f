//! The headers of every answer, errors included (OWASP ASVS 5.0, 3.4).

use std::time::Duration;

use compact_str::ToCompactString as _;
use poem::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::flow::state::Services;
use crate::security_log::RequestId;

/// Forbids inline code, other origins and frames.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'";

/// Room for the further ones of an answer, such as its media type.
const OWN_HEADERS: usize = 8;

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // With no-referrer a form sends `Origin: null`, and the cross-site check would refuse it.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// The headers that are the same in every answer.
pub(super) struct AnswerHeaders(Vec<(HeaderName, HeaderValue)>);

impl AnswerHeaders {
    pub fn new(services: &Services) -> Self {
        let mut all: Vec<_> = HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))).into();
        if services.secure {
            // RFC 6797; a year, as the preload lists ask for.
            all.push((header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")));
        }
        if let Ok(node) = HeaderValue::from_str(&services.node) {
            all.push((HeaderName::from_static("x-node"), node));
        }
        Self(all)
    }

    /// Adds them, and the name of the request.
    pub fn add(&self, headers: &mut HeaderMap, id: RequestId) {
        headers.reserve(self.0.len() + OWN_HEADERS);
        for (name, value) in &self.0 {
            headers.insert(name, value.clone());
        }
        if let Ok(id) = HeaderValue::from_str(&id.to_compact_string()) {
            headers.insert(HeaderName::from_static("x-request-id"), id);
        }
    }
}

/// Adds `Server-Timing` to an answer of a mount without a trace: the middleware refused the request before its routes.
pub(super) fn time(headers: &mut HeaderMap, took: Duration) {
    if let header::Entry::Vacant(missing) = headers.entry("server-timing")
        && let Ok(total) = HeaderValue::from_str(&format!("total;dur={:.3}", took.as_secs_f64() * 1e3))
    {
        missing.insert(total);
    }
}
