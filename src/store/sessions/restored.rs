//! Which logins ended, in the SQL database: a Redis that restores a snapshot brings their records back, and loses them
//! again before anybody is asked.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use redis::Script;
use redis::aio::MultiplexedConnection;

use super::redis::Prefixes;
use super::{LoginId, UserId};
use crate::store::link::Recovery;
use crate::store::revocations::Revocations;
use crate::store::{Redis, StoreError};

/// How many logins are ended in one step: Redis serves nobody else meanwhile.
const BATCH: usize = 500;

/// Ends logins, each if it is the user's. A record that cannot be read belongs to nobody and goes too.
/// Keys: record and index of each. Arguments: login and user of each.
pub(super) static END: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for place = 1, #KEYS, 2 do
            local text, others = redis.call('GET', KEYS[place]), false
            if text then
                local good, record = pcall(cjson.decode, text)
                local user = good and type(record) == 'table' and record.u
                others = type(user) == 'string' and user ~= ARGV[place + 1]
            end
            if not others then
                redis.call('DEL', KEYS[place])
                redis.call('ZREM', KEYS[place + 1], ARGV[place])
            end
        end
        return 1
        ",
    )
});

/// Ends what stands as ended in the SQL database.
#[derive(Debug)]
pub(super) struct Restored {
    pub prefixes: &'static Prefixes,
    pub ended: Arc<Revocations>,
}

#[async_trait]
impl Recovery for Restored {
    fn name(&self) -> &str {
        self.prefixes.record
    }

    async fn recover(&self, connection: &mut MultiplexedConnection) -> Result<(), StoreError> {
        let ended = self.ended.logins().await?;
        for batch in ended.chunks(BATCH) {
            Redis::run_over::<bool>(connection, &end(self.prefixes, batch)).await?;
        }
        Ok(())
    }
}

/// The script for these logins.
pub(super) fn end(prefixes: &Prefixes, logins: &[(UserId, LoginId)]) -> redis::ScriptInvocation<'static> {
    let mut end = END.prepare_invoke();
    for (user, login) in logins {
        end.key(prefixes.record_key(login)).key(prefixes.index_key(*user));
        end.arg(login.as_str()).arg(user.to_string());
    }
    end
}
