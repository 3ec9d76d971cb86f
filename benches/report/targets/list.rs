//! Every target.

use super::{Limit, Target};

pub const TARGETS: [Target; 22] = [
    times("jwt / its floor", "lookup/jwt", "floor/jwt", 1.3).but(
        "The floor gets the decoded signature and the position of each part, and copies no text. The check also decodes \
         the signature, compares the header, parses the user's UUID, reads the clock, checks seven claims, and copies \
         the name and the login.",
    ),
    times("session / a bare GET", "lookup/session", "floor/redis-get", 1.1).but(
        "Beside the GET, a check hashes the id, parses the record, checks its limits, and makes sure that a restarted \
         Redis knows every revocation. On one core the wait for Redis hides none of this.",
    ),
    times("session / a bare GET, over TCP", "lookup/session-tcp", "floor/redis-get-tcp", 1.1).but("As above."),
    times("session / a bare GET, 64 in flight", "lookup/session/64", "floor/redis-get/64", 1.1).but(
        "GETs in flight share their system calls, which are most of the time of one GET alone. What a session does \
         beyond the GET is not shared.",
    ),
    calls("session: commands to Redis for a check", "session", 1.0),
    bytes("session: Redis' memory for a login", "session", 350.0).but(
        "This is the growth of used_memory when each user has one login. The record with its key and expiry takes \
         about 340 B, and the user's index about 200 B. Further logins of the user share the index.",
    ),
    times("session-sql / a bare SELECT", "lookup/session-sql", "floor/sql-select", 1.5),
    times("session-sql / a bare SELECT, 64 in flight", "lookup/session-sql/64", "floor/sql-select/64", 1.5),
    times("session-tracked, a hit / jwt", "lookup/session-tracked", "lookup/jwt", 1.0),
    below("session-tracked, a hit", "lookup/session-tracked", 500.0),
    more("jwt-pushed, a million revoked − jwt", "scale/jwt-pushed/1000000", "lookup/jwt", 150.0).but(
        "A lookup in a table of 100 MB loads a line of memory that is in no cache of the processor. The check that the \
         push channel is fresh reads the clock.",
    ),
    times("session: a million / a thousand logins", "scale/session/1000000", "scale/session/1000", 1.15).but(REDIS_TABLES),
    times("jwt-blocklist: a million / a thousand revoked", "scale/jwt-blocklist/1000000", "scale/jwt-blocklist/1000", 1.15)
        .but(REDIS_TABLES),
    times("session-sql: a million / a thousand logins", "scale/session-sql/1000000", "scale/session-sql/1000", 2.5),
    times("session-memory: a million / a thousand logins", "scale/session-memory/1000000", "scale/session-memory/1000", 10.0),
    times(
        "session-tracked, hits: a million / a thousand logins",
        "scale/session-tracked/1000000",
        "scale/session-tracked/1000",
        10.0,
    ),
    times("jwt-pushed: a million / a thousand revoked", "scale/jwt-pushed/1000000", "scale/jwt-pushed/1000", 10.0),
    times("/jwt/api/me / a bare poem handler, under load", "load/jwt/json", "load/floor/json", 1.2),
    times("/jwt/profile / a bare poem page, under load", "load/jwt", "load/floor/page", 1.4),
    more("/session/api/me − /jwt/api/me, under load", "load/session/json", "load/jwt/json", 3_500.0),
    times("/session-tracked/api/me / /jwt/api/me, under load", "load/session-tracked/json", "load/jwt/json", 0.95),
    below("/session/api/me, under load: Redis' processor time", "load/session/json/redis", 1_300.0),
];

const REDIS_TABLES: &str =
    "Among a million keys, the lines of memory of a key, its expiry and its value are in no cache of the processor.";

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
    /// Adds the reason why a run may miss it.
    const fn but(self, in_the_way: &'static str) -> Self {
        Self { in_the_way: Some(in_the_way), ..self }
    }
}
