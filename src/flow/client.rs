//! The client's address, and its browser in a few words.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, Once, PoisonError};

use compact_str::ToCompactString as _;
use poem::http::{HeaderMap, HeaderValue};
use poem::{Addr, Request};

use crate::identity::ClientOrigin;
use crate::network::{TrustedProxies, network};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The headers in which a proxy names its client.
const CLIENT_HEADERS: [&str; 3] = [FORWARDED_FOR, "forwarded", "x-real-ip"];

/// The most peers that the log warns of: a client may write these headers, too.
const WARNINGS: usize = 8;

/// The client's address: the socket's, unless that is a trusted proxy. Then the last address in `X-Forwarded-For` that
/// is no trusted proxy: whatever the client wrote there itself stands further left.
pub(in crate::flow) fn client_address(request: &Request, proxies: &TrustedProxies) -> IpAddr {
    let socket = match &request.remote_addr().0 {
        Addr::SocketAddr(address) => address.ip().to_canonical(),
        _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    behind(socket, request.headers(), proxies)
}

fn behind(socket: IpAddr, headers: &HeaderMap, proxies: &TrustedProxies) -> IpAddr {
    let named = CLIENT_HEADERS.iter().any(|name| headers.contains_key(*name));
    if !proxies.contains(socket) {
        if named {
            warn_of_untrusted(socket);
        }
        return socket;
    }
    let lines = headers.get_all(FORWARDED_FOR).into_iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    let hops: Vec<String> = lines.flat_map(|line| line.split(',').map(ToOwned::to_owned).collect::<Vec<_>>()).collect();
    if named && hops.is_empty() {
        warn_of_unreadable(socket);
    }
    let mut client = socket;
    for hop in hops.iter().rev() {
        let Some(address) = hop_address(hop) else {
            warn_of_unreadable(client);
            break;
        };
        client = address;
        if !proxies.contains(client) {
            break;
        }
    }
    client
}

/// What tells the client behind `address` from others: its network, within which it changes its address by itself (RFC
/// 8981), and its browser.
pub(in crate::flow) fn client_origin(user_agent: Option<&HeaderValue>, address: IpAddr) -> ClientOrigin {
    let agent = user_agent.map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    ClientOrigin { network: network(address).to_compact_string(), browser: agent.unwrap_or_default().into() }
}

/// The address of one hop. Some proxies add the port, and put an IPv6 address in brackets (RFC 7239, 6).
fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    let bare = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let address = hop.parse().ok().or_else(bare).or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

/// Warns once for each peer.
fn warn_of_untrusted(peer: IpAddr) {
    static WARNED: Mutex<Vec<IpAddr>> = Mutex::new(Vec::new());
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    if warned.len() < WARNINGS && !warned.contains(&peer) {
        warned.push(peer);
        tracing::warn!(
            %peer,
            "this address sends forwarding headers and is no trusted proxy: all its visitors count as one client. If it \
            is your proxy, set --trusted-proxy {peer}"
        );
    }
}

/// Warns once.
fn warn_of_unreadable(peer: IpAddr) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            %peer,
            "the server cannot read the client's address from this trusted proxy, so all its visitors count as one \
            client. Let the proxy set X-Forwarded-For to addresses, such as 203.0.113.5 or [2001:db8::5]:4711"
        );
    });
}

/// The browser and its system by `User-Agent`. A program is its first word.
pub(in crate::flow) fn device_label(user_agent: Option<&HeaderValue>) -> String {
    let agent = user_agent.and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let first =
        |table: &[(&str, &'static str)]| table.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name);
    // In this order: each browser also claims to be the ones below it.
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ => {
            let program: String = agent.split(['/', ' ']).next().unwrap_or_default().chars().take(32).collect();
            if program.is_empty() { "a program without a name".to_owned() } else { program }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let builder = forwarded.iter().fold(Request::builder(), |builder, line| builder.header(FORWARDED_FOR, *line));
        let proxies = TrustedProxies::new(trusted.iter().map(|network| network.parse().expect("a network")).collect());
        behind(peer.parse().expect("an address"), builder.finish().headers(), &proxies).to_string()
    }

    #[test]
    fn headers_of_trusted_proxies_alone_count() {
        assert_eq!(address("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(address("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(address("10.0.0.1", &["198.51.100.1"], &["10.0.0.0/8"]), "198.51.100.1");
    }

    #[test]
    fn a_client_may_change_its_address_within_its_network() {
        let of = |address: &str, agent: &str| {
            let agent = HeaderValue::from_str(agent).expect("a header");
            let ClientOrigin { network, browser } = client_origin(Some(&agent), address.parse().expect("an address"));
            (network.to_string(), browser.to_string())
        };
        assert_eq!(of("2001:db8:1:2:3::4", "a"), of("2001:db8:1:2:9::9", "a"));
        assert_eq!(of("2001:db8:1:2:3::4", "a"), ("2001:db8:1:2::".to_owned(), "a".to_owned()));
        assert_ne!(of("2001:db8:1:2::4", "a"), of("2001:db8:1:3::4", "a"));
        assert_ne!(of("192.0.2.1", "a"), of("192.0.2.2", "a"));
    }

    #[test]
    fn a_client_cannot_choose_its_address() {
        assert_eq!(address("10.0.0.1", &["1.1.1.1, 198.51.100.1"], &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1", &["1.1.1.1", "198.51.100.1, 10.0.0.2"], &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1", &["1.1.1.1, nonsense"], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn a_hop_may_have_a_port_brackets_and_quotes() {
        for (hop, client) in [
            ("203.0.113.5", "203.0.113.5"),
            ("203.0.113.5:4711", "203.0.113.5"),
            ("\"203.0.113.5:4711\"", "203.0.113.5"),
            ("2001:db8::5", "2001:db8::5"),
            ("[2001:db8::5]", "2001:db8::5"),
            ("[2001:db8::5]:4711", "2001:db8::5"),
            ("\"[2001:db8::5]:4711\"", "2001:db8::5"),
            ("::ffff:203.0.113.5", "203.0.113.5"),
            ("1.1.1.1, 203.0.113.5:4711 , 10.0.0.2:80", "203.0.113.5"),
        ] {
            assert_eq!(address("10.0.0.1", &[hop], &["10.0.0.0/8"]), client, "{hop}");
        }
        for hop in ["unknown", "_hidden", "203.0.113.5:", "203.0.113.5:x", "[203.0.113.5]", "[2001:db8::5", ""] {
            assert_eq!(address("10.0.0.1", &[hop], &["10.0.0.0/8"]), "10.0.0.1", "{hop}");
        }
    }
}
