//! How the server stops: it finishes requests under way, ends the private Redis, and no client delays it for long.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::program::{Program, private_redis, runs};
use crate::common::wire::Wire;
use crate::common::{DEMO_PASSWORD, bare_client, folder, until};

/// Starts a server with a private Redis.
async fn start() -> (Program, u32) {
    let server = Program::start_in(folder(), &[]).await;
    let redis = private_redis(server.id()).expect("a private Redis");
    (server, redis)
}

/// A login request whose form is not complete yet.
struct HalfSentLogin {
    wire: Wire,
    mount: &'static str,
    rest: String,
}

impl HalfSentLogin {
    async fn begin(server: &Program, mount: &'static str) -> Self {
        let mut wire = Wire::open(server.address).await;
        let body = format!("username=alice&password={DEMO_PASSWORD}");
        let (first, second) = body.split_at(20);
        let kind = "content-type: application/x-www-form-urlencoded\r\nexpect: 100-continue";
        let length = body.len();
        wire.send(format!(
            "POST {mount}/login HTTP/1.1\r\nhost: localhost\r\n{kind}\r\ncontent-length: {length}\r\n\r\n"
        ))
        .await;
        assert_eq!(wire.reply().await.status, 100, "the request is under way");
        wire.send(first).await;
        Self { wire, mount, rest: second.to_owned() }
    }

    async fn finish(mut self) {
        self.wire.send(&self.rest).await;
        let reply = self.wire.reply().await;
        assert_eq!((reply.status, reply.header("location")), (303, Some(format!("{}/profile", self.mount).as_str())));
    }
}

#[tokio::test]
async fn a_login_under_way_is_finished_before_the_server_stops() {
    for signal in ["-TERM", "-INT"] {
        for mount in ["/jwt", "/session"] {
            let (mut server, redis) = start().await;
            let login = HalfSentLogin::begin(&server, mount).await;
            server.signal(signal);
            until("no other client can connect", async || TcpStream::connect(server.address).await.is_err()).await;
            login.finish().await;
            assert_eq!(server.ended().await, Some(0), "{signal}: {}", server.log());
            assert!(!runs(redis), "{signal}: Redis outlives its server");
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_request_does_not_keep_the_server_running() {
    let (mut server, redis) = start().await;
    let mut half = Wire::open(server.address).await;
    half.send("GET /jwt/profile HTTP/1.1\r\nho").await;
    let mut halfway = Wire::open(server.address).await;
    halfway
        .send("POST /jwt/login HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 99\r\n\r\n")
        .await;
    assert_eq!(halfway.reply().await.status, 100);
    let mut idle = Wire::open(server.address).await;
    assert_eq!(idle.get("/healthz", "").await.status, 200);
    server.signal("-TERM");
    assert_eq!(server.ended().await, Some(0), "{}", server.log());
    assert!(!runs(redis));
}

/// The requests that a client sent and got no answer to. It keeps its connection until an answer says that it ends, then
/// opens another one, until the port is closed.
async fn lost_by_a_client(address: SocketAddr, request: String, answered: Arc<AtomicUsize>) -> usize {
    let mut lost = 0;
    while let Ok(socket) = TcpStream::connect(address).await {
        let mut wire = Wire::over(socket);
        loop {
            let sent = wire.try_send(&request).await.is_ok();
            let Some(reply) = (if sent { wire.reply_or_end().await } else { None }) else {
                lost += 1;
                break;
            };
            assert!([200, 303].contains(&reply.status), "{reply:?}");
            answered.fetch_add(1, Ordering::Relaxed);
            if reply.header("connection") == Some("close") {
                break;
            }
        }
    }
    lost
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_on_connections_that_clients_keep() {
    let mut server = Program::start(&[]).await;
    let form = format!("username=alice&password={DEMO_PASSWORD}");
    let head = "POST /session/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded";
    let login = format!("{head}\r\ncontent-length: {}\r\n\r\n{form}", form.len());
    let (mut clients, answered) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
    for number in 0..16 {
        let page = "GET /session/ HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned();
        let request = if number < 2 { login.clone() } else { page };
        clients.spawn(lost_by_a_client(server.address, request, answered.clone()));
    }
    until("every client is under way", async || answered.load(Ordering::Relaxed) > 500).await;
    server.signal("-TERM");
    let lost: usize = clients.join_all().await.into_iter().sum();
    println!("{} answered, {lost} lost", answered.load(Ordering::Relaxed));
    assert_eq!(lost, 0);
    assert_eq!(server.ended().await, Some(0), "{}", server.log());
}

/// A load balancer reads it, and sends its requests to another node.
#[tokio::test]
async fn readyz_says_that_the_node_stops_before_the_port_is_closed() {
    let (mut server, _) = start().await;
    // Without a connection there is nobody to tell, and the port is closed at once.
    let login = HalfSentLogin::begin(&server, "/jwt").await;
    server.signal("-TERM");
    let mut reply = None;
    until("/readyz says so", async || {
        let mut wire = Wire::open(server.address).await;
        reply = Some(wire.get("/readyz", "").await).filter(|reply| reply.status == 503);
        reply.is_some()
    })
    .await;
    let reply = reply.expect("an answer");
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(reply.body.contains("This node stops."), "{}", reply.body);
    login.finish().await;
    assert_eq!(server.ended().await, Some(0), "{}", server.log());
}

#[tokio::test]
async fn an_idle_connection_ends_before_the_requests_under_way() {
    let (mut server, _) = start().await;
    let mut idle = Wire::open(server.address).await;
    assert_eq!(idle.get("/healthz", "").await.status, 200);
    let login = HalfSentLogin::begin(&server, "/jwt").await;
    server.signal("-TERM");
    assert!(idle.reply_or_end().await.is_none(), "the connection is closed");
    // The connection was closed before the server had finished the requests under way.
    login.finish().await;
    assert_eq!(server.ended().await, Some(0), "{}", server.log());
}

/// An open page listens on an endless stream until its login is revoked or expires.
#[tokio::test]
async fn an_open_page_does_not_delay_the_stop() {
    let (mut server, _) = start().await;
    let (_, cookie) = server.log_in("/session", "alice", DEMO_PASSWORD).await;
    let request = bare_client().get(server.url("/session/events")).header("cookie", cookie.expect("a credential"));
    let mut events = request.send().await.expect("a stream");
    assert_eq!(events.status(), 200);
    server.signal("-TERM");
    assert_eq!(events.chunk().await.expect("a clean end"), None, "the login is still open");
    assert_eq!(server.ended().await, Some(0), "{}", server.log());
}

#[tokio::test]
async fn the_private_redis_of_a_killed_server_ends() {
    let (mut server, redis) = start().await;
    let folder = std::fs::read_link(format!("/proc/{redis}/cwd")).expect("where Redis runs");
    assert!(runs(redis) && folder.join("redis.sock").exists());
    server.signal("-KILL");
    assert_eq!(server.ended().await, None, "by the signal");
    until("Redis has ended", async || !runs(redis)).await;
    until("its folder is deleted", async || !folder.exists()).await;
}
