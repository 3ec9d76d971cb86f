//! Which logins ended, in the SQL database: a Redis that restores a snapshot brings their records back, and loses them
//! again before anybody is asked.

use std::sync::Arc;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;

use super::scripts::{END_BEFORE, Prefixes, end};
use crate::store::StoreError;
use crate::store::redis::connection::Recovery;
use crate::store::redis::run_over;
use crate::store::revocations::Revocations;

/// How many logins are ended in one step: Redis serves nobody else meanwhile.
const BATCH: usize = 500;

/// Ends what stands as ended in the SQL database.
#[derive(Debug)]
pub(super) struct SessionRecovery {
    pub prefixes: &'static Prefixes,
    pub ended: Arc<Revocations>,
}

#[async_trait]
impl Recovery for SessionRecovery {
    async fn name(&self) -> Result<String, StoreError> {
        Ok(format!("{} of {}", self.prefixes.record, self.ended.database().await?))
    }

    async fn recover(&self, connection: &mut MultiplexedConnection) -> Result<(), StoreError> {
        let ended = self.ended.logins().await?;
        for batch in ended.chunks(BATCH) {
            run_over::<bool>(connection, &end(self.prefixes, batch)).await?;
        }
        for (user, raised) in self.ended.generations().await? {
            let mut before = END_BEFORE.key(self.prefixes.index_key(user));
            before.arg(self.prefixes.record).arg(raised.as_millis());
            run_over::<bool>(connection, &before).await?;
        }
        Ok(())
    }
}
