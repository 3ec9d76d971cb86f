//! Nobody locks somebody else out, and nobody guesses a password: the limits of log ins, attacked from many addresses.

use std::time::Duration;

use futures_util::future::join_all;

use super::client::{Answer, MountClient, answer};
use super::server::{PASSWORD, TestServer};
use crate::common::postgres_database;

/// The default rate; the test names the address of each request. A server with demo users refuses such names.
pub const LIMITED: [&str; 5] = ["--login-rate", "30/m", "--trusted-proxy", "127.0.0.1", "--no-demo"];

const ATTACKER: &str = "203.0.113.66";

/// A browser of the session mount at this address, without any cookie.
pub struct Browser {
    pub client: MountClient,
    address: String,
}

impl Browser {
    pub fn at(server: &TestServer, address: impl Into<String>) -> Self {
        Self { client: server.client(&server.title_pair()[1]), address: address.into() }
    }

    /// The number decides the network.
    pub fn fresh(server: &TestServer, number: usize) -> Self {
        Self::at(server, format!("198.51.{}.{}", number / 250, number % 250))
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        answer(self.client.post_request(path).form(form).header("x-forwarded-for", &self.address)).await
    }

    pub async fn log_in(&self, user: &str, password: &str) -> Answer {
        self.post("/login", &[("username", user), ("password", password)]).await
    }

    pub async fn guess(&self, user: &str) -> Answer {
        self.log_in(user, "a wrong password").await
    }
}

/// When the answer says to come back.
pub fn pause(reply: &Answer) -> Duration {
    assert_eq!(reply.status, 429, "{}", reply.body);
    let seconds = reply.header("retry-after").and_then(|value| value.parse().ok());
    Duration::from_secs(seconds.expect("when to come back"))
}

/// A server with the users alice and bob.
pub async fn limited() -> TestServer {
    with_users(&LIMITED).await
}

async fn with_users(options: &[&str]) -> TestServer {
    let server = TestServer::with(options).await;
    for user in ["alice", "bob"] {
        let form = [("username", user), ("password", PASSWORD)];
        assert_eq!(Browser::at(&server, "192.0.2.250").post("/register", &form).await.status, 303);
    }
    server
}

async fn both(options: &[&str]) -> [TestServer; 2] {
    let url = postgres_database().await;
    let on_postgres = [&["--database-url", &url], options].concat();
    [with_users(options).await, with_users(&on_postgres).await]
}

#[tokio::test]
async fn registrations_by_a_stranger_lock_nobody_out() {
    for server in both(&LIMITED).await {
        let attacker = Browser::at(&server, ATTACKER);
        let mut refused = 0;
        for number in 0..60 {
            for _ in 0..3 {
                attacker.post("/register", &[("username", "alice"), ("password", "x")]).await;
            }
            let login = Browser::fresh(&server, number).log_in("alice", PASSWORD).await;
            refused += usize::from(login.status != 303);
        }
        assert_eq!(refused, 0, "of 60 correct log ins");
    }
}

#[tokio::test]
async fn sixty_people_behind_one_address_log_in_within_a_minute() {
    for server in both(&LIMITED).await {
        let mut statuses = Vec::new();
        for _ in 0..60 {
            statuses.push(Browser::at(&server, "192.0.2.7").log_in("alice", PASSWORD).await.status);
        }
        assert_eq!(statuses, [303; 60]);
    }
}

#[tokio::test]
async fn correct_log_ins_at_one_moment_are_no_guesses() {
    for server in both(&LIMITED).await {
        let logins = (0..30).map(|number| {
            let browser = Browser::fresh(&server, number % 2);
            async move { browser.log_in("alice", PASSWORD).await.status }
        });
        let statuses = join_all(logins).await;
        // On a slow machine some wait in vain for a free slot.
        assert!(statuses.iter().all(|status| matches!(status, 303 | 503)), "{statuses:?}");
        assert!(statuses.contains(&303), "{statuses:?}");
    }
}

/// Days of patience: after every refusal the attacker waits exactly as long as the server says.
#[tokio::test]
async fn guesses_from_one_network_delay_nobody_else() {
    let limited = ["--login-rate", "300/m", "--trusted-proxy", "127.0.0.1", "--no-demo"];
    for server in both(&limited).await {
        let mut guessed = 0;
        for number in 0..200 {
            // All of one /64.
            let reply = Browser::at(&server, format!("2001:db8:6:6::{number:x}")).guess("alice").await;
            match reply.status {
                401 => guessed += 1,
                _ if pause(&reply) > Duration::from_hours(1) => break,
                _ => server.app.clock.advance(pause(&reply)),
            }
        }
        assert_eq!(guessed, 20, "guesses from one network");
        assert_eq!(Browser::at(&server, "2001:db8:6:7::1").log_in("alice", PASSWORD).await.status, 303);
    }
}

#[tokio::test]
async fn guesses_from_many_networks_wait_longer_and_longer_and_end_at_a_hundred() {
    for server in both(&LIMITED).await {
        let known = Browser::at(&server, "192.0.2.1");
        assert_eq!(known.log_in("alice", PASSWORD).await.status, 303);
        let (mut guessed, mut pauses) = (0, Vec::new());
        let end = loop {
            let reply = Browser::fresh(&server, guessed + pauses.len()).guess("alice").await;
            match reply.status {
                401 => guessed += 1,
                _ if pause(&reply) > Duration::from_hours(2) => break reply,
                _ => {
                    server.app.clock.advance(pause(&reply));
                    pauses.push(pause(&reply).as_secs());
                }
            }
            assert!(guessed <= 100, "NIST SP 800-63B-4, 3.2.2: at most 100 failures in a row");
        };
        assert_eq!(guessed, 100);
        assert_eq!(pauses[..8], [30, 60, 120, 240, 480, 960, 1920, 3600]);
        assert!(pauses[8..].iter().all(|pause| *pause == 3600), "{pauses:?}");
        assert!(end.body.contains("only browsers that have logged in to it before"), "{}", end.body);
        // The right password of a stranger's browser gets the same answer.
        assert_eq!(pause(&Browser::fresh(&server, 999).log_in("alice", PASSWORD).await), pause(&end));
        assert_eq!(known.log_in("alice", PASSWORD).await.status, 303, "a browser that logged in before");
        assert_eq!(Browser::fresh(&server, 999).log_in("alice", PASSWORD).await.status, 303, "and ended it");
    }
}

#[tokio::test]
async fn of_guesses_at_one_moment_no_more_are_checked_than_of_guesses_in_turn() {
    for server in both(&LIMITED).await {
        // One network, the account of one user. Then many networks.
        for (user, networks, most) in [("alice", 1, 11), ("bob", 60, 21)] {
            let guesses = (0..60).map(|number| {
                let browser = Browser::fresh(&server, 300 + number % networks);
                async move { browser.guess(user).await.status }
            });
            let statuses = join_all(guesses).await;
            let checked = statuses.iter().filter(|status| **status == 401).count();
            assert!((1..=most).contains(&checked), "{checked} of 60 guesses for {user} were checked");
        }
    }
}
