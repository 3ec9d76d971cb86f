//! Counts instructions: the counts repeat on a noisy machine and show the cost of a change to a tenth of a percent.
//!
//! `cargo bench --bench instructions` needs valgrind and `gungraun-runner`, see the README. It counts only strategies that
//! call no store. Valgrind's processor has neither SHA nor AVX-512 instructions: compare these counts with each other,
//! not with times.
#![allow(clippy::expect_used, missing_docs)]

#[path = "stage/hs256.rs"]
mod hs256;

mod instructions {
    pub mod fixed;
}

use std::fs::Permissions;
use std::hint::black_box;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use gungraun::prelude::*;
use jwt_vs_session::auth::{
    AuthStrategy, Credentials, Identity, JwtStrategy, Keys, SessionLimits, SessionStrategy, SigningAlgorithm,
};
use jwt_vs_session::clock::{Clock, Timestamp};
use jwt_vs_session::identity::{Device, Role, Subject, UserId};
use jwt_vs_session::store::sessions::MemorySessions;
use jwt_vs_session::trace::Trace;
use secrecy::{ExposeSecret as _, SecretString};

use self::hs256::Token;
use self::instructions::fixed;

/// The name in the fixed tokens.
const NAME: &str = "visitor-00000";

/// A count checks each session once, so the random ids average out.
const SESSIONS: usize = 1_000;

/// A strategy and the credentials to check.
struct Prepared {
    strategy: Arc<dyn AuthStrategy>,
    credentials: Vec<Credentials>,
    traced: bool,
}

impl Prepared {
    /// Checks once before the count, so that everything lazy is initialized.
    fn warm(self) -> Self {
        self.check();
        self
    }

    fn check(&self) {
        for credentials in &self.credentials {
            let trace = if self.traced { Trace::on() } else { Trace::off() };
            let outcome = self.strategy.identify(credentials, &trace).now_or_never().expect("it waits for nothing");
            assert!(matches!(&outcome, Ok(Some(Identity { subject, .. })) if subject.name == NAME), "{outcome:?}");
        }
    }
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_millis(fixed::NOW))
}

fn jwt(algorithm: SigningAlgorithm) -> Prepared {
    let pair = |text: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("chmod");
        Keys::from_file(&path, algorithm).expect("a key")
    };
    let (keys, token) = match algorithm {
        SigningAlgorithm::Hs256 => {
            let secret = SecretString::from(fixed::HS256_SECRET);
            (Keys::from_secret(&secret).expect("a key"), fixed::HS256_TOKEN)
        }
        SigningAlgorithm::Es256 => (pair(fixed::ES256_KEY), fixed::ES256_TOKEN),
        SigningAlgorithm::EdDsa => (pair(fixed::EDDSA_KEY), fixed::EDDSA_TOKEN),
        SigningAlgorithm::Rs256 => (pair(fixed::RS256_KEY), fixed::RS256_TOKEN),
    };
    let strategy = Arc::new(JwtStrategy::new(Arc::new(keys), Duration::from_mins(15), clock()));
    let credentials = vec![Credentials::new(Some(token.to_owned()))];
    Prepared { strategy, credentials, traced: true }.warm()
}

fn jwt_untraced(algorithm: SigningAlgorithm) -> Prepared {
    Prepared { traced: false, ..jwt(algorithm) }.warm()
}

fn sessions(traced: bool) -> Prepared {
    let limits = SessionLimits { idle: Duration::from_mins(30), absolute: Duration::from_hours(12) };
    let strategy = SessionStrategy::in_process(Arc::new(MemorySessions::new(clock())), limits, clock());
    let user = UserId("8f14e45f-ceea-467f-a0e6-7a3f6ab1c2d3".parse().expect("a number"));
    let subject = Subject { id: user, name: NAME.into(), role: Role::User };
    let credential = || {
        let device = Device { label: "Firefox on Linux".into(), address: "192.0.2.17".into() };
        let grant = strategy.issue(&subject, &device, &Trace::off()).now_or_never();
        let grant = grant.expect("it waits for nothing").expect("a login");
        Credentials::new(Some(grant.credential.expose_secret().to_owned()))
    };
    let credentials = (0..SESSIONS).map(|_| credential()).collect();
    Prepared { strategy: Arc::new(strategy), credentials, traced }.warm()
}

#[library_benchmark]
#[bench::hs256(args = (SigningAlgorithm::Hs256), setup = jwt)]
#[bench::es256(args = (SigningAlgorithm::Es256), setup = jwt)]
#[bench::eddsa(args = (SigningAlgorithm::EdDsa), setup = jwt)]
#[bench::rs256(args = (SigningAlgorithm::Rs256), setup = jwt)]
#[bench::hs256_untraced(args = (SigningAlgorithm::Hs256), setup = jwt_untraced)]
fn jwt_identify(prepared: Prepared) -> Prepared {
    black_box(&prepared).check();
    prepared
}

#[library_benchmark]
#[bench::of_1000(args = (true), setup = sessions)]
#[bench::of_1000_untraced(args = (false), setup = sessions)]
fn session_memory_identify(prepared: Prepared) -> Prepared {
    black_box(&prepared).check();
    prepared
}

/// The floor of `jwt_identify`.
fn floor() -> (hs256::Key, Token) {
    let floor = (hs256::key(fixed::HS256_SECRET), Token::new(fixed::HS256_TOKEN, fixed::JTI));
    floor.1.check(&floor.0);
    floor
}

#[library_benchmark]
#[bench::hs256(setup = floor)]
fn jwt_floor((key, token): (hs256::Key, Token)) -> (hs256::Key, Token) {
    black_box(&token).check(&key);
    (key, token)
}

library_benchmark_group!(name = identify, benchmarks = [jwt_floor, jwt_identify, session_memory_identify]);
main!(library_benchmark_groups = identify);
