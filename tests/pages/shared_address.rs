//! Many people behind one address: those who log in at the same moment are no attack, and an attacker among them gains
//! nothing.

use futures_util::future::join_all;

use super::lockout::{Browser, LIMITED};
use super::server::{PASSWORD, TestServer};

const ADDRESS: &str = "203.0.113.80";

/// Twice the number of failures that one network may make in a minute.
const PEOPLE: usize = 60;

const LIMIT: usize = 30;

fn user(number: usize) -> String {
    format!("person-{number}")
}

async fn with_people() -> TestServer {
    let server = TestServer::with(&LIMITED).await;
    for number in 0..PEOPLE {
        let form = [("username", user(number)), ("password", PASSWORD.to_owned())];
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(Browser::fresh(&server, number).post("/register", &form).await.status, 303);
    }
    server
}

/// Everybody logs in at one moment, from one address. Returns the statuses.
async fn at_once(server: &TestServer, password: &str) -> Vec<u16> {
    let tries = (0..PEOPLE).map(|number| {
        let browser = Browser::at(server, ADDRESS);
        async move { browser.log_in(&user(number), password).await.status }
    });
    join_all(tries).await
}

fn count(statuses: &[u16], status: u16) -> usize {
    statuses.iter().filter(|known| **known == status).count()
}

#[tokio::test]
async fn people_behind_one_address_log_in_at_one_moment() {
    let server = with_people().await;
    for _ in 0..2 {
        let statuses = at_once(&server, PASSWORD).await;
        // On a slow machine some wait in vain for a free slot.
        assert_eq!(count(&statuses, 303) + count(&statuses, 503), PEOPLE, "{statuses:?}");
        assert!(statuses.contains(&303), "{statuses:?}");
    }
}

#[tokio::test]
async fn wrong_passwords_of_one_address_at_one_moment_are_checked_up_to_the_limit() {
    let server = with_people().await;
    let statuses = at_once(&server, "a wrong password").await;
    let checked = count(&statuses, 401);
    assert!((1..=LIMIT).contains(&checked), "{checked} of {PEOPLE} were checked: {statuses:?}");
    assert_eq!(checked + count(&statuses, 429) + count(&statuses, 503), PEOPLE, "{statuses:?}");
    // Both rounds together stay within the limit.
    let next = at_once(&server, "a wrong password").await;
    let both = checked + count(&next, 401);
    assert!(both <= LIMIT, "{both} were checked, at most {LIMIT}");
}
