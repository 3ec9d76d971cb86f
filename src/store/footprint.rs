//! The size of a login in a store.

/// What a store keeps of one login, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Bytes for the login itself.
    pub login: u64,
    /// Bytes for its user, whatever the number of logins.
    pub user: u64,
    /// Whether there are rows in the SQL database, too. Only the database can weigh them, and only many at once.
    pub rows: bool,
    /// How this was measured, in words.
    pub how: &'static str,
}
