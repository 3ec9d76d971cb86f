//! The failure of a store.

use std::fmt;

/// A store did not carry out a call.
///
/// It never means "refused": it is unknown whether a login exists, or whether a revoke was carried out.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// No answer in time, no connection, or an error of the store itself.
    #[error("{store} is not available: {detail}")]
    Unavailable {
        store: &'static str,
        /// For the log only.
        detail: String,
    },
    /// The server was started without this store.
    #[error("the server runs without {store}")]
    Absent { store: &'static str },
}

impl StoreError {
    pub(crate) fn unavailable(store: &'static str, detail: &(impl fmt::Display + ?Sized)) -> Self {
        Self::Unavailable { store, detail: detail.to_string() }
    }

    /// What happened, for the log only.
    pub fn detail(&self) -> &str {
        match self {
            Self::Unavailable { detail, .. } => detail,
            Self::Absent { .. } => "the server runs without it",
        }
    }

    /// One sentence for a page. It holds no detail.
    pub fn sentence(&self) -> String {
        match self {
            Self::Unavailable { store, .. } => format!("{store} does not answer."),
            Self::Absent { store } => format!("The server runs without {store}."),
        }
    }
}
