//! The cookies of a mount: sets, explains and removes them.

use cookie::time::Duration as CookieDuration;
use cookie::{Cookie, SameSite};
use poem::Request;
use poem::http::header;
use std::time::Duration;

use crate::trace::{Attribute, CookieSet, Trace, mask};

/// The cookie that names the trace of the POST before this request; see [`super::FlashMessages`].
pub(super) const PREVIOUS: &str = "previous_request";

/// The time from the POST to the next page.
const PREVIOUS_LIFE: Duration = Duration::from_secs(10);

/// The cookie by which the server knows a browser again that has logged in before; see [`crate::account::KnownBrowsers`].
pub(super) const KNOWN_BROWSER: &str = "known_browser";

/// How long a browser stays known after its last login. Browsers keep no cookie for longer than 400 days.
const KNOWN_LIFE: Duration = Duration::from_hours(180 * 24);

/// What a request has under one name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Nothing,
    One(String),
    /// Two or more. A sibling domain, or a page under a longer path, may have set all but one; the browser does not say
    /// which ("cookie tossing"; RFC 6265, 8.6). So none counts.
    Several,
}

impl Sent {
    pub fn of(values: impl IntoIterator<Item = String>) -> Self {
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Nothing,
            (Some(value), None) => Self::One(value),
            (Some(_), Some(_)) => Self::Several,
        }
    }

    pub fn one(self) -> Option<String> {
        if let Self::One(value) = self { Some(value) } else { None }
    }
}

/// The path and the scheme of a mount's cookies.
#[derive(Clone, Copy, Debug)]
pub(super) struct CookieScope<'a> {
    pub path: &'a str,
    /// Whether the browser sees https.
    pub secure: bool,
}

impl CookieScope<'_> {
    /// The name as the browser sees it. With https it has a prefix that no insecure page can set (RFC 6265bis, 4.1.3.1).
    pub fn name(self, name: &str) -> String {
        if self.secure { format!("__Secure-{name}") } else { name.to_owned() }
    }

    /// The cookies of this name.
    pub fn read(self, name: &str, request: &Request) -> Sent {
        let name = self.name(name);
        let lines = request.headers().get_all(header::COOKIE).into_iter();
        // Another program's cookie on this host may hold any bytes.
        let values = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).flat_map(|line| {
            let cookies = Cookie::split_parse(&*line).filter_map(Result::ok);
            let named = cookies.filter(|cookie| cookie.name() == name);
            named.map(|cookie| cookie.value().to_owned()).take(2).collect::<Vec<_>>()
        });
        Sent::of(values)
    }

    /// Returns the `Set-Cookie` line of `value`, and explains it in the trace.
    pub fn set(self, name: &str, value: &str, life: Duration, trace: &Trace) -> String {
        let cookie = self.build(name, value, life);
        trace.cookie(self.explain(&cookie, false));
        cookie.to_string()
    }

    /// Returns the `Set-Cookie` line of a removal. With other attributes the browser would keep the cookie.
    pub fn remove(self, name: &str, trace: &Trace) -> String {
        let mut cookie = self.build(name, "", Duration::ZERO);
        cookie.set_expires(cookie::time::OffsetDateTime::UNIX_EPOCH);
        trace.cookie(self.explain(&cookie, true));
        cookie.to_string()
    }

    /// Returns the `Set-Cookie` line of [`PREVIOUS`]. The trace leaves it out: it is no part of the login.
    pub fn previous(self, value: &str) -> String {
        self.build(PREVIOUS, value, PREVIOUS_LIFE).to_string()
    }

    /// Returns the `Set-Cookie` line of [`KNOWN_BROWSER`]. The trace leaves it out: it is no part of the login.
    pub fn known_browser(self, value: &str) -> String {
        self.build(KNOWN_BROWSER, value, KNOWN_LIFE).to_string()
    }

    fn build<'c>(self, name: &str, value: &'c str, life: Duration) -> Cookie<'c> {
        let seconds = i64::try_from(life.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
        Cookie::build((self.name(name), value))
            .path(self.path.to_owned())
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .max_age(CookieDuration::seconds(seconds))
            .build()
    }

    fn explain(self, cookie: &Cookie<'_>, removal: bool) -> CookieSet {
        let of = |name, value, why| Attribute { name, value, why };
        let seconds = cookie.max_age().map(|life| life.whole_seconds().to_string());
        let age = if removal {
            "Zero: the browser deletes it at once."
        } else {
            "The browser deletes it after this many seconds."
        };
        let mut attributes = vec![
            of("HttpOnly", None, "No script can read it, so cross-site scripting cannot steal it."),
            of("SameSite", Some("Lax".to_owned()), "The browser does not send it with a POST from another site."),
            of("Path", Some(self.path.to_owned()), "The browser sends it to this mount only."),
            of("Max-Age", seconds, age),
        ];
        if self.secure {
            attributes.push(of("Secure", None, "The browser sends it over https only."));
        }
        let value = cookie.value();
        CookieSet { name: cookie.name().to_owned(), masked: mask(value), bytes: value.len(), removal, attributes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_mins(1);

    fn attributes(line: &str) -> Vec<&str> {
        let mut parts: Vec<_> = line
            .split("; ")
            .skip(1)
            .filter(|part| !part.starts_with("Max-Age") && !part.starts_with("Expires"))
            .collect();
        parts.sort_unstable();
        parts
    }

    #[test]
    fn a_removal_has_the_attributes_of_the_cookie() {
        for secure in [false, true] {
            let scope = CookieScope { path: "/jwt", secure };
            let set = scope.set("id", "abc", LIFE, &Trace::off());
            let removal = scope.remove("id", &Trace::off());
            assert_eq!(attributes(&set), attributes(&removal));
            assert!(removal.contains("Max-Age=0") && removal.contains("Expires=Thu, 01 Jan 1970"), "{removal}");
        }
    }

    #[test]
    fn two_cookies_of_one_name_are_several_wherever_they_stand() {
        let scope = CookieScope { path: "/jwt", secure: false };
        let read = |lines: &[&str]| {
            let request = lines.iter().fold(Request::builder(), |request, line| request.header("cookie", *line));
            scope.read("id", &request.finish())
        };
        assert_eq!(read(&[]), Sent::Nothing);
        assert_eq!(read(&["id2=x; xid=y", "=id"]), Sent::Nothing);
        for one in [&["id=a"][..], &["x=1; id=a; y=2"], &["x=1", "id=a"]] {
            assert_eq!(read(one), Sent::One("a".to_owned()), "{one:?}");
        }
        for several in [&["id=a; id=b"][..], &["id=a; id=a"], &["id=a; x=1; id="], &["id=a", "x=1", "id=b"]] {
            assert_eq!(read(several), Sent::Several, "{several:?}");
        }
    }

    #[test]
    fn https_adds_secure_and_the_prefix() {
        let line = CookieScope { path: "/jwt", secure: true }.set("id", "abc", LIFE, &Trace::off());
        assert_eq!(line, "__Secure-id=abc; HttpOnly; SameSite=Lax; Secure; Path=/jwt; Max-Age=60");
        let line = CookieScope { path: "/jwt", secure: false }.set("id", "abc", LIFE, &Trace::off());
        assert_eq!(line, "id=abc; HttpOnly; SameSite=Lax; Path=/jwt; Max-Age=60");
    }
}
