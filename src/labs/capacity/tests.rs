use std::time::Duration;

use super::*;
use crate::auth::{Backend, CredentialKind, Texts, Transport, Upkeep};
use crate::labs::figures::{Spread, Staleness};

fn described(promise: Promise, shared: bool) -> Description {
    Description {
        slug: "some",
        kind: CredentialKind::Session,
        promise,
        backend: Backend::Redis,
        shared,
        signed_with: None,
        upkeep: None,
        max_copies: None,
        transport: Transport { cookie: "id", refresh_cookie: None, bearer: false },
        revokes_single: true,
        lists_logins: true,
        texts: Texts {
            label: "",
            summary: "",
            revocation: String::new(),
            store: "",
            browser_holds: "",
            server_holds: "",
            notice: None,
            devices: "",
            logout: "",
            logout_everywhere: "",
            password_change: "",
            gives_up: "",
        },
    }
}

fn row() -> StrategyFigures {
    StrategyFigures {
        strategy: "some".to_owned(),
        identify_ns: Spread { low: 50_000.0, median: 60_000.0, high: 90_000.0 },
        issue_ns: None,
        revoke_ns: None,
        store_calls: 1.0,
        request_bytes: 22,
        stored_bytes: 330,
        user_bytes: 0,
        miss_ns: None,
        setup: None,
        cpu_ns: Some(20_000.0),
        identify_mean_ns: None,
        staleness_ms: Some(Staleness { p50: 0.0, worst: 0.25, bound: 500.0, shortened_life: None, at_least: false }),
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
    assert!(answer.cores_are == Cores::Measured && !answer.one_node_only);
    assert_eq!((answer.staleness_ms, answer.bound_ms), (Some(0.25), None));
}

#[test]
fn a_push_was_measured_and_a_token_lives_its_life() {
    let push = capacity(&DEMAND, &row(), &described(Promise::Push { bound_ms: 500 }, true));
    assert_eq!((push.staleness_ms, push.bound_ms), (Some(0.25), Some(500.0)));
    let life = u64::try_from(Duration::from_mins(15).as_millis()).expect("small");
    let token = capacity(&DEMAND, &row(), &described(Promise::Expiry { bound_ms: life }, true));
    assert_eq!((token.staleness_ms, token.bound_ms), (Some(900_000.0), None));
}

#[test]
fn without_the_processors_time_the_whole_check_is_an_upper_bound() {
    let without = StrategyFigures { cpu_ns: None, ..row() };
    let answer = capacity(&DEMAND, &without, &described(Promise::Immediate, false));
    assert!(close(answer.cores, 0.06) && answer.cores_are == Cores::AtMost);
    assert!(answer.one_node_only, "four nodes cannot share it");
    let one = Demand { nodes: 1.0, ..DEMAND };
    assert!(!capacity(&one, &without, &described(Promise::Immediate, false)).one_node_only);
}

#[test]
fn what_was_typed_is_read_or_refused_with_a_sentence() {
    let typed = |fields: [&str; 5]| Demand::read(&fields.map(ToOwned::to_owned));
    assert_eq!(typed(["100,000", "2", "1 000", "4", "0.5"]).ok(), Some(DEMAND));
    let said = typed(["", "two", "-1", "1.5", "NaN"]).expect_err("no field is right");
    assert_eq!(said[0].to_string(), "Users: type a whole number from 1 to 10,000,000,000.");
    assert_eq!(said[4].to_string(), "Round trip to the store (ms): type a number from 0 to 100.");
    assert_eq!(said.len(), 5);
    assert!(typed(["1e11", "2", "inf", "4", "0"]).is_err());
}

/// A write at the first request after three minutes.
fn writes() -> Upkeep {
    Upkeep { what: "writes", every_ms: 180_000, by_user: false, calls: 1 }
}

#[test]
fn what_a_users_logins_share_is_stored_once() {
    let shared = StrategyFigures { user_bytes: 130, ..row() };
    let answer = capacity(&DEMAND, &shared, &described(Promise::Immediate, true));
    // 100,000 users of 130 bytes, 200,000 logins of 200.
    assert!(close(answer.stored_bytes, 53_000_000.0), "{answer:?}");
}

#[test]
fn a_login_that_slides_is_written_at_its_first_request_after_a_while() {
    let sliding = Description { upkeep: Some(writes()), ..described(Promise::Immediate, true) };
    let answer = capacity(&DEMAND, &row(), &sliding);
    // Each of 200,000 logins sends a request every 200 s, at random: it is written once in 180 + 200 s.
    assert!(close(answer.upkeep, 200_000.0 / 380.0), "{answer:?}");
    assert!(close(answer.operations, 1000.0 + 200_000.0 / 380.0) && close(answer.wait_ms, answer.operations / 2000.0));
    let by_user = Description { upkeep: Some(Upkeep { by_user: true, calls: 4, ..writes() }), ..sliding };
    // Each of 100,000 users sends a request every 100 s.
    let answer = capacity(&DEMAND, &row(), &by_user);
    assert!(close(answer.operations, 1000.0 + 4.0 * 100_000.0 / 280.0), "{answer:?}");
    let nobody = capacity(&Demand { requests: 0.0, ..DEMAND }, &row(), &by_user);
    assert_eq!((nobody.operations, nobody.wait_ms, nobody.cores), (0.0, 0.0, 0.0));
}

#[test]
fn a_write_evicts_every_copy_and_a_node_has_room_for_some() {
    let copied =
        Description { upkeep: Some(writes()), max_copies: Some(1_000_000), ..described(Promise::Immediate, true) };
    let cached = StrategyFigures { store_calls: 0.0, cpu_ns: Some(300.0), miss_ns: Some(10_300.0), ..row() };
    let answer = capacity(&DEMAND, &cached, &copied);
    // Simulated with the same demand: 52 % of the requests write, 84 % miss.
    assert!((answer.misses - 0.844).abs() < 0.001 && (answer.upkeep / 1000.0 - 0.526).abs() < 0.001, "{answer:?}");
    assert!(close(answer.operations, 1000.0 * answer.misses + answer.upkeep));
    assert!(close(answer.cores, 1000.0 * (300.0 + answer.misses * 10_000.0) / 1e9));
    assert_eq!(answer.cores_are, Cores::AtMost, "a miss waits for the store");
    let mixed = capacity(&DEMAND, &StrategyFigures { store_calls: 0.5, cpu_ns: None, ..cached.clone() }, &copied);
    assert!(close(mixed.operations, answer.operations), "a measurement with another hit rate says the same: {mixed:?}");
    assert_eq!(mixed.cores_are, Cores::AtMost);
    let alone = Demand { nodes: 1.0, requests: 1e6, ..DEMAND };
    let busy = capacity(&alone, &cached, &copied);
    assert!(busy.misses < 0.002, "a busy login nearly always hits: {busy:?}");
    let full = capacity(
        &alone,
        &StrategyFigures { miss_ns: None, ..cached },
        &Description { max_copies: Some(20_000), ..copied },
    );
    assert!(close(full.misses, 0.9), "a node keeps a tenth of the logins: {full:?}");
    assert_eq!(full.cores_are, Cores::AtLeast);
}
