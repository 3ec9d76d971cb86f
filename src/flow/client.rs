//! The client's address, and its browser in a few words.

use std::net::{IpAddr, Ipv4Addr};

use compact_str::ToCompactString as _;
use ipnet::IpNet;
use poem::http::header;
use poem::{Addr, Request};

use crate::identity::ClientOrigin;

/// The proxies whose `X-Forwarded-For` the server trusts.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The client's address: the socket's, unless that is a trusted proxy. Then the last address in `X-Forwarded-For` that
/// is no trusted proxy: whatever the client wrote there itself stands further left.
pub(in crate::flow) fn client_address(request: &Request, proxies: &TrustedProxies) -> IpAddr {
    let socket = match &request.remote_addr().0 {
        Addr::SocketAddr(address) => address.ip().to_canonical(),
        _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    behind(socket, request, proxies)
}

fn behind(socket: IpAddr, request: &Request, proxies: &TrustedProxies) -> IpAddr {
    if !proxies.contains(socket) {
        return socket;
    }
    let lines = request.headers().get_all("x-forwarded-for").into_iter().filter_map(|line| line.to_str().ok());
    let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut client = socket;
    for hop in hops.into_iter().rev() {
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !proxies.contains(client) {
            break;
        }
    }
    client
}

/// What tells the client behind `address` from others: its network, and its browser.
pub(in crate::flow) fn client_origin(request: &Request, address: IpAddr) -> ClientOrigin {
    let network = match address {
        IpAddr::V4(address) => address.to_compact_string(),
        // Within its /64 a client changes its address by itself (RFC 8981).
        IpAddr::V6(address) => std::net::Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_compact_string(),
    };
    let agent = request.headers().get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    ClientOrigin { network, browser: agent.unwrap_or_default().into() }
}

/// The browser and its system by `User-Agent`. A program is its first word.
pub(in crate::flow) fn device_label(request: &Request) -> String {
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
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
        let builder =
            forwarded.iter().fold(Request::builder(), |builder, line| builder.header("x-forwarded-for", *line));
        let proxies = TrustedProxies::new(trusted.iter().map(|network| network.parse().expect("a network")).collect());
        behind(peer.parse().expect("an address"), &builder.finish(), &proxies).to_string()
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
            let request = Request::builder().header("user-agent", agent).finish();
            let ClientOrigin { network, browser } = client_origin(&request, address.parse().expect("an address"));
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
}
