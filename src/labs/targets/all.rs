//! The targets themselves.

use super::{Limit, Target};

/// All of them.
pub const TARGETS: [Target; 20] = [
    times("jwt against its floor", "lookup/jwt", "floor/jwt", 1.3).but(
        "The floor is given the decoded signature and the place of each part, and owns nothing of what it reads. The \
         check also decodes the signature, compares the header, reads the user's UUID, looks at the clock and at seven \
         claims, and hands on a name and a login of its own.",
    ),
    times("session against a bare GET", "lookup/session", "floor/redis-get", 1.1).but(
        "Beside the GET: the SHA-256 of the id, the record's JSON, its limits, and the connection that is not used \
         before a recovery. On one core nothing of that is hidden behind the wait.",
    ),
    times("session against a bare GET, over TCP", "lookup/session-tcp", "floor/redis-get-tcp", 1.1).but("As above."),
    times("session, 64 at once, against bare GETs", "lookup/session/64", "floor/redis-get/64", 1.1).but(
        "The GETs in flight share their system calls, which are most of one alone. What a session does beyond the GET \
         stays as much for each.",
    ),
    calls("session, commands to Redis for a check", "session", 1.0),
    bytes("session, Redis' memory for a login", "session", 350.0).but(
        "The growth of used_memory when each user has one login: some 340 B for the record with its key and \
         expiry, some 200 B for the user's index, which further logins share.",
    ),
    times("session-sql against a bare SELECT", "lookup/session-sql", "floor/sql-select", 1.5),
    times("session-sql, 64 at once, against bare SELECTs", "lookup/session-sql/64", "floor/sql-select/64", 1.5),
    times("session-tracked, hit, against jwt", "lookup/session-tracked", "lookup/jwt", 1.0),
    below("session-tracked, hit", "lookup/session-tracked", 500.0),
    more("jwt-pushed, a million revoked, against jwt", "scale/jwt-pushed/1000000", "lookup/jwt", 150.0).but(
        "One question to a table of 100 MB is one line of memory that is in no cache, and the proof that the channel is \
         fresh takes a reading of the clock.",
    ),
    times("session, a thousand to a million", "scale/session/1000000", "scale/session/1000", 1.15).but(REDIS_TABLES),
    times("jwt-blocklist, a thousand to a million", "scale/jwt-blocklist/1000000", "scale/jwt-blocklist/1000", 1.15)
        .but(REDIS_TABLES),
    times("session-sql, a thousand to a million", "scale/session-sql/1000000", "scale/session-sql/1000", 2.5),
    times("session-memory, a thousand to a million", "scale/session-memory/1000000", "scale/session-memory/1000", 10.0),
    times(
        "session-tracked hits, a thousand to a million",
        "scale/session-tracked/1000000",
        "scale/session-tracked/1000",
        10.0,
    ),
    times("jwt-pushed, a thousand to a million", "scale/jwt-pushed/1000000", "scale/jwt-pushed/1000", 10.0),
    below("a whole profile page (5.7 KB) under jwt", "request/jwt", 13_000.0).but(PAGE),
    below("a whole profile page (5.8 KB) under session", "request/session", 18_000.0).but(
        "As above, and the GET: half of the time is rendering, a third and more is finding out who asks, Redis' work \
         included.",
    ),
    below("a whole profile page (6 KB) under session-tracked", "request/session-tracked", 13_000.0).but(PAGE),
];

const REDIS_TABLES: &str =
    "Redis' own tables: a key among a million, its expiry and its value are lines of memory that are in no cache.";

const PAGE: &str = "The target is for a page of 1 KB. This one is almost six times as long, as it shows what the server \
    did: rendering that is three quarters of the time.";

const fn times(what: &'static str, id: &'static str, floor: &'static str, at_most: f64) -> Target {
    Target { what, id, limit: Limit::Times { floor, at_most }, in_the_way: None }
}

const fn more(what: &'static str, id: &'static str, floor: &'static str, at_most_ns: f64) -> Target {
    Target { what, id, limit: Limit::More { floor, at_most_ns }, in_the_way: None }
}

const fn below(what: &'static str, id: &'static str, at_most_ns: f64) -> Target {
    Target { what, id, limit: Limit::Below { at_most_ns }, in_the_way: None }
}

const fn calls(what: &'static str, id: &'static str, exactly: f64) -> Target {
    Target { what, id, limit: Limit::Calls { exactly }, in_the_way: None }
}

const fn bytes(what: &'static str, id: &'static str, at_most: f64) -> Target {
    Target { what, id, limit: Limit::Bytes { at_most }, in_the_way: None }
}

impl Target {
    /// The same, with what stands in the way where it is missed.
    const fn but(self, in_the_way: &'static str) -> Self {
        Self { in_the_way: Some(in_the_way), ..self }
    }
}
