//! What can go wrong in a request, and the sentence that the visitor reads. The log gets the inner detail, once, here.

use std::time::Duration;

use poem::error::ResponseError;
use poem::http::StatusCode;
use poem_openapi::error::ParseRequestPayloadError;

use crate::account::HashError;
use crate::auth::Failure;
use crate::store::StoreError;
use crate::store::login_failures::TryRefusal;

const CLOSED: &str = ": from here it takes only browsers that have logged in to it before; an operator can change that";

/// What an operator sets so that others can reach a server that shows its demo password.
const OPEN_TO_OTHERS: &str = "To let others in, start it with --public-url and the address that they use, and with \
    --trusted-proxy and the address of the proxy. There are then no demo users, as with --no-demo, unless you add --demo: \
    the server prints their new password.";

/// What an operator sets when a proxy sends another host than the visitor did.
const PASS_THE_HOST_ON: &str = "If a proxy is in front, it must pass the visitor's Host header on; or set --public-url to \
    the address that visitors use.";

/// The visitor's faults and ours.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such page, or the visitor has no such thing.
    #[error("there is nothing at this address")]
    NotFound,
    /// `allow`: the methods that the address takes (RFC 9110, 10.2.1).
    #[error("this address does not take that method")]
    MethodNotAllowed { allow: &'static str },
    /// The server cannot read the request; the sentence says why.
    #[error("{0}")]
    BadRequest(String),
    #[error("this address does not take that content type")]
    UnsupportedMediaType,
    #[error("the request's body is too large: the server reads at most 64 KiB")]
    TooLarge,
    /// An unsafe request from another site.
    #[error("this request came from another site, so the server refused it")]
    CrossSite,
    /// A request for a host of another machine, while the pages show the demo password.
    #[error("this server shows its demo password, so it answers only on its own machine, as localhost")]
    NotLoopback,
    /// A request that came through a proxy or a tunnel, while the pages show the demo password.
    #[error("this server shows its demo password, so it refuses what comes through a proxy or a tunnel")]
    Forwarded,
    /// A request for another host than that of the public URL, which it holds.
    #[error("this server answers only for {0}")]
    OtherHost(String),
    #[error("only a presenter may do this")]
    PresentersOnly,
    /// A page that needs a login. `next` is its path and query.
    #[error("log in first")]
    LoginRequired { next: Option<String> },
    /// A page that needs a login, and a request with two credentials where one belongs. The sentence says which.
    #[error("{0}")]
    DoubledCredential(String),
    /// Unknown user or wrong password: the answer never says which.
    #[error("the user name or the password is wrong")]
    WrongPassword,
    /// Too many tries from one network.
    #[error("too many tries from your network; wait a little")]
    TooManyTries { retry: Duration },
    /// Too many wrong passwords in a row for one account, whether or not it exists.
    #[error("too many wrong passwords for this user name{}", if .0.closed { CLOSED } else { "; wait before the next try" })]
    TooManyFailures(TryRefusal),
    #[error("the maximum number of experiments is already running; each ends within a minute")]
    TooManyRuns,
    /// The cost lab runs one experiment at a time: two would measure each other.
    #[error("the cost lab is already running; a run takes less than two minutes")]
    Measuring,
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A strategy neither accepted nor refused: a store did not answer, or signing failed.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The password was changed, but the other logins may go on.
    #[error("the password was changed, but not every other login was revoked: {0}")]
    OthersNotRevoked(#[source] Failure),
    /// The database did not confirm the new password. `logins`: a sentence for each mount says what became of its logins.
    #[error("it is unknown whether the password was changed: {error}")]
    PasswordUnknown {
        #[source]
        error: StoreError,
        logins: String,
    },
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
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CrossSite | Self::Forwarded | Self::PresentersOnly => StatusCode::FORBIDDEN,
            Self::NotLoopback | Self::OtherHost(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::LoginRequired { .. } | Self::DoubledCredential(_) | Self::WrongPassword => StatusCode::UNAUTHORIZED,
            Self::TooManyTries { .. } | Self::TooManyFailures(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TooManyRuns
            | Self::Measuring
            | Self::Hash(HashError::Busy)
            | Self::Failure(Failure::Store(_) | Failure::RevokePending)
            | Self::OthersNotRevoked(_)
            | Self::PasswordUnknown { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Hash(HashError::Rejected(_)) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Hash(HashError::Failed(_)) | Self::Failure(Failure::Signing(_)) | Self::Internal(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

impl Error {
    /// Converts whatever error a route returned: one of ours, or the framework's.
    pub fn from_poem(error: poem::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(ours) => ours,
            Err(theirs) => match theirs.status() {
                StatusCode::NOT_FOUND => Self::NotFound,
                StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
                StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
                _ if theirs.is::<ParseRequestPayloadError>() => {
                    let reason = theirs.to_string();
                    let reason = reason.strip_prefix("parse request payload error: ").unwrap_or(&reason);
                    let reason = without_types(reason);
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
                format!("{reason}, so the server cannot complete this request. Your cookie stays as it is.")
            }
            Self::Failure(Failure::RevokePending) => {
                "This user was disabled or deleted. A store does not let the server revoke the logins yet, so it accepts \
                none of them. Your cookie stays as it is."
                    .to_owned()
            }
            Self::OthersNotRevoked(_) => {
                "The password was changed. A store does not answer, so your other logins may go on. Use \"Log out \
                everywhere\" when the store is back."
                    .to_owned()
            }
            Self::PasswordUnknown { logins, .. } => format!(
                "The database does not answer, so it is unknown whether the new or the old password counts. Log in \
                again, and try both. {logins}"
            ),
            Self::Hash(HashError::Rejected(reason)) => reason.to_string(),
            Self::Hash(HashError::Failed(_)) | Self::Failure(_) | Self::Internal(_) => {
                "Something went wrong on the server. The log says what.".to_owned()
            }
            Self::BadRequest(sentence) | Self::DoubledCredential(sentence) => sentence.clone(),
            Self::NotLoopback | Self::Forwarded => format!("{}. {OPEN_TO_OTHERS}", self.capitalised()),
            Self::OtherHost(_) => format!("{}. {PASS_THE_HOST_ON}", self.capitalised()),
            fault => format!("{}.", fault.capitalised()),
        }
    }

    fn capitalised(&self) -> String {
        let text = self.to_string();
        let mut letters = text.chars();
        letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect()
    }

    /// `Retry-After` (RFC 9110, 10.2.3), in seconds.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyTries { retry } | Self::TooManyFailures(TryRefusal { retry, .. }) => {
                Some(retry.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX))
            }
            Self::TooManyRuns | Self::Measuring => Some(10),
            // To send the form again is no cure: the current password may be the new one.
            Self::PasswordUnknown { .. } => None,
            _ if self.status() == StatusCode::SERVICE_UNAVAILABLE => Some(1),
            _ => None,
        }
    }

    /// When to try again, in words.
    pub fn retry_words(&self) -> Option<String> {
        let seconds = self.retry_after()?;
        let (number, unit) = match seconds {
            0..120 => (seconds, "s"),
            120..7200 => (seconds.div_ceil(60), "min"),
            7200..172_800 => (seconds.div_ceil(3600), "h"),
            _ => (seconds.div_ceil(86_400), "days"),
        };
        Some(format!("Try again in {number} {unit}."))
    }

    /// Logs a fault of ours, with its source.
    pub fn log(&self, path: &str) {
        if self.status().is_server_error() {
            tracing::error!(path, error = %self, "a request failed");
        }
    }
}

/// What the library says of a body, without the names of its types: a client knows its fields.
fn without_types(reason: &str) -> &str {
    let said = reason.strip_prefix("failed to parse \"").and_then(|rest| rest.split_once("\": "));
    let said = said.map_or(reason, |(_, said)| said);
    said.split_once(" (occurred while parsing").map_or(said, |(said, _)| said)
}
