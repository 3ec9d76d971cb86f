//! Sessions in Redis: one `GET` a request, and scripts where a record and its index must change in one step.
//!
//! Keys: `{jvs}:s:LOGIN` holds a record as JSON, `{jvs}:u:USER` the user's logins sorted by when they expire; under
//! `session-tracked` `{jvs}:ts:` and `{jvs}:tu:`.
//! The braces put all keys into one slot, which a script needs in a cluster.

use std::sync::LazyLock;

use async_trait::async_trait;
use redis::Script;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store;

use super::{Commands, LoginId, LoginRecord, LoginStore, StoreError, Stored, UserId, backend, ended};
use crate::clock::Clock;
use crate::store::Redis;
use crate::trace::StepKind;

const COMMANDS: Commands = Commands {
    name: "Redis",
    held_in: "Redis",
    kind: StepKind::Store,
    recall: None,
    load: "Redis GET: the record under the hash of the id",
    create: "Redis script: SET NX the record with its life, ZADD it to the user's logins",
    touch: "Redis script: SET XX the record with a new idle limit, only if it is still there",
    end: "Redis script: DEL the record, ZREM it from the user's logins",
    end_all: "Redis script: DEL every record of the user and the index",
    list: "Redis ZRANGE the user's logins, MGET their records",
};

/// How the keys of a mount begin: its logins are nothing to another.
#[derive(Debug)]
pub(super) struct Prefixes {
    pub record: &'static str,
    index: &'static str,
}

static SHARED: Prefixes = Prefixes { record: "{jvs}:s:", index: "{jvs}:u:" };
pub(super) static TRACKED: Prefixes = Prefixes { record: "{jvs}:ts:", index: "{jvs}:tu:" };

/// Stores a record if its key is absent (`NX`) or present (`XX`), and its place in the index.
/// Keys: record, index. Arguments: NX or XX, record, life in ms, login, expiry in ms, now in ms. Answers 1 or 0.
static WRITE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[6])
        if not redis.call('SET', KEYS[1], ARGV[2], ARGV[1], 'PX', ARGV[3]) then return 0 end
        redis.call('ZADD', KEYS[2], ARGV[5], ARGV[4])
        local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
        redis.call('PEXPIRE', KEYS[2], string.format('%d', last[2] - ARGV[6]))
        return 1
        ",
    )
});

/// Ends one login, if it is this user's. A record that cannot be read belongs to nobody and goes too.
/// Keys: record, index. Arguments: login, user.
static END: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local text = redis.call('GET', KEYS[1])
        if text then
            local good, record = pcall(cjson.decode, text)
            local user = good and type(record) == 'table' and record.u
            if type(user) == 'string' and user ~= ARGV[2] then return 0 end
            redis.call('DEL', KEYS[1])
        end
        redis.call('ZREM', KEYS[2], ARGV[1])
        return 1
        ",
    )
});

/// Ends every login in a user's index. Keys: index. Arguments: prefix of the records.
static END_ALL: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for _, login in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
            redis.call('DEL', ARGV[1] .. login)
        end
        redis.call('DEL', KEYS[1])
        return 1
        ",
    )
});

/// A session store on Redis.
#[derive(Debug)]
pub struct RedisSessions {
    redis: Redis,
    clock: Clock,
    prefixes: &'static Prefixes,
}

impl RedisSessions {
    /// On this connection.
    pub fn new(redis: Redis, clock: Clock) -> Self {
        Self { redis, clock, prefixes: &SHARED }
    }

    /// Under keys of its own.
    pub(super) fn under(self, prefixes: &'static Prefixes) -> Self {
        Self { prefixes, ..self }
    }

    fn record_key(&self, login: &LoginId) -> String {
        format!("{}{login}", self.prefixes.record)
    }

    fn index_key(&self, user: UserId) -> String {
        format!("{}{user}", self.prefixes.index)
    }

    /// Looks at every record and ends those of the user.
    async fn end_unlisted(&self, user: UserId) -> Result<(), StoreError> {
        let mut cursor: u64 = 0;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{}*", self.prefixes.record)).arg("COUNT").arg(1000);
            let (next, keys): (u64, Vec<String>) = self.redis.query(&scan).await?;
            for login in keys.iter().filter_map(|key| LoginId::parse(key.strip_prefix(self.prefixes.record)?)) {
                self.end(user, &login).await?;
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
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
        let text = record.encode().map_err(|error| StoreError::new(COMMANDS.name, &error))?;
        let mut write = WRITE.key(self.record_key(&login));
        write.key(self.index_key(record.user)).arg(condition).arg(text).arg(u64::try_from(life).unwrap_or(u64::MAX));
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
        let key = self.record_key(&LoginId::of_session(id));
        let text: Option<Vec<u8>> = self.redis.query(redis::cmd("GET").arg(key)).await.map_err(|e| backend(&e))?;
        let Some(text) = text else { return Ok(None) };
        let login = LoginRecord::decode(&text)?;
        if login.expires <= self.clock.now() {
            return Ok(None);
        }
        login.into_record(id).map(Some)
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let login = LoginId::of_session(id);
        let deleted = match self.load(id).await {
            Ok(Some(record)) => {
                return self.end(LoginRecord::from_record(&record)?.user, &login).await.map_err(|e| backend(&e));
            }
            Ok(None) | Err(session_store::Error::Decode(_)) => {
                self.redis.query(redis::cmd("DEL").arg(self.record_key(&login))).await
            }
            Err(error) => return Err(error),
        };
        deleted.map_err(|error| backend(&error))
    }
}

#[async_trait]
impl LoginStore for RedisSessions {
    fn commands(&self) -> &'static Commands {
        &COMMANDS
    }

    async fn touch(&self, id: &Id, record: &LoginRecord) -> Result<bool, StoreError> {
        self.write("XX", id, record).await
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<(LoginId, LoginRecord)>, StoreError> {
        let mut range = redis::cmd("ZRANGE");
        range.arg(self.index_key(user)).arg(format!("({}", self.clock.now().as_millis())).arg("+inf").arg("BYSCORE");
        let logins: Vec<String> = self.redis.query(&range).await?;
        if logins.is_empty() {
            return Ok(Vec::new());
        }
        let mut get = redis::cmd("MGET");
        for login in &logins {
            get.arg(format!("{}{login}", self.prefixes.record));
        }
        let texts: Vec<Option<Vec<u8>>> = self.redis.query(&get).await?;
        let records = logins.iter().zip(texts).filter_map(|(login, text)| {
            let record = LoginRecord::decode(&text?).ok()?;
            Some((LoginId::parse(login)?, record))
        });
        Ok(records.filter(|(_, record)| record.user == user).collect())
    }

    async fn end(&self, user: UserId, login: &LoginId) -> Result<(), StoreError> {
        let mut end = END.key(self.record_key(login));
        end.key(self.index_key(user)).arg(login.as_str()).arg(user.to_string());
        self.redis.run::<bool>(&end).await.map(drop)
    }

    async fn end_all(&self, user: UserId) -> Result<(), StoreError> {
        let mut end = END_ALL.key(self.index_key(user));
        end.arg(self.prefixes.record);
        self.redis.run::<bool>(&end).await?;
        // Where keys are evicted the index may be gone and records not.
        if self.redis.evicting_policy().await?.is_some() { self.end_unlisted(user).await } else { Ok(()) }
    }

    async fn footprint(&self, user: UserId, login: &LoginId) -> Result<Stored, StoreError> {
        let (record, index) = (self.record_key(login), self.index_key(user));
        let share = self.redis.memory_of(&index).await?;
        let logins: u64 = self.redis.query(redis::cmd("ZCARD").arg(&index)).await?;
        let login = self.redis.memory_of(&record).await? + share / logins.max(1);
        let how = "Redis MEMORY USAGE of the record, and its share of the user's index";
        Ok(Stored { login, how, ..Stored::default() })
    }
}
