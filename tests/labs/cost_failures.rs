//! Failures would be fast: the cost lab stops at the first wrong answer, and revokes the logins that it opened.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jwt_vs_session::app::App;
use jwt_vs_session::auth::{
    AuthStrategy, Credentials, Description, Effect, Grant, Identity, Login, Promise, Result, RevokeScope,
};
use jwt_vs_session::clock::Clock;
use jwt_vs_session::identity::{Device, LoginId, Subject, UserId};
use jwt_vs_session::labs::cost::{Candidate, Conditions, CostSetup, run};
use jwt_vs_session::labs::nodes::{NodePair, lab_user};
use jwt_vs_session::store::users::Users;
use jwt_vs_session::store::{Redis, Sql};
use jwt_vs_session::trace::Trace;

use crate::common::{folder, settings};

/// Remembers logins by their users; one of its answers is wrong.
struct Faulty {
    description: Description,
    open: Mutex<HashSet<LoginId>>,
    checks: AtomicUsize,
    /// The number of the check that is refused.
    refuses: Option<usize>,
    /// Whether a revoke does nothing.
    forgets_to_revoke: bool,
}

impl Faulty {
    fn identity(subject: &Subject, login: LoginId) -> Identity {
        let now = Clock::system().now();
        Identity {
            subject: subject.clone(),
            login,
            issued_at: now,
            expires_at: now + std::time::Duration::from_mins(1),
        }
    }
}

#[async_trait]
impl AuthStrategy for Faulty {
    fn describe(&self) -> &Description {
        &self.description
    }

    async fn issue(&self, subject: &Subject, _: &Device, _: &Trace) -> Result<Grant> {
        let login = LoginId::random();
        self.open.lock().unwrap().insert(login.clone());
        let credential = format!("{}.{}", subject.id, login).into();
        let identity = Self::identity(subject, login);
        Ok(Grant { identity, credential, max_age: std::time::Duration::from_mins(1), renewal: None })
    }

    async fn identify(&self, credentials: &Credentials, _: &Trace) -> Result<Option<Identity>> {
        let (user, login) = credentials.credential().unwrap().split_once('.').unwrap();
        let login = LoginId::parse(login).unwrap();
        let known = self.open.lock().unwrap().contains(&login);
        let refused = self.refuses == Some(self.checks.fetch_add(1, Ordering::SeqCst));
        let subject = Subject { id: UserId(user.parse().unwrap()), name: "".into(), role: "user".parse().unwrap() };
        Ok((known && !refused).then(|| Self::identity(&subject, login)))
    }

    async fn revoke(&self, who: &Identity, _: RevokeScope, _: &Trace) -> Result<Effect> {
        if !self.forgets_to_revoke {
            self.open.lock().unwrap().remove(&who.login);
        }
        Ok(Effect::Now)
    }

    async fn logins(&self, _: UserId, _: &Trace) -> Result<Option<Vec<Login>>> {
        Ok(None)
    }
}

async fn bench(folder: &Path, strategy: Arc<Faulty>) -> CostSetup {
    let options = settings(folder, &[]);
    let sql = Sql::open(&options.database_url).await.expect("a database");
    let users = Users::new(sql.clone());
    let subject = lab_user(&users, 100).await.expect("a user");
    let pair = NodePair { same: strategy.clone(), other: strategy.clone() };
    let candidates = vec![Candidate { direct: strategy.clone(), delayed: strategy, pair }];
    CostSetup { candidates, users, sql, redis: Redis::absent(), subject, clock: Clock::system() }
}

/// A strategy that needs nothing, keeps no list and revokes one login at a time.
async fn described(folder: &Path) -> Description {
    let app = App::open(&settings(folder, &[]), Clock::system()).await.expect("the app starts");
    let plain = app.strategies().next().expect("a strategy").describe().clone();
    Description { promise: Promise::Immediate, revokes_single: true, ..plain }
}

async fn outcome(refuses: Option<usize>, forgets_to_revoke: bool) -> (std::result::Result<usize, String>, usize) {
    let folder = folder();
    let description = described(folder.path()).await;
    let (open, checks) = (Mutex::default(), AtomicUsize::new(0));
    let strategy = Arc::new(Faulty { description, open, checks, refuses, forgets_to_revoke });
    let bench = bench(folder.path(), strategy.clone()).await;
    let conditions = Conditions { logins: 20, ..Conditions::default() };
    let report = run(&bench, conditions, std::future::pending(), |_| ()).await;
    let left = strategy.open.lock().unwrap().len();
    (report.map(|report| report.results.len()).map_err(|error| error.to_string()), left)
}

#[tokio::test]
async fn without_a_fault_there_is_a_report_and_no_login_is_left() {
    let (report, left) = outcome(None, false).await;
    assert_eq!(report, Ok(1));
    assert_eq!(left, 0);
}

#[tokio::test]
async fn one_wrong_refusal_stops_the_lab_and_the_logins_are_revoked() {
    // Among the timed checks: more than a thousand were right.
    let (report, left) = outcome(Some(1500), false).await;
    assert_eq!(report, Err("jwt: the strategy refused a login that was not revoked, so the lab stopped".to_owned()));
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_revoke_that_does_nothing_stops_the_lab() {
    let (report, _) = outcome(None, true).await;
    assert_eq!(report, Err("jwt: the strategy accepted a login after it was revoked".to_owned()));
}

#[tokio::test]
async fn a_stopped_lab_revokes_its_logins() {
    let folder = folder();
    let description = described(folder.path()).await;
    let (open, checks) = (Mutex::default(), AtomicUsize::new(0));
    let strategy = Arc::new(Faulty { description, open, checks, refuses: None, forgets_to_revoke: false });
    let bench = bench(folder.path(), strategy.clone()).await;
    let stop = async {
        while strategy.open.lock().unwrap().len() < 10 {
            tokio::task::yield_now().await;
        }
    };
    let report = run(&bench, Conditions::default(), stop, |_| ()).await;
    assert!(report.expect_err("it was stopped").to_string().starts_with("the experiment was stopped"));
    assert!(strategy.open.lock().unwrap().is_empty());
}
