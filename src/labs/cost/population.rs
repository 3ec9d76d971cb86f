//! The logins of one measurement, and their users, who exist only during it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::setup::{Candidate, Conditions, CostSetup};
use crate::auth::{AuthStrategy, Backend, Credentials, Failure, Identity, RevokeScope};
use crate::identity::{Role, Subject, UserId};
use crate::labs::nodes::lab_device;
use crate::trace::Trace;

/// Logins of a user.
const PER_USER: usize = 3;

/// The longest time for opening logins. On a slow disk the lab opens fewer.
pub(super) const FILL_LIMIT: Duration = Duration::from_secs(12);

/// The longest time for revoking them.
const DISBAND_LIMIT: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(super) struct PopulationLogin {
    pub credentials: Credentials,
    pub identity: Identity,
    /// The size of the credential, in bytes.
    pub bytes: usize,
}

impl PopulationLogin {
    /// The bytes that a browser sends of it with each request.
    pub fn sent(&self) -> usize {
        self.bytes + self.credentials.renewal().map_or(0, str::len)
    }
}

pub(super) struct Population<'a> {
    setup: &'a CostSetup,
    strategy: &'a dyn AuthStrategy,
    ids: Vec<UserId>,
    name: String,
    /// The logins to revoke at the end.
    opened: Mutex<Vec<Identity>>,
}

impl<'a> Population<'a> {
    /// Inserts the users of `logins` logins, and `others` more.
    pub async fn gather(
        setup: &'a CostSetup,
        candidate: &'a Candidate,
        conditions: &Conditions,
        (logins, others): (usize, usize),
    ) -> Result<Self, Failure> {
        let ids: Vec<_> = (0..logins.div_ceil(PER_USER) + others).map(|_| UserId::random()).collect();
        let name = if conditions.claim_bytes == 0 { "lab".to_owned() } else { "x".repeat(conditions.claim_bytes) };
        let population = Self { setup, strategy: &*candidate.direct, ids, name, opened: Mutex::default() };
        if let Err(error) = setup.users.insert_nameless(&population.ids, setup.clock.now()).await {
            population.disband().await;
            return Err(error.into());
        }
        Ok(population)
    }

    /// The user of the login with this number.
    pub fn of_login(&self, number: usize) -> Subject {
        self.subject(number / PER_USER)
    }

    /// A user without logins, counted from the last.
    pub fn other(&self, number: usize) -> Subject {
        self.subject((self.ids.len() - 1).saturating_sub(number))
    }

    fn subject(&self, place: usize) -> Subject {
        Subject { id: self.ids[place], name: self.name.as_str().into(), role: Role::User }
    }

    /// Opens one login through the measured strategy, or through the one without the delay.
    pub async fn open(&self, through: &dyn AuthStrategy, subject: &Subject) -> Result<PopulationLogin, Failure> {
        let grant = through.issue(subject, &lab_device(), &Trace::off()).await?;
        let credentials = grant.credentials();
        let bytes = credentials.credential().map_or(0, str::len);
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push(grant.identity.clone());
        Ok(PopulationLogin { credentials, identity: grant.identity, bytes })
    }

    /// Opens the logins `from..to`, or fewer if they take too long.
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

    /// Revokes every login and removes the users. After an error a login expires within an hour.
    pub async fn disband(self) {
        let opened = self.opened.into_inner().unwrap_or_else(PoisonError::into_inner);
        let description = self.strategy.describe();
        // Where the server keeps no list of logins but revokes single ones (the blocklists), revoking them all would leave
        // a generation for each user, which never expires. An entry for a login expires with its token.
        let leaves_generations = description.revokes_single && !description.lists_logins;
        let (scope, who) = if leaves_generations {
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
                tracing::warn!("a store is too slow: logins of an experiment are left to expire");
                break;
            }
            let trace = Trace::off();
            join_all(some.iter().map(|who| self.strategy.revoke(who, scope.clone(), &trace))).await;
        }
        if let Err(error) = self.setup.users.remove(&self.ids).await {
            tracing::warn!(%error, "the users of an experiment could not be removed");
        }
    }

    /// SQLite lets in one writer.
    fn at_once(&self) -> usize {
        if self.strategy.describe().backend == Backend::Sql { 1 } else { 32 }
    }
}
