//! Runs each check for each strategy that it applies to, as a test named `contract::CHECK::STRATEGY`.

use std::pin::Pin;

use jwt_vs_session::app::StrategyEntry;
use libtest_mimic::Trial;
use tokio::runtime::{Builder, Runtime};

use super::checks::CHECKS;
use super::fixture::Fixture;
use super::strategy_under_test::StrategyUnderTest;
use super::variants::{Variant, variants};

type CheckRun = fn(Fixture, StrategyUnderTest) -> Pin<Box<dyn Future<Output = ()>>>;

/// A promise that a strategy keeps or breaks.
#[derive(Clone, Copy)]
pub struct Check {
    pub name: &'static str,
    run: CheckRun,
    /// What a strategy says of itself decides, never its name.
    applies: fn(&Variant) -> bool,
    multi_thread: bool,
    needs_redis: bool,
    on_postgres: bool,
}

impl Check {
    /// A check of every strategy, on one thread.
    pub const fn new(name: &'static str, run: CheckRun) -> Self {
        Self { name, run, applies: |_| true, multi_thread: false, needs_redis: false, on_postgres: false }
    }

    /// Applies to these strategies only.
    pub const fn of(self, applies: fn(&Variant) -> bool) -> Self {
        Self { applies, ..self }
    }

    /// Runs on as many threads as there are cores: what races must be able to happen at once.
    pub const fn multi_thread(self) -> Self {
        Self { multi_thread: true, ..self }
    }

    /// Has a Redis under every strategy.
    pub const fn with_redis(self) -> Self {
        Self { needs_redis: true, ..self }
    }

    /// Runs on PostgreSQL as well.
    pub const fn on_postgres(self) -> Self {
        Self { on_postgres: true, ..self }
    }

    fn test(self, variant: Variant) -> Trial {
        let name = format!("contract::{}::{}", self.name, variant.name);
        Trial::test(name, move || {
            self.runtime().block_on(async {
                let (fixture, node) = Fixture::start(&variant, self.needs_redis).await;
                (self.run)(fixture, node).await;
            });
            Ok(())
        })
    }

    fn runtime(self) -> Runtime {
        let mut builder = if self.multi_thread { Builder::new_multi_thread() } else { Builder::new_current_thread() };
        builder.enable_all().build().expect("a runtime")
    }
}

/// The tests of every strategy of a list.
pub fn tests_of(list: &'static [StrategyEntry]) -> Vec<Trial> {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let variants = runtime.block_on(variants(list));
    // By check: each strategy's quick checks come before the slow ones of any.
    let of_check = |check: &Check| {
        let applying = variants.iter().filter(|variant| (check.applies)(variant));
        let tests = applying.flat_map(|variant| {
            let on_postgres = check.on_postgres.then(|| check.test(variant.on_postgres()));
            [Some(check.test(variant.clone())), on_postgres].into_iter().flatten()
        });
        tests.collect::<Vec<_>>()
    };
    CHECKS.iter().flat_map(of_check).collect()
}
