//! Sessions in Redis: one `GET` a request, and scripts where a record and its index must change in one step.
//!
//! Keys: `{jvs}:s:LOGIN` holds a record as JSON, `{jvs}:u:USER` the user's logins sorted by when they expire; under
//! `session-tracked` `{jvs}:ts:` and `{jvs}:tu:`.
//! The braces put all keys into one slot, which a script needs in a cluster.
//!
//! That a login ended is written to the SQL database first: see [`super::recovery`].

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store;

use super::recovery::SessionRecovery;
use super::scripts::{END_ALL, Prefixes, SHARED, WRITE, end};
use super::{Footprint, LoginRecord, LoginStore, StepNames, StoreError, backend, ended};
use crate::clock::Clock;
use crate::identity::{LoginId, UserId};
use crate::store::Redis;
use crate::store::revocations::Revocations;
use crate::trace::StepKind;

/// What a login takes in the user's index: its name, its time and what a listpack adds to both, in bytes.
const PLACE: u64 = 32;

const STEP_NAMES: StepNames = StepNames {
    name: "Redis",
    held_in: "Redis",
    kind: StepKind::Store,
    recall: None,
    load: "Redis GET: the record under the hash of the id",
    create: "Redis script: SET NX the record with its life, ZADD it to the user's logins",
    touch: "Redis script: SET XX the record with a new idle limit, only if it is still there",
    end: "SQL INSERT that it ended; Redis script: DEL the record, ZREM it from the user's logins",
    end_all: "SQL raise the user's cut-off; Redis ZRANGE the logins; SQL INSERT that they ended; Redis script: DEL their records",
    list: "Redis ZRANGE the user's logins, MGET their records",
};

/// A session store on Redis.
#[derive(Debug)]
pub struct RedisSessions {
    redis: Redis,
    clock: Clock,
    prefixes: &'static Prefixes,
    ended: Arc<Revocations>,
}

impl RedisSessions {
    /// Under `/session`, on this Redis. Which logins ended stands in `ended`.
    pub fn new(redis: &Redis, ended: Revocations, clock: Clock) -> Self {
        Self::under(&SHARED, redis, ended, clock)
    }

    /// Under keys that begin otherwise: its logins are nothing to another mount.
    pub(super) fn under(prefixes: &'static Prefixes, redis: &Redis, ended: Revocations, clock: Clock) -> Self {
        let ended = Arc::new(ended);
        let redis = redis.recovered_by(Arc::new(SessionRecovery { prefixes, ended: ended.clone() }));
        Self { redis, clock, prefixes, ended }
    }

    /// Ends logins that may be the user's: first where it lasts, then where it is read.
    async fn end_each(&self, user: UserId, logins: &[LoginId]) -> Result<(), StoreError> {
        if logins.is_empty() {
            return Ok(());
        }
        self.ended.revoke_all(user, logins).await?;
        let of_user: Vec<_> = logins.iter().map(|login| (user, login.clone())).collect();
        self.redis.run::<bool>(&end(self.prefixes, &of_user)).await.map(drop)
    }

    /// Looks at every record and ends those of the user.
    async fn end_unlisted(&self, user: UserId) -> Result<(), StoreError> {
        let mut cursor: u64 = 0;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{}*", self.prefixes.record)).arg("COUNT").arg(1000);
            let (next, keys): (u64, Vec<String>) = self.redis.query(&scan).await?;
            let logins: Vec<_> =
                keys.iter().filter_map(|key| LoginId::parse(key.strip_prefix(self.prefixes.record)?)).collect();
            let found: Vec<_> = self.read(user, logins).await?.into_iter().map(|(login, _)| login).collect();
            self.end_each(user, &found).await?;
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }

    /// The names in the user's index, from this expiry on.
    async fn listed(&self, user: UserId, from: &str) -> Result<Vec<LoginId>, StoreError> {
        let mut range = redis::cmd("ZRANGE");
        range.arg(self.prefixes.index_key(user)).arg(from).arg("+inf").arg("BYSCORE");
        let logins: Vec<String> = self.redis.query(&range).await?;
        Ok(logins.iter().filter_map(|login| LoginId::parse(login)).collect())
    }

    /// The records among these that are the user's.
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

    /// `condition` is `NX` (only if absent) or `XX` (only if present). True if it was stored.
    async fn write(&self, condition: &str, id: &Id, record: &LoginRecord) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let login = LoginId::of_session(id);
        // Redis refuses a life of zero; a record that is over is not stored.
        let life = record.expires.since(now).as_millis();
        if life == 0 {
            return Ok(false);
        }
        let text = record.encode().map_err(|error| StoreError::new(STEP_NAMES.name, &error))?;
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
        // 128 random bits do not meet twice: a second refusal means that the record is over before it began.
        for _ in 0..2 {
            if self.write("NX", &record.id, &login).await.map_err(|error| backend(&error))? {
                return Ok(());
            }
            record.id = Id::default();
        }
        Err(ended())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let login = LoginRecord::from_record(record)?;
        match self.write("XX", &record.id, &login).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(ended()),
            Err(error) => Err(backend(&error)),
        }
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.find(&LoginId::of_session(id)).await?.map(|found| found.to_record(id)).transpose()
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let login = LoginId::of_session(id);
        let deleted = match self.find(&login).await {
            Ok(Some(record)) => return self.end(record.user, &login).await.map_err(|error| backend(&error)),
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
        let living = self.listed(user, &format!("({}", self.clock.now().as_millis())).await?;
        self.read(user, living).await
    }

    async fn end(&self, user: UserId, login: &LoginId) -> Result<(), StoreError> {
        self.end_each(user, std::slice::from_ref(login)).await
    }

    async fn end_all(&self, user: UserId) -> Result<(), StoreError> {
        // For the logins that Redis does not name now: it may have lost them, and have them in a snapshot.
        self.ended.raise_generation(user).await?;
        let listed = self.listed(user, "-inf").await?;
        self.ended.revoke_all(user, &listed).await?;
        let mut end = END_ALL.key(self.prefixes.index_key(user));
        end.arg(self.prefixes.record);
        let ended: Vec<String> = self.redis.run(&end).await?;
        // What was opened meanwhile ended too, and is written down as well.
        let known: HashSet<_> = listed.iter().map(LoginId::as_str).collect();
        let late: Vec<_> = ended.iter().filter(|login| !known.contains(login.as_str())).collect();
        let late: Vec<_> = late.into_iter().filter_map(|login| LoginId::parse(login)).collect();
        self.end_each(user, &late).await?;
        // Where keys are evicted the index may be gone and records not.
        if self.redis.evicting_policy().await?.is_some() { self.end_unlisted(user).await } else { Ok(()) }
    }

    async fn footprint(&self, user: UserId, login: &LoginId) -> Result<Footprint, StoreError> {
        let (record, index) = (self.prefixes.record_key(login), self.prefixes.index_key(user));
        let whole = self.redis.memory_of(&index).await?;
        let logins: u64 = self.redis.query(redis::cmd("ZCARD").arg(&index)).await?;
        let login = self.redis.memory_of(&record).await? + PLACE;
        let how = "Redis MEMORY USAGE of the record and of the user's index";
        Ok(Footprint { login, user: whole.saturating_sub(logins * PLACE), how, ..Footprint::default() })
    }
}
