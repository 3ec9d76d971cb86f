//! The keys of session records in Redis, and the scripts that change a record and its index in one step.

use std::sync::LazyLock;

use crate::identity::{LoginId, UserId};
use redis::{Script, ScriptInvocation};

/// How the keys of a mount begin. Another mount does not see its logins.
#[derive(Debug)]
pub(super) struct Prefixes {
    pub record: &'static str,
    pub index: &'static str,
}

impl Prefixes {
    pub fn record_key(&self, login: &LoginId) -> String {
        format!("{}{login}", self.record)
    }

    pub fn index_key(&self, user: UserId) -> String {
        format!("{}{user}", self.index)
    }
}

pub(super) static SHARED: Prefixes = Prefixes { record: "{jvs}:s:", index: "{jvs}:u:" };
pub(super) static TRACKED: Prefixes = Prefixes { record: "{jvs}:ts:", index: "{jvs}:tu:" };

/// Stores a record if its key is absent (`NX`) or present (`XX`), and its entry in the index.
/// Keys: record, index. Arguments: NX or XX, record, life in ms, login, expiry in ms, now in ms. Returns 1 or 0.
pub(super) static WRITE: LazyLock<Script> = LazyLock::new(|| {
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

/// Deletes records, each if it is the user's. A record that cannot be read belongs to nobody: the script deletes it too.
/// Keys: record and index of each. Arguments: login and user of each. Returns the number of records that it deleted.
static DELETE_EACH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local deleted = 0
        for i = 1, #KEYS, 2 do
            local text, is_foreign = redis.call('GET', KEYS[i]), false
            if text then
                local readable, record = pcall(cjson.decode, text)
                local user = readable and type(record) == 'table' and record.u
                is_foreign = type(user) == 'string' and user ~= ARGV[i + 1]
            end
            if not is_foreign then
                deleted = deleted + redis.call('DEL', KEYS[i])
                redis.call('ZREM', KEYS[i + 1], ARGV[i])
            end
        end
        return deleted
        ",
    )
});

/// Prepares the script that deletes these logins.
pub(super) fn delete_each(prefixes: &Prefixes, logins: &[(UserId, LoginId)]) -> ScriptInvocation<'static> {
    let mut delete = DELETE_EACH.prepare_invoke();
    for (user, login) in logins {
        delete.key(prefixes.record_key(login)).key(prefixes.index_key(*user));
        delete.arg(login.as_str()).arg(user.to_string());
    }
    delete
}

/// Deletes every login in a user's index but one, and returns which those were. Keys: index. Arguments: prefix of the
/// records, the login to keep or an empty text.
pub(super) static DELETE_ALL_BUT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local deleted = {}
        for _, login in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
            if login ~= ARGV[2] then
                redis.call('DEL', ARGV[1] .. login)
                redis.call('ZREM', KEYS[1], login)
                table.insert(deleted, login)
            end
        end
        return deleted
        ",
    )
});

/// Deletes every login in a user's index that was opened until a moment. Keys: index. Arguments: prefix of the records,
/// the moment in ms.
pub(super) static DELETE_OPENED_UNTIL: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for _, login in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
            local text = redis.call('GET', ARGV[1] .. login)
            local readable, record = pcall(cjson.decode, text or 'null')
            local issued = readable and type(record) == 'table' and tonumber(record.i)
            if not issued or issued <= tonumber(ARGV[2]) then
                redis.call('DEL', ARGV[1] .. login)
                redis.call('ZREM', KEYS[1], login)
            end
        end
        return 1
        ",
    )
});
