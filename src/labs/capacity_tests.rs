use std::time::Duration;

use super::*;
use crate::auth::{Carrier, Need};
use crate::labs::figures::{Interval, Staleness};

fn described(promise: Promise, shared: bool) -> Description {
    Description {
        slug: "some",
        label: "",
        summary: "",
        revocation: String::new(),
        promise,
        needs: Need::Redis,
        store: "",
        shared,
        kept_by_user: false,
        carrier: Carrier { cookie: "id", renewal: None, bearer: false },
        browser_holds: "",
        server_holds: "",
        notice: None,
        ends_single: true,
        unknown_logins: None,
        logout: "",
        logout_everywhere: "",
        password_change: "",
        gives_up: "",
    }
}

fn row() -> Row {
    Row {
        strategy: "some".to_owned(),
        identify_ns: Interval { low: 50_000.0, median: 60_000.0, high: 90_000.0 },
        issue_ns: None,
        revoke_ns: None,
        store_calls: 1.0,
        request_bytes: 22,
        stored_bytes: 330,
        cpu_ns: Some(20_000.0),
        identify_mean_ns: None,
        staleness_ms: Some(Staleness { p50: 0.0, worst: 0.25, bound: 500.0, shortened_life: None }),
    }
}

const DEMAND: Demand = Demand { users: 100_000.0, devices: 2.0, requests: 1000.0, nodes: 4.0, round_trip_ms: 0.5 };

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9 * other.abs().max(1.0)
}

#[test]
fn a_session_in_redis_by_hand() {
    let answer = capacity(&DEMAND, &row(), &described(Promise::Immediate, true));
    // 200,000 logins of 330 bytes; 1,000 commands a second; each waits 0.5 ms;
    // 1,000 checks of 20 µs; 22 bytes of 8 bits each.
    for (found, by_hand) in [
        (answer.stored_bytes, 66_000_000.0),
        (answer.operations, 1000.0),
        (answer.wait_ms, 0.5),
        (answer.cores, 0.02),
        (answer.bits, 176_000.0),
    ] {
        assert!(close(found, by_hand), "{found} is not {by_hand}");
    }
    assert!(answer.cores_measured && !answer.one_node_only);
    assert_eq!((answer.staleness_ms, answer.bound_ms), (Some(0.25), None));
}

#[test]
fn a_push_travels_one_way_and_a_token_lives_its_life() {
    let push = capacity(&DEMAND, &row(), &described(Promise::Push { bound_ms: 500 }, true));
    assert_eq!((push.staleness_ms, push.bound_ms), (Some(0.5), Some(500.25)));
    let life = u64::try_from(Duration::from_mins(15).as_millis()).expect("small");
    let token = capacity(&DEMAND, &row(), &described(Promise::Expiry { bound_ms: life }, true));
    assert_eq!((token.staleness_ms, token.bound_ms), (Some(900_000.0), None));
}

#[test]
fn without_the_processors_time_the_whole_check_is_an_upper_bound() {
    let without = Row { cpu_ns: None, ..row() };
    let answer = capacity(&DEMAND, &without, &described(Promise::Immediate, false));
    assert!(close(answer.cores, 0.06) && !answer.cores_measured);
    assert!(answer.one_node_only, "four nodes cannot share it");
    let one = Demand { nodes: 1.0, ..DEMAND };
    assert!(!capacity(&one, &without, &described(Promise::Immediate, false)).one_node_only);
}

#[test]
fn what_was_typed_is_read_or_refused_with_a_sentence() {
    let typed = |fields: [&str; 5]| Demand::read(&fields.map(ToOwned::to_owned));
    assert_eq!(typed(["100,000", "2", "1 000", "4", "0.5"]), Ok(DEMAND));
    let said = typed(["", "two", "-1", "1.5", "NaN"]).expect_err("nothing of it is a number");
    assert_eq!(said[0], "Users: type a whole number from 1 to 10,000,000,000.");
    assert_eq!(said[4], "Round trip to the store (ms): type a number from 0 to 10,000.");
    assert_eq!(said.len(), 5);
    assert!(typed(["1e11", "2", "inf", "4", "0"]).is_err());
}

#[test]
fn numbers_are_shown_as_people_read_them() {
    assert_eq!([0.0, 2.0, 0.02, 12.34, 1_234_567.8].map(grouped), ["0", "2", "0.0200", "12.3", "1,234,568"]);
    assert_eq!([0.0, 999.0, 66e6, 1.5e12].map(bytes), ["0 B", "999 B", "66.0 MB", "1.5 TB"]);
    assert_eq!(bits(176_000.0), "176 kbit/s");
}

#[test]
fn what_is_kept_of_a_user_is_counted_once_and_short_tokens_are_renewed() {
    let by_user = Description { kept_by_user: true, ..described(Promise::Immediate, true) };
    assert!(close(capacity(&DEMAND, &row(), &by_user).stored_bytes, 33_000_000.0), "100,000 users of 330 bytes");
    let mut short = described(Promise::Expiry { bound_ms: 60_000 }, true);
    assert!(close(capacity(&DEMAND, &row(), &short).renewals, 0.0), "who cannot renew logs in again");
    short.carrier.renewal = Some("refresh_token_cookie");
    // Each of 200,000 logins asks every 200 s: it renews once in 60 + 200 s.
    assert!(close(capacity(&DEMAND, &row(), &short).renewals, 200_000.0 / 260.0));
}
