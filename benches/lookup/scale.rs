//! `scale/<slug>/<logins>`: the check with a thousand, a hundred thousand, a million stored logins.
//!
//! Each number has its own Redis and database, filled with rows and keys in the form that the stores write. The logins
//! that the bench checks are spread among them. Under the blocklists the number counts revoked tokens; each user whose
//! login is checked has one of them.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion};
use jwt_vs_session::auth::AuthStrategy;
use jwt_vs_session::clock::Clock;
use jwt_vs_session::identity::{Subject, UserId};
use jwt_vs_session::trace::Trace;

use crate::stage::logins::{self, OpenLogin, device};
use crate::stage::pairs::{Pairs, Side};
use crate::stage::probes::Identify;
use crate::stage::timing::bench;
use crate::stage::{LOGINS, Stage, bulk};

/// The bench opens the real logins in this many portions, between the filling.
const PORTIONS: usize = 8;

pub fn all(criterion: &mut Criterion, pairs: &Pairs) {
    let few = Scale::of(1_000);
    for stored in [1_000, 100_000, 1_000_000] {
        let scale = Scale::of(stored);
        for slug in SLUGS {
            let id = format!("scale/{slug}/{stored}");
            let side = Side::new(&id, || scale.stage(), || scale.probe(slug));
            if stored == few.stored {
                let mut group = criterion.benchmark_group("scale");
                let name = BenchmarkId::new(slug, stored);
                bench(&mut group, name, || &few.stage().runtime, || few.probe(slug));
            } else if slug == "jwt-pushed" {
                // Its target compares it with the strategy that keeps no list.
                pairs.one(criterion, &side, &Side::new("lookup/jwt", || scale.stage(), || scale.without_list()));
            } else {
                let against = format!("scale/{slug}/{}", few.stored);
                pairs.one(criterion, &side, &Side::new(&against, || few.stage(), || few.probe(slug)));
            }
        }
    }
}

const SLUGS: [&str; 6] = ["session", "session-tracked", "session-sql", "session-memory", "jwt-blocklist", "jwt-pushed"];

/// Stores with this many logins. Each part is made once, when it is first used.
struct Scale {
    stored: usize,
    stage: OnceCell<Stage>,
    probes: RefCell<BTreeMap<&'static str, Identify>>,
}

impl Scale {
    fn of(stored: usize) -> Self {
        Self { stored, stage: OnceCell::new(), probes: RefCell::default() }
    }

    fn stage(&self) -> &Stage {
        self.stage.get_or_init(|| Stage::open(LOGINS.min(self.stored)))
    }

    fn probe(&self, slug: &'static str) -> Identify {
        if let Some(known) = self.probes.borrow().get(slug) {
            return known.clone();
        }
        let stage = self.stage();
        let made = match slug {
            "session-memory" => self.in_memory(stage),
            "jwt-blocklist" => self.blocklist(stage),
            "jwt-pushed" => self.pushed(stage),
            _ => self.sessions(stage, slug),
        };
        self.probes.borrow_mut().insert(slug, made.clone());
        made
    }

    fn without_list(&self) -> Identify {
        Identify::new(self.stage().strategy("jwt"), self.stage().logins("jwt"))
    }

    /// The number of logins that are only rows and keys.
    fn filling(&self) -> usize {
        self.stored - LOGINS.min(self.stored)
    }

    fn sessions(&self, stage: &Stage, slug: &str) -> Identify {
        let strategy = stage.strategy(slug);
        let users = stage.users();
        let mut opened = Vec::with_capacity(users.len());
        for portion in users.chunks(users.len().div_ceil(PORTIONS)) {
            let filling = (self.filling() / PORTIONS) as u64;
            stage.runtime.block_on(async {
                fill_sessions(stage, slug, filling).await;
                opened.extend(logins::open(&strategy, portion).await);
            });
        }
        Identify::new(strategy.clone(), stage.ready(&strategy, opened))
    }

    /// Opens every login; the checked ones lie among the others.
    fn in_memory(&self, stage: &Stage) -> Identify {
        let strategy = stage.strategy("session-memory");
        let (users, others) = (stage.users(), self.filling() / stage.users().len());
        let opened = stage.runtime.block_on(async {
            let mut opened = Vec::with_capacity(users.len());
            for user in users {
                opened.push(open_among(&strategy, user, stage.guests(), others).await);
            }
            opened
        });
        Identify::new(strategy.clone(), stage.ready(&strategy, opened))
    }

    fn blocklist(&self, stage: &Stage) -> Identify {
        let strategy = stage.strategy("jwt-blocklist");
        let client = stage.redis_client();
        stage.runtime.block_on(async {
            self.revoke_in_sql(stage, "jwt-blocklist").await;
            bulk::redis_revoked(&client, "jwt-blocklist", self.filling() as u64).await;
        });
        Identify::new(strategy.clone(), stage.open_under(&strategy))
    }

    /// A node reads the revocations when it connects, so this node starts after they are stored.
    fn pushed(&self, stage: &Stage) -> Identify {
        stage.runtime.block_on(self.revoke_in_sql(stage, "jwt-pushed"));
        let node = stage.second_node(&["--redis-url", &stage.socket_url()]);
        let strategy = node.strategy("jwt-pushed").expect("the strategy").clone();
        Identify::new(strategy.clone(), stage.open_under(&strategy))
    }

    async fn revoke_in_sql(&self, stage: &Stage, scope: &str) {
        let (pool, expires) = (stage.node.sql().pool(), now() + 24 * 3_600_000);
        let users: Vec<UserId> = stage.users().iter().map(|user| user.id).collect();
        bulk::sql_revoked_of(pool, scope, &users, expires).await;
        if self.filling() > 0 {
            bulk::sql_revoked(pool, scope, self.filling() as u64, expires).await;
        }
    }
}

async fn fill_sessions(stage: &Stage, slug: &str, count: u64) {
    match slug {
        _ if count == 0 => {}
        "session-sql" => bulk::sql_sessions(stage.node.sql().pool(), count, now()).await,
        "session" => bulk::redis_sessions(&stage.redis_client(), ("{jvs}:s:", "{jvs}:u:"), count, now()).await,
        _ => bulk::redis_sessions(&stage.redis_client(), ("{jvs}:ts:", "{jvs}:tu:"), count, now()).await,
    }
}

/// Opens a login of a user and then `count` logins of others.
async fn open_among(strategy: &Arc<dyn AuthStrategy>, user: &Subject, others: &[Subject], count: usize) -> OpenLogin {
    let grant = strategy.issue(user, &device(), &Trace::off()).await.expect("a login is opened");
    for other in others.iter().cycle().take(count) {
        strategy.issue(other, &device(), &Trace::off()).await.expect("a login is opened");
    }
    OpenLogin::new(grant)
}

fn now() -> i64 {
    Clock::system().now().as_millis()
}
