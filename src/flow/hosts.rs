//! Which hosts the server answers for (RFC 9112, 3.2; RFC 9110, 7.4).
//!
//! A page of another host may have its name rebound to this machine (DNS rebinding): the browser then sends its requests
//! here, as requests of the same site. The name in `Host` gives it away.

use poem::Request;
use poem::http::{HeaderMap, HeaderValue, Version, header};
use url::{Host, Url};

use crate::error::Error;
use crate::network::is_loopback;

/// The routes for operators. A load balancer or Prometheus calls them at the address of the node.
const OPERATION: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/.well-known/jwks.json"];

/// The headers that proxies and tunnels add.
const FORWARDED: [&str; 9] = [
    "forwarded",
    "via",
    "cdn-loop",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "fastly-client-ip",
    "fly-client-ip",
];

/// The beginnings of further ones.
const FORWARDED_PREFIXES: [&str; 4] = ["x-forwarded", "x-original-", "cf-", "tailscale-"];

/// The hosts that the server answers for.
#[derive(Clone, Debug)]
pub enum ServedHosts {
    /// This machine, with nobody in between: the pages show a password.
    Loopback,
    /// The host of `--public-url`. If that is this machine, each of its names.
    Public(Url),
    /// Every host. Without a public password a rebound name reaches what any client can reach.
    Any,
}

impl ServedHosts {
    /// Refuses a request without exactly one valid host, or for a host that the server does not answer for. Afterwards
    /// `Host` holds the host that the request is for.
    pub(super) fn check(&self, request: &mut Request) -> Result<(), Error> {
        let host = requested(request)?;
        let target = request.uri().authority().and_then(|target| target.as_str().parse().ok());
        if let Some(target) = target {
            request.headers_mut().insert(header::HOST, target);
        }
        match self {
            Self::Loopback => {
                // Browsers have not sent HTTP/1.0 for decades. Proxies do: nginx, unless it is told otherwise.
                if request.version() == Version::HTTP_10 || is_forwarded(request.headers()) {
                    return Err(Error::Forwarded);
                }
                if !host.is_some_and(|(host, _)| is_loopback(&host)) {
                    return Err(Error::NotLoopback);
                }
                if shows_another_host(request.headers()) { Err(Error::Forwarded) } else { Ok(()) }
            }
            Self::Public(url) => {
                let known = OPERATION.contains(&request.uri().path()) || host.is_some_and(|host| is_of(url, &host));
                if known { Ok(()) } else { Err(Error::OtherHost(url.origin().ascii_serialization())) }
            }
            Self::Any => Ok(()),
        }
    }
}

/// The host of a URL, and its port if one is named.
type HostAndPort = (Host, Option<u16>);

/// The host that a request is for; `None` in HTTP/1.0 without one. The request's target comes first (RFC 9112, 3.2.2).
fn requested(request: &Request) -> Result<Option<HostAndPort>, Error> {
    let invalid = |reason: &str| Error::BadRequest(format!("{reason} (RFC 9112, 3.2)."));
    let mut lines = request.headers().get_all(header::HOST).into_iter();
    let named = match (lines.next(), lines.next()) {
        (None, _) if request.version() == Version::HTTP_10 => None,
        (None, _) => return Err(invalid("The request has no Host header")),
        (Some(_), Some(_)) => return Err(invalid("The request has more than one Host header")),
        (Some(line), None) => {
            let host = line.to_str().ok().and_then(parse);
            Some(host.ok_or_else(|| invalid("The request has a Host header that is no host"))?)
        }
    };
    match request.uri().authority() {
        Some(target) => parse(target.as_str()).map(Some).ok_or_else(|| invalid("The request is for no host")),
        None => Ok(named),
    }
}

/// Parses `uri-host [ ":" port ]` (RFC 9110, 7.2).
fn parse(text: &str) -> Option<HostAndPort> {
    let end = text.find(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match text[end..].find(':') {
        Some(colon) => (&text[..end + colon], &text[end + colon + 1..]),
        None => (text, ""),
    };
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = if port.is_empty() { None } else { Some(port.parse().ok()?) };
    let host = Host::parse(host).ok()?;
    digits.then_some((host, port))
}

/// Whether the URL has this host and port.
fn is_of(url: &Url, (host, port): &HostAndPort) -> bool {
    let Some(ours) = url.host() else { return false };
    let same = match (&ours, host) {
        (Host::Domain(ours), Host::Domain(theirs)) => *ours == theirs.trim_end_matches('.'),
        (Host::Ipv4(ours), Host::Ipv4(theirs)) => ours == theirs,
        (Host::Ipv6(ours), Host::Ipv6(theirs)) => ours == theirs,
        _ => false,
    };
    let default = if url.scheme() == "https" { 443 } else { 80 };
    (is_loopback(&ours) && is_loopback(host)) || (same && port.unwrap_or(default) == url.port().unwrap_or(default))
}

/// Whether a proxy or a tunnel added a header.
fn is_forwarded(headers: &HeaderMap) -> bool {
    let begins = |name: &str| FORWARDED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    headers.keys().any(|name| FORWARDED.contains(&name.as_str()) || begins(name.as_str()))
}

/// Whether the browser has this server's page under a name of another machine: a proxy replaced `Host`.
///
/// What `Sec-Fetch-Site` calls cross-site or same-site comes from a page of another site. It may link here; its forms are refused
/// by the cross-site check.
fn shows_another_host(headers: &HeaderMap) -> bool {
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site") {
        return false;
    }
    let is_elsewhere = |line: &HeaderValue| {
        let url = line.to_str().ok().and_then(|line| line.parse::<Url>().ok());
        url.is_some_and(|url| url.host().is_some_and(|host| !is_loopback(&host)))
    };
    [header::ORIGIN, header::REFERER].iter().any(|name| headers.get_all(name).iter().any(is_elsewhere))
}
