//! Two hundred logins at once: the server answers each, answers other requests meanwhile, and bounds its memory.

use std::time::{Duration, Instant};

use jwt_vs_session::account::Hasher;
use tokio::task::JoinSet;

use super::program::Program;
use crate::common::wire::Wire;
use crate::common::{DEMO_PASSWORD, bare_client};

const LOGINS: usize = 200;

/// The memory of one argon2id hash.
const HASH_KIB: usize = 19 * 1024;

/// Connections, threads and what the allocator keeps.
const SLACK_KIB: usize = 32 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_logins_at_once_are_answered_and_memory_stays_bounded() {
    let server = Program::start(&["--connections-per-network", "768"]).await;
    assert_eq!(server.log_in("/jwt", "alice", DEMO_PASSWORD).await.0, 303);
    let before = peak_kib(server.id());
    let slowest = flood(&server).await;
    let grown = peak_kib(server.id()).saturating_sub(before);
    // Printed and not judged: how busy the machine is decides, too.
    println!("memory grew by {grown} KiB; /healthz took {slowest:?} at most");
    assert!(grown <= Hasher::default_slots() * HASH_KIB + SLACK_KIB, "memory grew by {grown} KiB");
}

/// The longest that another request took meanwhile.
async fn flood(server: &Program) -> Duration {
    let (mut logins, client) = (JoinSet::new(), bare_client());
    for _ in 0..LOGINS {
        let form = [("username", "alice"), ("password", DEMO_PASSWORD)];
        let request = client.post(server.url("/jwt/login")).form(&form);
        logins.spawn(async move {
            let reply = request.send().await.expect("an answer");
            (reply.status().as_u16(), reply.headers().contains_key("retry-after"))
        });
    }
    let mut wire = Wire::open(server.address).await;
    let (mut replies, mut slowest, mut probes) = (Vec::new(), Duration::ZERO, 0);
    while replies.len() < LOGINS {
        let begun = Instant::now();
        assert_eq!(wire.get("/healthz", "").await.status, 200);
        slowest = slowest.max(begun.elapsed());
        probes += 1;
        while let Some(reply) = logins.try_join_next() {
            replies.push(reply.expect("an answer"));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let opened = replies.iter().filter(|reply| reply.0 == 303).count();
    let turned_away = replies.iter().filter(|reply| **reply == (503, true)).count();
    println!("{opened} opened, {turned_away} turned away; /healthz {probes} times, {slowest:?} at most");
    assert_eq!(opened + turned_away, LOGINS, "{replies:?}");
    assert!(opened > 0, "no login was opened");
    slowest
}

/// The most memory that a process ever had, in KiB.
fn peak_kib(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
