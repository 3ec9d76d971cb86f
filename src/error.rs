//! What can go wrong in a request, and what the visitor is told. Inner detail goes to the log, once, here.

use std::time::Duration;

use poem::error::ResponseError;
use poem::http::StatusCode;
use poem_openapi::error::ParseRequestPayloadError;

use crate::account::HashError;
use crate::auth::Failure;
use crate::store::StoreError;

/// One enum for the visitor's faults and for ours.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such page, or no such thing of the visitor's.
    #[error("there is nothing at this address")]
    NotFound,
    /// The page exists, the method does not.
    #[error("this address does not take that method")]
    MethodNotAllowed,
    /// The request cannot be understood; the sentence says why.
    #[error("{0}")]
    BadRequest(String),
    /// The form's type is another one.
    #[error("this address does not take that content type")]
    UnsupportedMediaType,
    /// The body is over the limit.
    #[error("the request's body is too large: at most 64 KiB are read")]
    TooLarge,
    /// An unsafe request from another site.
    #[error("this request came from another site, so it was not carried out")]
    CrossSite,
    /// A page that needs a login.
    #[error("sign in first")]
    SignInFirst {
        /// Where the visitor wanted to go: path and query.
        next: Option<String>,
    },
    /// Unknown user or wrong password: nobody is told which.
    #[error("the user name or the password is wrong")]
    WrongPassword,
    /// Too many tries from one address or for one account.
    #[error("too many tries; wait a little")]
    TooManyTries {
        /// When the next one is allowed.
        retry: Duration,
    },
    /// As many experiments as may run at once do.
    #[error("too many experiments run at once; each ends within a minute")]
    TooManyRuns,
    /// One measurement goes on: two would measure each other.
    #[error("the cost is being measured already; wait for that run, which takes less than two minutes")]
    Measuring,
    /// Passwords: too many at once, or the hash function failed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A strategy failed: neither yes nor no.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The password was changed, but it is not sure that all other logins ended.
    #[error("the password was changed, but not every other login could be ended: {0}")]
    HalfChanged(#[source] Failure),
    /// A fault of this program.
    #[error("{0}")]
    Internal(String),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

impl ResponseError for Error {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::SignInFirst { .. } | Self::WrongPassword => StatusCode::UNAUTHORIZED,
            Self::TooManyTries { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::TooManyRuns
            | Self::Measuring
            | Self::Hash(HashError::Busy)
            | Self::Failure(Failure::Store(_))
            | Self::HalfChanged(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Hash(HashError::Failed(_)) | Self::Failure(Failure::Signing(_)) | Self::Internal(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

impl Error {
    /// From whatever a route returned: one of ours, or the framework's own.
    pub fn from_poem(error: poem::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(ours) => ours,
            Err(theirs) => match theirs.status() {
                StatusCode::NOT_FOUND => Self::NotFound,
                StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
                StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
                StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
                _ if theirs.is::<ParseRequestPayloadError>() => {
                    let reason = theirs.to_string();
                    let reason = reason.strip_prefix("parse request payload error: ").unwrap_or(&reason);
                    Self::BadRequest(format!("The body is not the JSON that this address takes: {reason}."))
                }
                status if status.is_client_error() => Self::BadRequest(theirs.to_string()),
                _ => Self::Internal(theirs.to_string()),
            },
        }
    }

    /// The sentence for the visitor: no inner detail.
    pub fn sentence(&self) -> String {
        match self {
            Self::Failure(Failure::Store(error)) => {
                let reason = error.sentence();
                let reason = reason.trim_end_matches('.');
                format!("{reason}, so this could not be done. Your cookie is kept; try again.")
            }
            Self::HalfChanged(_) => {
                "The password was changed, but it is not sure that every other login ended: a store \
                does not answer. Use \"Log out everywhere\" when it is back."
                    .to_owned()
            }
            Self::Hash(HashError::Busy) => "Too many passwords are being checked at once. Try again.".to_owned(),
            Self::Hash(_) | Self::Failure(_) | Self::Internal(_) => {
                "Something went wrong on the server. It was written to the log.".to_owned()
            }
            Self::BadRequest(sentence) => sentence.clone(),
            fault => {
                let text = fault.to_string();
                let mut letters = text.chars();
                let first = letters.next().map(char::to_uppercase).into_iter().flatten();
                first.chain(letters).chain(['.']).collect()
            }
        }
    }

    /// When it makes sense to try again (RFC 9110, 10.2.3), in whole seconds.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyTries { retry } => Some(retry.as_secs().saturating_add(1)),
            Self::TooManyRuns | Self::Measuring => Some(10),
            _ if self.status() == StatusCode::SERVICE_UNAVAILABLE => Some(1),
            _ => None,
        }
    }

    /// Writes what is our fault to the log, with its source.
    pub fn log(&self, path: &str) {
        if self.status().is_server_error() {
            tracing::error!(path, error = %self, "a request failed");
        }
    }
}
