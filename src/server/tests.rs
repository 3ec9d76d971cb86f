use poem::IntoResponse as _;
use poem::endpoint::make_sync;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::network::TrustedProxies;

/// A server with room for two connections, and for two health checks.
async fn small_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let trusted_proxies = TrustedProxies::default();
    let limits = ConnectionLimits { per_network: 9, total: 2, reserve: 2, trusted_proxies };
    let routes = make_sync(|request| request.uri().path().to_owned().into_response());
    tokio::spawn(serve(listener, routes, limits, Arc::default(), pending()));
    address
}

async fn connect(address: SocketAddr, sent: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).await.expect("a connection");
    client.write_all(sent.as_bytes()).await.expect("the server reads");
    client
}

/// Everything that the server sends until it ends the connection.
async fn answer(address: SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let mut text = String::new();
    connect(address, &request).await.read_to_string(&mut text).await.expect("text");
    text
}

#[tokio::test]
async fn a_full_server_answers_health_checks_and_tells_everybody_else_to_come_back() {
    let address = small_server().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(connect(address, "GET /held HTTP/1.1\r\n").await);
    }
    for _ in 0..5 {
        let health = answer(address, "/healthz").await;
        assert!(health.starts_with("HTTP/1.1 200") && health.ends_with("/healthz"), "{health}");
        let other = answer(address, "/jwt/").await;
        assert!(other.starts_with("HTTP/1.1 503") && other.contains("Retry-After: 1"), "{other}");
        let (_, body) = other.split_once("\r\n\r\n").expect("a body");
        assert!(other.contains(&format!("Content-Length: {}\r\n", body.len())), "{other}");
    }
    for mut held in held {
        held.write_all(b"host: localhost\r\nconnection: close\r\n\r\n").await.expect("the server reads");
        let mut text = String::new();
        held.read_to_string(&mut text).await.expect("text");
        assert!(text.ends_with("/held"), "{text}");
    }
}

#[tokio::test]
async fn the_reserve_serves_no_request_behind_a_health_check_and_waits_a_second_for_one() {
    let address = small_server().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(connect(address, "GET /held HTTP/1.1\r\n").await);
    }
    let both = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\nGET /jwt/ HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut text = String::new();
    connect(address, both).await.read_to_string(&mut text).await.expect("text");
    assert!(text.ends_with("/healthz"), "{text}");
    for _ in 0..2 {
        held.push(connect(address, "G").await);
    }
    // Both places of the reserve are free again after a second, and long before those that hold a usual one.
    let health = answer(address, "/healthz").await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    held[0].write_all(b"host: localhost\r\nconnection: close\r\n\r\n").await.expect("still open");
    let mut text = String::new();
    held[0].read_to_string(&mut text).await.expect("text");
    assert!(text.ends_with("/held"), "{text}");
}
