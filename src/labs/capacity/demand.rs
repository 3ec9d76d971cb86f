//! The load of a whole site.

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// Users who are logged in.
    pub users: f64,
    /// Logins of each user.
    pub devices: f64,
    /// Requests of all users, a second.
    pub requests: f64,
    pub nodes: f64,
    /// From a node to the store and back.
    pub round_trip_ms: f64,
}

impl Demand {
    pub(super) fn logins(&self) -> f64 {
        self.users * self.devices
    }

    /// Events a second, if each of `each` logins causes one at its first request after `seconds`.
    pub(super) fn first_after(&self, each: f64, seconds: f64) -> f64 {
        if self.requests > 0.0 { each / (seconds + each / self.requests) } else { 0.0 }
    }
}
