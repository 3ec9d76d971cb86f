//! Sessions in this process' memory: nothing to install, nothing shared, nothing left after a restart.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store;

use super::{Footprint, LoginRecord, LoginStore, StepNames, StoreError, not_saved};
use crate::clock::{Clock, Timestamp};
use crate::identity::{LoginId, UserId};
use crate::trace::StepKind;

const STEP_NAMES: StepNames = StepNames {
    name: "This process",
    held_in: "process memory",
    kind: StepKind::Memory,
    recall: None,
    load: "process memory: look the record up by the hash of the id",
    create: "process memory: insert the record, only if the id is new",
    touch: "process memory: slide the idle limit, only if the record is still there",
    revoke: "process memory: remove the record and its index entry",
    revoke_all: "process memory: remove every record of the user",
    list: "process memory: read the user's records",
};

/// The records, an index by user and a queue by expiry, under one lock: they change together or not at all.
///
/// Each new record makes room first: the store deletes the expired ones. So memory is bounded by the open logins.
pub struct MemorySessions {
    clock: Clock,
    tables: RwLock<Tables>,
}

#[derive(Default)]
struct Tables {
    records: HashMap<LoginId, Arc<LoginRecord>>,
    by_user: HashMap<UserId, HashSet<LoginId>>,
    by_expiry: BTreeSet<(Timestamp, LoginId)>,
}

impl Tables {
    fn put(&mut self, login: LoginId, record: LoginRecord) {
        self.remove(&login);
        self.by_user.entry(record.user).or_default().insert(login.clone());
        self.by_expiry.insert((record.expires, login.clone()));
        self.records.insert(login, Arc::new(record));
    }

    fn remove(&mut self, login: &LoginId) {
        let Some(record) = self.records.remove(login) else { return };
        self.by_expiry.remove(&(record.expires, login.clone()));
        if let Some(logins) = self.by_user.get_mut(&record.user) {
            logins.remove(login);
            if logins.is_empty() {
                self.by_user.remove(&record.user);
            }
        }
    }

    fn delete_expired(&mut self, now: Timestamp) {
        while let Some((_, login)) = self.by_expiry.first().filter(|(expires, _)| *expires <= now).cloned() {
            self.remove(&login);
        }
    }
}

impl fmt::Debug for MemorySessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySessions").field("records", &self.read().records.len()).finish()
    }
}

impl MemorySessions {
    pub fn new(clock: Clock) -> Self {
        Self { clock, tables: RwLock::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// False if there is no unexpired record to replace.
    fn replace(&self, id: &Id, record: &LoginRecord) -> bool {
        let login = LoginId::of_session(id);
        let mut tables = self.write();
        let now = self.clock.now();
        let is_open = tables.records.get(&login).is_some_and(|stored| stored.expires > now);
        if is_open {
            tables.put(login, record.clone());
        }
        is_open
    }
}

#[async_trait]
impl SessionStore for MemorySessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let login = LoginRecord::from_record(record)?;
        let mut tables = self.write();
        tables.delete_expired(self.clock.now());
        while tables.records.contains_key(&LoginId::of_session(&record.id)) {
            record.id = Id::default();
        }
        tables.put(LoginId::of_session(&record.id), login);
        Ok(())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let login = LoginRecord::from_record(record)?;
        if self.replace(&record.id, &login) { Ok(()) } else { Err(not_saved()) }
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.find(&LoginId::of_session(id)).await?.map(|found| found.to_record(id)).transpose()
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.write().remove(&LoginId::of_session(id));
        Ok(())
    }
}

#[async_trait]
impl LoginStore for MemorySessions {
    fn step_names(&self) -> &'static StepNames {
        &STEP_NAMES
    }

    async fn find(&self, login: &LoginId) -> session_store::Result<Option<Arc<LoginRecord>>> {
        let found = self.read().records.get(login).cloned();
        Ok(found.filter(|record| record.expires > self.clock.now()))
    }

    async fn touch(&self, id: &Id, record: &LoginRecord) -> Result<bool, StoreError> {
        Ok(self.replace(id, record))
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<(LoginId, LoginRecord)>, StoreError> {
        let now = self.clock.now();
        let tables = self.read();
        let logins = tables.by_user.get(&user).into_iter().flatten();
        let records = logins.filter_map(|login| Some((login.clone(), LoginRecord::clone(tables.records.get(login)?))));
        Ok(records.filter(|(_, record)| record.expires > now).collect())
    }

    async fn revoke(&self, user: UserId, login: &LoginId) -> Result<bool, StoreError> {
        let mut tables = self.write();
        let is_theirs = tables.records.get(login).is_some_and(|record| record.user == user);
        if is_theirs {
            tables.remove(login);
        }
        Ok(is_theirs)
    }

    async fn revoke_all_but(&self, user: UserId, kept: Option<&LoginId>) -> Result<(), StoreError> {
        let mut tables = self.write();
        let logins = tables.by_user.get(&user).cloned().unwrap_or_default();
        for login in logins.iter().filter(|login| Some(*login) != kept) {
            tables.remove(login);
        }
        Ok(())
    }

    async fn footprint(&self, _user: UserId, login: &LoginId) -> Result<Footprint, StoreError> {
        let tables = self.read();
        let Some(record) = tables.records.get(login) else { return Ok(Footprint::default()) };
        let text = record.name.len() + record.device.len() + record.address.len();
        let entries = size_of::<(LoginId, LoginRecord)>() + size_of::<(Timestamp, LoginId)>() + size_of::<LoginId>();
        let login = entries + 3 * login.as_str().len() + text;
        let user = size_of::<(UserId, HashSet<LoginId>)>();
        let how = "counted: the record, its texts and its entries in three tables, without what the allocator adds";
        Ok(Footprint { login: login as u64, user: user as u64, rows: false, how })
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::identity::Role;

    const LIFE: Duration = Duration::from_mins(30);

    #[tokio::test]
    async fn process_memory_drops_expired_records() {
        let clock = Clock::manual(Timestamp::from_millis(1_800_000_000_000));
        let store = MemorySessions::new(clock.clone());
        let base = LoginRecord {
            user: UserId::random(),
            name: "Alice".into(),
            role: Role::User,
            issued: clock.now(),
            seen: clock.now(),
            expires: clock.now() + LIFE,
            absolute: clock.now() + LIFE,
            device: "".into(),
            address: "".into(),
        };
        let record = |login: &LoginRecord| Record {
            id: Id::default(),
            data: [("login".to_owned(), json!(login))].into(),
            expiry_date: login.expires.to_date_time(),
        };
        for _ in 0..1_000 {
            store.create(&mut record(&base)).await.expect("it is stored");
        }
        assert_eq!(store.read().records.len(), 1_000);
        clock.advance(LIFE);
        let later = LoginRecord { expires: clock.now() + LIFE, ..base };
        store.create(&mut record(&later)).await.expect("it is stored");
        assert_eq!(store.read().records.len(), 1, "expired records are dropped");
        store.revoke_all(later.user).await.expect("they end");
        assert!(store.read().records.is_empty());
    }
}
