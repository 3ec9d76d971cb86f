//! Credentials that no node issued: arbitrary text, and issued credentials that were changed.

use std::cell::Cell;

use jwt_vs_session::auth::{Credentials, Grant};
use jwt_vs_session::trace::Trace;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;

use super::fixture::Fixture;
use super::strategy_under_test::StrategyUnderTest;

/// Mutated credentials for each strategy.
const MUTATIONS: u32 = 1_500;

#[derive(Clone, Debug)]
enum Mutation {
    Arbitrary(String),
    FlipBit(Index, u8),
    Truncate(Index),
    BeginLater(Index),
    Remove(Index),
    Insert(Index, char),
    Replace(Index, char),
    Append(String),
    Prepend(String),
    ChangeCase(Index),
    ChangeCaseOfAll(bool),
    SwapCharacters(Index, Index),
    SwapParts(Index, Index),
    DropPart(Index),
    RepeatPart(Index),
    PartOfAnother(Index),
    SpliceWithAnother(Index, Index),
}

#[allow(clippy::enum_glob_use)] // a name each line
fn mutation() -> impl Strategy<Value = Mutation> {
    use Mutation::*;
    let index = any::<Index>;
    let likely = || proptest::char::ranges(vec!['-'..='.', '0'..='9', 'A'..='Z', '_'..='_', 'a'..='z'].into());
    let blank = r"[ \t\r\n\x00=.A-Za-z0-9_-]{1,8}";
    prop_oneof![
        any::<String>().prop_map(Arbitrary),
        "[A-Za-z0-9_-]{22}".prop_map(Arbitrary),
        r"[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,80}".prop_map(Arbitrary),
        (index(), 0..8_u8).prop_map(|(at, bit)| FlipBit(at, bit)),
        index().prop_map(Truncate),
        index().prop_map(BeginLater),
        index().prop_map(Remove),
        (index(), any::<char>()).prop_map(|(at, c)| Insert(at, c)),
        (index(), likely()).prop_map(|(at, c)| Replace(at, c)),
        blank.prop_map(Append),
        blank.prop_map(Prepend),
        index().prop_map(ChangeCase),
        any::<bool>().prop_map(ChangeCaseOfAll),
        (index(), index()).prop_map(|(a, b)| SwapCharacters(a, b)),
        (index(), index()).prop_map(|(a, b)| SwapParts(a, b)),
        index().prop_map(DropPart),
        index().prop_map(RepeatPart),
        index().prop_map(PartOfAnother),
        (index(), index()).prop_map(|(a, b)| SpliceWithAnother(a, b)),
    ]
}

impl Mutation {
    /// `good` and `other` are credentials in ASCII.
    fn of(&self, good: &str, other: &str) -> String {
        let mut bytes = good.as_bytes().to_vec();
        let end = bytes.len();
        match self {
            Self::Arbitrary(text) => return text.clone(),
            Self::FlipBit(at, bit) => bytes[at.index(end)] ^= 1 << bit,
            Self::Truncate(at) => bytes.truncate(at.index(end)),
            Self::BeginLater(at) => drop(bytes.drain(..=at.index(end))),
            Self::Remove(at) => drop(bytes.remove(at.index(end))),
            Self::Insert(at, c) => {
                let at = at.index(end + 1);
                return format!("{}{c}{}", &good[..at], &good[at..]);
            }
            Self::Replace(at, c) => bytes[at.index(end)] = *c as u8,
            Self::Append(text) => return format!("{good}{text}"),
            Self::Prepend(text) => return format!("{text}{good}"),
            Self::ChangeCase(at) => bytes[at.index(end)] ^= 0x20,
            Self::ChangeCaseOfAll(true) => return good.to_ascii_uppercase(),
            Self::ChangeCaseOfAll(false) => return good.to_ascii_lowercase(),
            Self::SwapCharacters(a, b) => bytes.swap(a.index(end), b.index(end)),
            Self::SpliceWithAnother(a, b) => {
                return format!("{}{}", &good[..a.index(end)], &other[b.index(other.len())..]);
            }
            of_parts => return of_parts.of_parts(good, other),
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn of_parts(&self, good: &str, other: &str) -> String {
        let mut parts: Vec<&str> = good.split('.').collect();
        let others: Vec<&str> = other.split('.').collect();
        let end = parts.len();
        match self {
            Self::SwapParts(a, b) => parts.swap(a.index(end), b.index(end)),
            Self::DropPart(at) => drop(parts.remove(at.index(end))),
            Self::RepeatPart(at) => parts.insert(at.index(end), parts[at.index(end)]),
            Self::PartOfAnother(at) => parts[at.index(end)] = others[at.index(end)],
            _ => unreachable!("not a mutation of parts"),
        }
        parts.join(".")
    }
}

pub async fn no_mutated_credential_is_accepted_and_none_is_a_failure(fixture: Fixture, node: StrategyUnderTest) {
    let good = node.log_in(&fixture.alice().await).await;
    let other = node.log_in(&fixture.bob().await).await;
    // Only a thread that may block can wait for a strategy inside of proptest.
    tokio::task::block_in_place(|| present_mutations(&node, &good, &other));
    for grant in [&good, &other] {
        assert!(node.accepts(grant).await, "the original is refused");
    }
}

fn present_mutations(node: &StrategyUnderTest, good: &Grant, other: &Grant) {
    let (good, other) = (good.credential.expose_secret(), other.credential.expose_secret());
    let presented = Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: MUTATIONS, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&mutation(), |mutation| {
        let changed = mutation.of(good, other);
        if [good, other].contains(&changed.as_str()) {
            return Ok(());
        }
        presented.set(presented.get() + 1);
        let trace = Trace::on();
        let credentials = Credentials::new(Some(changed.clone()));
        let found = Handle::current().block_on(node.strategy.identify(&credentials, &trace));
        prop_assert!(matches!(found, Ok(None)), "{changed:?}: {found:?}");
        prop_assert!(trace.refusal().is_some(), "{changed:?}: refused without a reason");
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(presented.get() >= MUTATIONS / 2, "only {} mutated credentials", presented.get());
}
