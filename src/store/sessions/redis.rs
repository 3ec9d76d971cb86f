//! Sessions in Redis: a check sends one `GET`. Scripts change a record and its index in one step.
//!
//! Keys: `{jvs}:s:LOGIN` holds a record as JSON, `{jvs}:u:USER` the user's logins sorted by when they expire; under
//! `session-tracked` `{jvs}:ts:` and `{jvs}:tu:`.
//! The braces put all keys into one slot, which a script needs in a cluster.
//!
//! A revoke is written to the SQL database first, so that a restored snapshot brings no login back: see
//! [`super::recovery`].

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store;

use super::recovery::SessionRecovery;
use super::scripts::{DELETE_ALL_BUT, Prefixes, SHARED, WRITE, delete_each};
use super::{Footprint, LoginRecord, LoginStore, StepNames, StoreError, backend, not_saved};
use crate::clock::Clock;
use crate::identity::{LoginId, UserId};
use crate::store::Redis;
use crate::store::revocations::Revocations;
use crate::trace::StepKind;

/// The bytes of a login in the user's index: its name, its time and what a listpack adds to both.
const INDEX_ENTRY: u64 = 32;

pub(super) const STEP_NAMES: StepNames = StepNames {
    name: Redis::NAME,
    held_in: "Redis",
    kind: StepKind::Store,
    recall: None,
    load: "Redis GET: the record under the hash of the id",
    create: "Redis script: SET NX the record with its life, ZADD it to the user's logins",
    touch: "Redis script: SET XX the record with a new idle limit, only if it is still there",
    revoke: "SQL INSERT the revocation; Redis script: DEL the record, ZREM it from the user's logins",
    revoke_all: "SQL raise the user's generation; Redis ZRANGE the logins; SQL INSERT their revocations; Redis script: DEL their records",
    list: "Redis ZRANGE the user's logins, MGET their records",
};

/// A session store on Redis.
#[derive(Debug)]
pub struct RedisSessions {
    redis: Redis,
    clock: Clock,
    prefixes: &'static Prefixes,
    /// Durable: Redis may lose what it deleted, and restore it.
    revocations: Arc<Revocations>,
}

impl RedisSessions {
    /// The sessions of `/session`. A revoke writes to `revocations` first.
    pub fn new(redis: &Redis, revocations: Revocations, clock: Clock) -> Self {
        Self::under(&SHARED, redis, revocations, clock)
    }

    /// The sessions under these keys.
    pub(super) fn under(prefixes: &'static Prefixes, redis: &Redis, revocations: Revocations, clock: Clock) -> Self {
        let revocations = Arc::new(revocations);
        let redis = redis.recovered_by(Arc::new(SessionRecovery { prefixes, revocations: revocations.clone() }));
        Self { redis, clock, prefixes, revocations }
    }

    /// Revokes those of the logins that are the user's: first in the SQL database, then in Redis. Returns the number of
    /// records that it deleted.
    async fn revoke_each(&self, user: UserId, logins: &[LoginId]) -> Result<u64, StoreError> {
        if logins.is_empty() {
            return Ok(0);
        }
        self.revocations.revoke_all(user, logins).await?;
        let of_user: Vec<_> = logins.iter().map(|login| (user, login.clone())).collect();
        self.redis.run(&delete_each(self.prefixes, &of_user)).await
    }

    /// Reads every record in Redis, and revokes those of the user, except `kept`.
    async fn revoke_unlisted(&self, user: UserId, kept: Option<&LoginId>) -> Result<(), StoreError> {
        let mut cursor: u64 = 0;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{}*", self.prefixes.record)).arg("COUNT").arg(1000);
            let (next, keys): (u64, Vec<String>) = self.redis.query(&scan).await?;
            let logins: Vec<_> =
                keys.iter().filter_map(|key| LoginId::parse(key.strip_prefix(self.prefixes.record)?)).collect();
            let found = self.read(user, logins).await?.into_iter().map(|(login, _)| login);
            let found: Vec<_> = found.filter(|login| Some(login) != kept).collect();
            self.revoke_each(user, &found).await?;
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }

    /// Lists the logins in the user's index that expire from this time on (a score of `ZRANGE`).
    async fn listed(&self, user: UserId, from: &str) -> Result<Vec<LoginId>, StoreError> {
        let mut range = redis::cmd("ZRANGE");
        range.arg(self.prefixes.index_key(user)).arg(from).arg("+inf").arg("BYSCORE");
        let logins: Vec<String> = self.redis.query(&range).await?;
        Ok(logins.iter().filter_map(|login| LoginId::parse(login)).collect())
    }

    /// Reads those of the records that are the user's.
    async fn read(&self, user: UserId, logins: Vec<LoginId>) -> Result<Vec<(LoginId, LoginRecord)>, StoreError> {
        if logins.is_empty() {
            return Ok(Vec::new());
        }
        let mut get = redis::cmd("MGET");
        for login in &logins {
            get.arg(self.prefixes.record_key(login));
        }
        let texts: Vec<Option<Vec<u8>>> = self.redis.query(&get).await?;
        let read = logins.into_iter().zip(texts).filter_map(|(login, text)| {
            let record = LoginRecord::decode(&text?).ok()?;
            (record.user == user).then_some((login, record))
        });
        Ok(read.collect())
    }

    /// Writes a record; `condition` is `NX` (only if absent) or `XX` (only if present). False if Redis refused that, or if the
    /// record has expired.
    async fn write(&self, condition: &str, id: &Id, record: &LoginRecord) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let login = LoginId::of_session(id);
        // Redis refuses a life of zero.
        let life = record.expires.since(now).as_millis();
        if life == 0 {
            return Ok(false);
        }
        let text = record.encode().map_err(|error| StoreError::unavailable(STEP_NAMES.name, &error))?;
        let mut write = WRITE.key(self.prefixes.record_key(&login));
        write
            .key(self.prefixes.index_key(record.user))
            .arg(condition)
            .arg(text)
            .arg(u64::try_from(life).unwrap_or(u64::MAX));
        write.arg(login.as_str()).arg(record.expires.as_millis()).arg(now.as_millis());
        self.redis.run::<bool>(&write).await
    }
}

#[async_trait]
impl SessionStore for RedisSessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let login = LoginRecord::from_record(record)?;
        // 128 random bits are never drawn twice: a second refusal means that the record expires at once.
        for _ in 0..2 {
            if self.write("NX", &record.id, &login).await.map_err(|error| backend(&error))? {
                return Ok(());
            }
            record.id = Id::default();
        }
        Err(not_saved())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let login = LoginRecord::from_record(record)?;
        match self.write("XX", &record.id, &login).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(not_saved()),
            Err(error) => Err(backend(&error)),
        }
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.find(&LoginId::of_session(id)).await?.map(|found| found.to_record(id)).transpose()
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let login = LoginId::of_session(id);
        let deleted = match self.find(&login).await {
            Ok(Some(record)) => {
                return self.revoke(record.user, &login).await.map(drop).map_err(|error| backend(&error));
            }
            Ok(None) | Err(session_store::Error::Decode(_)) => {
                self.redis.query(redis::cmd("DEL").arg(self.prefixes.record_key(&login))).await
            }
            Err(error) => return Err(error),
        };
        deleted.map_err(|error| backend(&error))
    }
}

#[async_trait]
impl LoginStore for RedisSessions {
    fn step_names(&self) -> &'static StepNames {
        &STEP_NAMES
    }

    async fn find(&self, login: &LoginId) -> session_store::Result<Option<Arc<LoginRecord>>> {
        let key = self.prefixes.record_key(login);
        let text: Option<Vec<u8>> = self.redis.query(redis::cmd("GET").arg(key)).await.map_err(|e| backend(&e))?;
        let Some(text) = text else { return Ok(None) };
        let record = LoginRecord::decode(&text)?;
        Ok((record.expires > self.clock.now()).then(|| Arc::new(record)))
    }

    async fn touch(&self, id: &Id, record: &LoginRecord) -> Result<bool, StoreError> {
        self.write("XX", id, record).await
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<(LoginId, LoginRecord)>, StoreError> {
        let unexpired = self.listed(user, &format!("({}", self.clock.now().as_millis())).await?;
        self.read(user, unexpired).await
    }

    async fn revoke(&self, user: UserId, login: &LoginId) -> Result<bool, StoreError> {
        Ok(self.revoke_each(user, std::slice::from_ref(login)).await? == 1)
    }

    async fn revoke_all_but(&self, user: UserId, kept: Option<&LoginId>) -> Result<(), StoreError> {
        // For the logins that Redis does not list now: it may have lost them, and have them in a snapshot.
        self.revocations.raise_generation(user).await?;
        let mut listed = self.listed(user, "-inf").await?;
        listed.retain(|login| Some(login) != kept);
        self.revocations.revoke_all(user, &listed).await?;
        let mut delete = DELETE_ALL_BUT.key(self.prefixes.index_key(user));
        delete.arg(self.prefixes.record).arg(kept.map_or("", LoginId::as_str));
        let deleted: Vec<String> = self.redis.run(&delete).await?;
        // A login that was opened meanwhile is deleted too: its revocation must last as well.
        let known: HashSet<_> = listed.iter().map(LoginId::as_str).collect();
        let late: Vec<_> = deleted.iter().filter(|login| !known.contains(login.as_str())).collect();
        let late: Vec<_> = late.into_iter().filter_map(|login| LoginId::parse(login)).collect();
        self.revoke_each(user, &late).await?;
        // An evicting Redis may have lost the index, and still have records.
        if self.redis.evicting_policy().await?.is_some() { self.revoke_unlisted(user, kept).await } else { Ok(()) }
    }

    async fn footprint(&self, user: UserId, login: &LoginId) -> Result<Footprint, StoreError> {
        let (record, index) = (self.prefixes.record_key(login), self.prefixes.index_key(user));
        let whole = self.redis.memory_of(&index).await?;
        let logins: u64 = self.redis.query(redis::cmd("ZCARD").arg(&index)).await?;
        let login = self.redis.memory_of(&record).await? + INDEX_ENTRY;
        let how = "Redis MEMORY USAGE of the record and of the user's index";
        Ok(Footprint { login, user: whole.saturating_sub(logins * INDEX_ENTRY), how, ..Footprint::default() })
    }
}
