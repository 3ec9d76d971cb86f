//! Checks a password within the limits: counts the try, checks, and takes it out of the count if it was no failure.

use std::net::IpAddr;

use secrecy::SecretString;

use super::{Limiters, RateLimits};
use crate::account::{HashError, Hasher};
use crate::error::Error;
use crate::network::network;
use crate::store::login_failures::LoginSource;
use crate::store::users::User;
use crate::trace::{StepKind, Trace};

/// Where a try comes from.
#[derive(Clone, Debug)]
pub(in crate::flow) struct Origin {
    pub address: IpAddr,
    /// The value of the cookie `known_browser`.
    pub known_browser: Option<String>,
}

/// A password to check.
pub(in crate::flow) struct PasswordTry<'a> {
    pub origin: &'a Origin,
    /// The folded name, of a user or not.
    pub folded: &'a str,
    /// The user of this name; without one the check takes the same steps and the same time, and fails.
    pub user: Option<&'a User>,
    pub password: SecretString,
    /// The words of the step that hashes.
    pub words: &'static str,
}

impl PasswordTry<'_> {
    /// Whether the password is right. Fails without a check if a limit refuses the try, or if the database does not count.
    pub async fn check(self, limits: &RateLimits, hasher: &Hasher, trace: &Trace) -> Result<bool, Error> {
        let hash = self.user.map(|user| user.password_hash.clone());
        let checking = hasher.verify(self.password.clone(), hash);
        let checking = trace.timed(StepKind::Hash, |_| self.words, checking);
        match &limits.0 {
            Some(limits) => self.check_within(limits, trace, checking).await,
            None => Ok(checking.await?),
        }
    }

    async fn check_within(
        &self,
        limits: &Limiters,
        trace: &Trace,
        checking: impl Future<Output = Result<bool, HashError>>,
    ) -> Result<bool, Error> {
        let network = network(self.origin.address);
        let known = self.known_browser(limits);
        // Before the turn: whoever waits for a place keeps nobody from the account.
        let place = if known.is_none() { Some(limits.place(network).await?) } else { None };
        let checked = self.check_in_turn(limits, trace, known, checking).await;
        if let Some(place) = place
            && !matches!(checked, Ok(false))
        {
            place.give_back();
        }
        checked
    }

    async fn check_in_turn(
        &self,
        limits: &Limiters,
        trace: &Trace,
        known: Option<String>,
        checking: impl Future<Output = Result<bool, HashError>>,
    ) -> Result<bool, Error> {
        let _turn = limits.turns.wait(&(self.folded, &known)).await?;
        let source = self.count(limits, trace, known).await?;
        let failures = &limits.login_failures;
        match checking.await {
            Ok(true) => {
                let words = |_: &_| format!("{}: DELETE the failed tries on this account", failures.store());
                trace.timed(StepKind::Database, words, failures.clear(self.folded)).await?;
                Ok(true)
            }
            Ok(false) => Ok(false),
            Err(error) => {
                failures.give_back(self.folded, &source).await?;
                Err(error.into())
            }
        }
    }

    /// Counts the try as a failure in the database. A known browser that has used up its own allowance becomes a stranger.
    async fn count(&self, limits: &Limiters, trace: &Trace, known: Option<String>) -> Result<LoginSource, Error> {
        let failures = &limits.login_failures;
        let words = |_: &_| format!("{}: count this try, unless there were too many", failures.store());
        let stranger = LoginSource::Network(network(self.origin.address));
        if let Some(mark) = known {
            let browser = LoginSource::KnownBrowser(mark);
            match trace.timed(StepKind::Database, words, failures.count(self.folded, &browser)).await? {
                Ok(()) => return Ok(browser),
                Err(refusal) if !refusal.closed => return Err(Error::TooManyFailures(refusal)),
                Err(_) => {}
            }
        }
        let counted = trace.timed(StepKind::Database, words, failures.count(self.folded, &stranger)).await?;
        counted.map(|()| stranger).map_err(Error::TooManyFailures)
    }

    /// The mark of a browser that has logged in as this user before.
    fn known_browser(&self, limits: &Limiters) -> Option<String> {
        let (cookie, user) = (self.origin.known_browser.as_deref()?, self.user?);
        limits.known_browsers.recognise(cookie, user.id, &user.password_hash)
    }
}
