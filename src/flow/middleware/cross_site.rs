//! Refuses cross-site requests, by the algorithm of Go 1.25's `http.CrossOriginProtection`.

use poem::Request;
use poem::http::header;

use crate::error::Error;

/// Refuses an unsafe request that a browser sent from another site.
///
/// `Sec-Fetch-Site` decides if the browser sends it. The `Origin` of an older browser must name this host. A request with
/// neither passes: no browser leaves both out of a cross-site POST.
pub(super) fn check(request: &Request, public_url: &str) -> Result<(), Error> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("(not readable)"));
    let origin = header(header::ORIGIN);
    // Behind a proxy `Host` may differ from the address that the browser sees.
    let trusted = origin.is_some_and(|origin| origin == public_url);
    match header(header::HeaderName::from_static("sec-fetch-site")) {
        Some("same-origin" | "none") => return Ok(()),
        Some(_) => return if trusted { Ok(()) } else { Err(Error::CrossSite) },
        None => {}
    }
    match origin {
        None => Ok(()),
        Some(_) if trusted => Ok(()),
        Some(origin) => {
            let same =
                host(origin).zip(header(header::HOST)).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host));
            if same { Ok(()) } else { Err(Error::CrossSite) }
        }
    }
}

/// The host and port of an origin.
fn host(origin: &str) -> Option<&str> {
    let (scheme, host) = origin.split_once("://")?;
    let plain = !host.is_empty() && !host.contains(['/', '@', '?', '#']);
    (matches!(scheme, "http" | "https") && plain).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://login.example";

    fn request(headers: &[(&str, &str)]) -> bool {
        let builder = headers.iter().fold(Request::builder(), |builder, (name, value)| builder.header(*name, *value));
        check(&builder.method(poem::http::Method::POST).finish(), OURS).is_ok()
    }

    #[test]
    fn the_table_of_the_algorithm() {
        let host = ("host", "127.0.0.1:5000");
        for (headers, allowed) in [
            (vec![], true),
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "none")], true),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("sec-fetch-site", "")], false),
            (vec![("sec-fetch-site", "cross-site"), ("origin", OURS)], true),
            (vec![host, ("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:5000")], false),
            (vec![host, ("origin", "http://127.0.0.1:5000")], true),
            (vec![host, ("origin", "http://127.0.0.1:5001")], false),
            (vec![host, ("origin", "https://evil.example")], false),
            (vec![host, ("origin", "null")], false),
            (vec![host, ("origin", "http://evil@127.0.0.1:5000")], false),
            (vec![("origin", "http://127.0.0.1:5000")], false),
            (vec![host, ("origin", OURS)], true),
        ] {
            assert_eq!(request(&headers), allowed, "{headers:?}");
        }
    }
}
