//! Deletes revoked sessions from a Redis that restored a snapshot: it has their records again. The SQL database says which
//! sessions were revoked; no check reads Redis before they are deleted.

use std::sync::Arc;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;

use super::scripts::{DELETE_OPENED_UNTIL, Prefixes, delete_each};
use crate::store::StoreError;
use crate::store::redis::connection::Recovery;
use crate::store::redis::run_over;
use crate::store::revocations::Revocations;

/// The most records that one script deletes: Redis serves nobody else meanwhile.
const BATCH: usize = 500;

/// Deletes the records of every session that the SQL database says was revoked.
#[derive(Debug)]
pub(super) struct SessionRecovery {
    pub prefixes: &'static Prefixes,
    pub revocations: Arc<Revocations>,
}

#[async_trait]
impl Recovery for SessionRecovery {
    async fn name(&self) -> Result<String, StoreError> {
        Ok(format!("{} of {}", self.prefixes.record, self.revocations.database().await?))
    }

    async fn recover(&self, connection: &mut MultiplexedConnection) -> Result<(), StoreError> {
        let revoked = self.revocations.revoked_logins().await?;
        for batch in revoked.chunks(BATCH) {
            run_over::<bool>(connection, &delete_each(self.prefixes, batch)).await?;
        }
        for (user, raised) in self.revocations.raised_generations().await? {
            let mut delete = DELETE_OPENED_UNTIL.key(self.prefixes.index_key(user));
            delete.arg(self.prefixes.record).arg(raised.as_millis());
            run_over::<bool>(connection, &delete).await?;
        }
        Ok(())
    }
}
