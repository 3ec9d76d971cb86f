//! The events, each with its own fields. `docs/security-log.md` has a row for each, which a test compares.

use compact_str::CompactString;
use serde::Serialize;

use crate::identity::{LoginId, UserId};

/// What happened. The name in a line is the variant's, in `snake_case`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum SecurityEvent {
    /// The server opened a login.
    LoginAccepted,
    /// The server refused a login. The answer never says why.
    LoginRefused { reason: LoginRefusal },
    /// Somebody registered, and is logged in.
    Registered,
    /// Somebody logged out: this login or every login.
    Logout { reach: RevocationReach },
    /// A strategy revoked logins.
    LoginRevoked {
        reach: RevocationReach,
        cause: RevocationCause,
        /// The login, if it is not the one of the request.
        #[serde(skip_serializing_if = "Option::is_none")]
        revoked_login_id: Option<LoginId>,
        /// The longest time until every node refuses it, in milliseconds.
        refused_within_ms: u64,
    },
    /// A store did not confirm a revocation. The logins may go on.
    RevocationUnconfirmed { reach: RevocationReach, cause: RevocationCause },
    /// A user has a new password.
    PasswordChanged,
    /// The server refused a new password.
    PasswordChangeRefused { reason: PasswordChangeRefusal },
    /// A client used a refresh token again: somebody has a copy. The server revoked the login (RFC 9700, 4.14.2).
    RefreshReused,
    /// The server refused a request that a browser sent from another site.
    CrossSiteRefused {
        /// Without the query.
        path: String,
        /// Scheme, host and port of the other site, if they can be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        origin: Option<String>,
    },
    /// The server refused a try because there were too many before.
    RateLimited { path: String, retry_after_s: u64 },
    /// A presenter, or a command, disabled a user.
    UserDisabled { target_user_id: UserId },
    /// A presenter, or a command, let a disabled user log in again.
    UserEnabled { target_user_id: UserId },
    /// A presenter, or a command, deleted a user.
    UserDeleted { target_user_id: UserId },
    /// A command deleted every user.
    Reset { deleted_users: u64 },
    /// Somebody started a lab.
    LabStarted { lab: &'static str, strategies: Vec<CompactString> },
    /// There were too many events of one kind: the log has the first of each second.
    EventsLeftOut { left_out: &'static str, count: u64 },
}

/// Why the server refused a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginRefusal {
    UnknownUser,
    WrongPassword,
    /// The password was right, but the user is disabled, or was deleted meanwhile.
    Disabled,
    /// The password was right, but was changed while the login was opened.
    PasswordChanged,
    /// Somebody who is no presenter tried to start a lab, or opened the pages of users.
    NoPresenter,
}

/// Why the server refused a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordChangeRefusal {
    WrongCurrentPassword,
    /// Too short, too long, or easy to guess.
    NewPasswordRejected,
    /// The database did not confirm the new password.
    Unconfirmed,
}

/// Which logins of a user a revocation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReach {
    /// The login of the request.
    This,
    /// Another login.
    Other,
    /// Every login under the mount.
    Everywhere,
}

/// What made the server revoke a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationCause {
    Logout,
    /// A button in the list of devices.
    DeviceList,
    PasswordChange,
    /// A login over an old one in the same browser.
    NewLogin,
    RefreshReuse,
    /// A presenter, or a command, disabled the user.
    UserDisabled,
    /// A presenter, or a command, deleted the user.
    UserDeleted,
    /// The command `reset`, or a start that replaced the public password of the demo users.
    Reset,
}

impl SecurityEvent {
    /// The name in a line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LoginAccepted => "login_accepted",
            Self::LoginRefused { .. } => "login_refused",
            Self::Registered => "registered",
            Self::Logout { .. } => "logout",
            Self::LoginRevoked { .. } => "login_revoked",
            Self::RevocationUnconfirmed { .. } => "revocation_unconfirmed",
            Self::PasswordChanged => "password_changed",
            Self::PasswordChangeRefused { .. } => "password_change_refused",
            Self::RefreshReused => "refresh_reused",
            Self::CrossSiteRefused { .. } => "cross_site_refused",
            Self::RateLimited { .. } => "rate_limited",
            Self::UserDisabled { .. } => "user_disabled",
            Self::UserEnabled { .. } => "user_enabled",
            Self::UserDeleted { .. } => "user_deleted",
            Self::Reset { .. } => "reset",
            Self::LabStarted { .. } => "lab_started",
            Self::EventsLeftOut { .. } => "events_left_out",
        }
    }

    /// Whether a stranger can cause it, without any login and as often as they like.
    pub(super) fn is_free_for_strangers(&self) -> bool {
        matches!(self, Self::LoginRefused { .. } | Self::CrossSiteRefused { .. } | Self::RateLimited { .. })
    }
}
