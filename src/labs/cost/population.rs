//! The logins of one measurement: opened for users that nobody is, and ended with them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{Candidate, Conditions, CostSetup};
use crate::auth::{AuthStrategy, Backend, Credentials, Failure, Identity, RevokeScope};
use crate::identity::{Role, Subject, UserId};
use crate::labs::nodes::lab_device;
use crate::trace::Trace;

/// How many logins a user has: a telephone, a computer, one more.
const PER_USER: usize = 3;

/// Where the disk is slow, as many logins as can be opened in this time.
pub(super) const FILL_LIMIT: Duration = Duration::from_secs(12);

/// How long ending them may take.
const DISBAND_LIMIT: Duration = Duration::from_secs(30);

/// A login that was opened.
#[derive(Clone)]
pub(super) struct PopulationLogin {
    pub credentials: Credentials,
    pub identity: Identity,
    /// The size of the credential, in bytes.
    pub bytes: usize,
}

impl PopulationLogin {
    /// Everything that a browser sends of it with each request, in bytes.
    pub fn sent(&self) -> usize {
        self.bytes + self.credentials.renewal().map_or(0, str::len)
    }
}

/// Users, and the logins that were opened for them.
pub(super) struct Population<'a> {
    bench: &'a CostSetup,
    strategy: &'a dyn AuthStrategy,
    ids: Vec<UserId>,
    name: String,
    /// Every login that may have to be ended.
    opened: Mutex<Vec<Identity>>,
}

impl<'a> Population<'a> {
    /// Enough users for `logins` logins and `others` more users.
    pub async fn gather(
        bench: &'a CostSetup,
        candidate: &'a Candidate,
        conditions: &Conditions,
        (logins, others): (usize, usize),
    ) -> Result<Self, Failure> {
        let ids: Vec<_> = (0..logins.div_ceil(PER_USER) + others).map(|_| UserId::random()).collect();
        let name = if conditions.claim_bytes == 0 { "lab".to_owned() } else { "x".repeat(conditions.claim_bytes) };
        let crowd = Self { bench, strategy: &*candidate.direct, ids, name, opened: Mutex::default() };
        if let Err(error) = bench.users.insert_nameless(&crowd.ids, bench.clock.now()).await {
            crowd.disband().await;
            return Err(error.into());
        }
        Ok(crowd)
    }

    /// The user of the login with this number.
    pub fn of_login(&self, number: usize) -> Subject {
        self.subject(number / PER_USER)
    }

    /// One of the users who have no logins yet, from the back.
    pub fn other(&self, number: usize) -> Subject {
        self.subject((self.ids.len() - 1).saturating_sub(number))
    }

    fn subject(&self, place: usize) -> Subject {
        Subject { id: self.ids[place], name: self.name.as_str().into(), role: Role::User }
    }

    /// Opens one login, through the strategy that is measured or the one without the delay.
    pub async fn open(&self, through: &dyn AuthStrategy, subject: &Subject) -> Result<PopulationLogin, Failure> {
        let grant = through.issue(subject, &lab_device(), &Trace::off()).await?;
        let credentials = grant.credentials();
        let bytes = credentials.credential().map_or(0, str::len);
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push(grant.identity.clone());
        Ok(PopulationLogin { credentials, identity: grant.identity, bytes })
    }

    /// Opens the logins `from..to`, or as many as can be in the time that a fill may take.
    pub async fn fill(&self, from: usize, to: usize) -> Result<Vec<PopulationLogin>, Failure> {
        let begun = Instant::now();
        let mut opened = Vec::new();
        let numbers: Vec<_> = (from..to).collect();
        for some in numbers.chunks(self.at_once()) {
            let opening = some.iter().map(|number| async { self.open(self.strategy, &self.of_login(*number)).await });
            for login in join_all(opening).await {
                opened.push(login?);
            }
            if begun.elapsed() > FILL_LIMIT {
                break;
            }
        }
        Ok(opened)
    }

    /// Ends every login and removes the users. An error leaves a login to its own end: an hour.
    pub async fn disband(self) {
        let opened = self.opened.into_inner().unwrap_or_else(PoisonError::into_inner);
        let description = self.strategy.describe();
        // What keeps no list of logins writes down every end: one entry each, that goes when the token expires. What
        // keeps one forgets a user's logins all at once.
        let (scope, who) = if !description.lists_logins {
            (RevokeScope::This, opened)
        } else {
            let mut users = opened;
            users.sort_unstable_by_key(|who| who.subject.id.0);
            users.dedup_by_key(|who| who.subject.id);
            (RevokeScope::Everywhere, users)
        };
        let at_once = if description.backend == Backend::None { 64 } else { 4 };
        let begun = Instant::now();
        for some in who.chunks(at_once) {
            if begun.elapsed() > DISBAND_LIMIT {
                tracing::warn!("logins of an experiment are left to their own end: a store is too slow");
                break;
            }
            let trace = Trace::off();
            join_all(some.iter().map(|who| self.strategy.revoke(who, scope.clone(), &trace))).await;
        }
        if let Err(error) = self.bench.users.remove(&self.ids).await {
            tracing::warn!(%error, "the users of an experiment could not be removed");
        }
    }

    /// One writer is all that SQLite lets in.
    fn at_once(&self) -> usize {
        if self.strategy.describe().backend == Backend::Sql { 1 } else { 32 }
    }
}
