//! Sends ten thousand altered tokens and ten thousand altered ids over TCP. The server refuses each with 401.

use std::collections::BTreeMap;

use jwt_vs_session::auth::Description;
use tokio::task::JoinSet;

use super::server::{TestServer, base};
use crate::common::wire::Wire;

const EACH: usize = 10_000;
const CONNECTIONS: usize = 4;
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const HEADERS: [&str; 5] = [
    "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJub25lIn0",
    "eyJhbGciOiJub25lIn0",
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9",
    "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzM4NCJ9",
    "e30",
];

#[tokio::test]
async fn ten_thousand_altered_tokens_are_refused() {
    assert_all_refused(true).await;
}

#[tokio::test]
async fn ten_thousand_altered_ids_are_refused() {
    assert_all_refused(false).await;
}

async fn assert_all_refused(bearer: bool) {
    let server = TestServer::start().await;
    let mounts: Vec<_> = server.mounts().iter().filter(|mount| mount.transport.bearer == bearer).collect();
    let mut statuses = BTreeMap::new();
    for mount in &mounts {
        let valid = [server.client(mount).demo_login("alice").await, server.client(mount).demo_login("bob").await];
        let mut senders = JoinSet::new();
        for seed in 0..CONNECTIONS {
            let wire = Wire::open(server.app.address).await;
            let count = EACH.div_ceil(mounts.len() * CONNECTIONS);
            senders.spawn(send(wire, (*mount).clone(), valid.clone(), seed as u64, count));
        }
        for (status, count) in senders.join_all().await.into_iter().flatten() {
            *statuses.entry(status).or_insert(0) += count;
        }
        assert!(server.accepts(mount, &valid[0]).await, "{}: the real credential is refused", mount.slug);
    }
    println!("{} altered credentials, bearer {bearer}: {statuses:?}", statuses.values().sum::<usize>());
    assert_eq!(statuses.keys().collect::<Vec<_>>(), [&401], "{statuses:?}");
    assert!(statuses[&401] >= EACH);
}

/// Sends altered credentials one after the other. Returns how often each status came back.
async fn send(mut wire: Wire, mount: Description, valid: [String; 2], seed: u64, count: usize) -> BTreeMap<u16, usize> {
    let [mine, other] = valid.each_ref().map(|cookie| cookie.split_once('=').expect("a pair").1);
    let (mut dice, mut statuses) = (Dice(seed), BTreeMap::new());
    let path = format!("{}/api/me", base(&mount));
    for number in 0..count {
        let mut altered = dice.change(mine, other);
        while altered == mine || altered == other {
            altered = dice.change(mine, other);
        }
        let header = if mount.transport.bearer && number % 2 == 0 {
            format!("authorization: Bearer {altered}")
        } else {
            format!("cookie: {}={altered}", mount.transport.cookie)
        };
        wire.send(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{header}\r\n\r\n")).await;
        let status = wire.reply().await.status;
        assert_ne!(status, 200, "{} accepted {header}; the real one is {mine}", mount.slug);
        *statuses.entry(status).or_insert(0) += 1;
    }
    statuses
}

/// SplitMix64: the same numbers in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % limit as u64).expect("small")
    }

    /// Alters a credential in one of nine ways.
    fn change(&mut self, mine: &str, other: &str) -> String {
        let mut text = mine.as_bytes().to_vec();
        let place = self.below(text.len());
        match self.below(9) {
            0 => text[place] = LETTERS[self.below(LETTERS.len())],
            1 => text[place] = b'!' + u8::try_from(self.below(90)).expect("a byte"),
            2 => drop(text.remove(place)),
            3 => text.insert(place, LETTERS[self.below(LETTERS.len())]),
            4 => text.truncate(place),
            5 => text.extend_from_within(place..),
            6 => text.swap(place, self.below(mine.len())),
            7 => text.splice(place.., other.bytes().skip(place)).for_each(drop),
            _ => return self.recompose(mine, other),
        }
        // These characters end a cookie, or the parser trims them.
        text.retain(|byte| !b"; ,\"\\".contains(byte));
        String::from_utf8(text).expect("ASCII")
    }

    /// Joins parts of two credentials, or replaces the header.
    fn recompose(&mut self, mine: &str, other: &str) -> String {
        let (mine, other): (Vec<_>, Vec<_>) = (mine.split('.').collect(), other.split('.').collect());
        let mut parts: Vec<_> = mine.iter().zip(&other).map(|pair| *[pair.0, pair.1][self.below(2)]).collect();
        match self.below(4) {
            0 => parts[0] = HEADERS[self.below(HEADERS.len())],
            1 => parts.reverse(),
            2 => *parts.last_mut().expect("a part") = "",
            _ => {}
        }
        parts.join(".")
    }
}
