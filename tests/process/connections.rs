//! What an attacker does with many connections: one network cannot keep the others out.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpSocket, TcpStream};

use super::program::Program;
use crate::common::wire::Wire;
use crate::common::{DEMO_PASSWORD, until, until_within};

/// Without a limit for each network two of them would have every connection of the server.
const MANY: usize = 384;

/// The limit that the README names.
const PER_NETWORK: usize = 64;

/// A connection from 127.0.0.`host`: on Linux the whole of 127.0.0.0/8 is this machine.
async fn connect(server: &Program, host: u8) -> Wire {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), 0))).expect("an address of loopback");
    Wire::over(socket.connect(server.address).await.expect("a connection"))
}

/// Opens connections, and begins a request on each.
async fn hold(server: &Program, host: u8, count: usize) -> Vec<Wire> {
    let mut held = Vec::new();
    for _ in 0..count {
        let mut wire = connect(server, host).await;
        // The server may have refused it.
        let _ = wire.try_send("GET /healthz HTTP/1.1\r\nhost: localhost\r\n").await;
        held.push(wire);
    }
    held
}

/// Completes each request that was held. Returns how many are answered.
async fn answered(held: Vec<Wire>) -> usize {
    let mut count = 0;
    for mut wire in held {
        let sent = wire.try_send("\r\n").await.is_ok();
        count += usize::from(sent && wire.reply_or_end().await.is_some_and(|reply| reply.status == 200));
    }
    count
}

#[tokio::test]
async fn two_networks_with_all_connections_that_they_can_get_do_not_keep_a_third_one_out() {
    let server = Program::start(&[]).await;
    let (first, second) = (hold(&server, 2, MANY).await, hold(&server, 3, MANY).await);
    let begun = Instant::now();
    let mut third = connect(&server, 4).await;
    assert_eq!(third.get("/healthz", "").await.status, 200);
    let healthy = begun.elapsed();
    let form = format!("username=alice&password={DEMO_PASSWORD}");
    let head = "POST /session/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded";
    third.send(format!("{head}\r\ncontent-length: {}\r\n\r\n{form}", form.len())).await;
    assert_eq!(third.reply().await.status, 303);
    println!("a third network: /healthz after {healthy:?}, a login after {:?}", begun.elapsed());
    // Both still held them: the third one waited for none of them to end.
    assert_eq!([answered(first).await, answered(second).await], [PER_NETWORK; 2]);
}

#[tokio::test]
async fn idle_connections_make_room_for_new_ones_of_their_network() {
    let server = Program::start(&["--connections-per-network", "4"]).await;
    let mut idle = Vec::new();
    for _ in 0..12 {
        let mut wire = connect(&server, 2).await;
        assert_eq!(wire.get("/healthz", "").await.status, 200);
        idle.push(wire);
    }
    // The oldest went first.
    for wire in idle.drain(..8) {
        assert!(ended(wire).await);
    }
    for mut wire in idle {
        assert_eq!(wire.get("/healthz", "").await.status, 200);
    }
}

async fn ended(mut wire: Wire) -> bool {
    wire.reply_or_end().await.is_none()
}

#[tokio::test]
async fn a_trusted_proxy_may_have_more_connections_than_a_network() {
    let server = Program::start(&["--trusted-proxy", "127.0.0.5"]).await;
    let held = hold(&server, 5, 2 * PER_NETWORK).await;
    assert_eq!(answered(held).await, 2 * PER_NETWORK);
}

/// Connections that send nothing count as idle after a second: they have no request to lose. After 15 seconds they end
/// anyway.
#[tokio::test]
async fn connections_that_send_nothing_do_not_keep_their_own_network_out() {
    let server = Program::start(&[]).await;
    let mut silent = Vec::new();
    for _ in 0..2 * PER_NETWORK {
        silent.push(TcpStream::connect(server.address).await.expect("a connection"));
    }
    until_within(Duration::from_secs(10), "there is a place", async || {
        let mut wire = Wire::open(server.address).await;
        let sent = wire.try_send("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.is_ok();
        sent && wire.reply_or_end().await.is_some_and(|reply| reply.status == 200)
    })
    .await;
}

/// The answer to a stream has no end, so its connection must not live on when it has to make room. Nor when there is the
/// beginning of a further request, which the server reads only after the answer.
#[tokio::test]
async fn event_streams_make_room_for_new_ones_of_their_network() {
    for behind in ["", "GET /healthz HTTP/1.1\r\n"] {
        let server = Program::start(&["--connections-per-network", "4"]).await;
        let (_, cookie) = server.log_in("/session", "alice", DEMO_PASSWORD).await;
        let cookie = cookie.expect("a credential");
        let mut streams = Vec::new();
        for _ in 0..12 {
            let request =
                format!("GET /session/events HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n{behind}");
            // The one before counts as idle when it has been answered.
            until("there is a place", async || {
                let mut wire = connect(&server, 2).await;
                let sent = wire.try_send(&request).await.is_ok();
                let reply = if sent { wire.reply_or_end().await } else { None };
                let is_open = reply.is_some_and(|reply| reply.status == 200);
                if is_open {
                    streams.push(wire);
                }
                is_open
            })
            .await;
        }
        // Which ones, depends on the last byte that the server wrote to each.
        let mut open: FuturesUnordered<_> = streams.into_iter().map(Wire::ended).collect();
        for _ in 0..8 {
            open.next().await.expect("a stream that ends");
        }
        assert_eq!(open.len(), 4);
        assert_eq!(connect(&server, 3).await.get("/healthz", "").await.status, 200);
    }
}
