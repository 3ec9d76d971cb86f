//! Whether strangers can reach the server, and what the terminal then says.

use std::net::SocketAddr;

use crate::config::Settings;
use crate::network::is_loopback;

/// Whether only this machine can reach the server, as far as the settings tell.
pub(super) fn is_local(settings: &Settings, address: SocketAddr) -> bool {
    address.ip().is_loopback()
        && settings.public_url.as_ref().is_none_or(|url| url.host().is_some_and(|host| is_loopback(&host)))
}

/// Warns when others can reach the server and nothing says that they come by https (OWASP ASVS 5.0, 12.2.1).
pub(super) fn warn_of_cleartext(settings: &Settings, address: SocketAddr, public_url: &str) {
    if !is_local(settings, address) && !public_url.starts_with("https://") {
        tracing::warn!(
            "NO HTTPS: passwords and cookies cross the network in clear text, and anybody on the way can read them. Put a \
             proxy with a certificate in front, and start with --public-url https://HOST"
        );
    }
}
