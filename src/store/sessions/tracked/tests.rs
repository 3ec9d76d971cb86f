//! The copies and the tickets of one node, without Redis.

use super::*;
use crate::clock::Timestamp;
use crate::identity::Role;

fn record(user: UserId) -> Arc<LoginRecord> {
    let moment = Timestamp::from_millis(1_800_000_000_000);
    Arc::new(LoginRecord {
        user,
        name: "Alice".into(),
        role: Role::User,
        issued: moment,
        seen: moment,
        expires: moment,
        absolute: moment,
        device: "".into(),
        address: "".into(),
    })
}

fn keep(copies: &TrackedCopies, user: UserId) -> LoginId {
    let login = LoginId::random();
    copies.keep(login.clone(), copies.ticket(&login), record(user));
    login
}

#[test]
fn a_record_read_before_an_eviction_is_not_kept_also_when_it_is_read_again() {
    let (copies, login, user) = (TrackedCopies::default(), LoginId::random(), UserId::random());
    let before = copies.ticket(&login);
    copies.evict(&login);
    let after = copies.ticket(&login);
    copies.keep(login.clone(), before, record(user));
    assert!(copies.get(&login).is_none(), "it may have been revoked since");
    copies.keep(login.clone(), after, record(user));
    assert!(copies.get(&login).is_some());
}

#[test]
fn a_read_that_finds_nothing_or_is_given_up_leaves_no_ticket() {
    let (copies, login) = (TrackedCopies::default(), LoginId::random());
    drop(ReadTicket { copies: &copies, login: &login, ticket: copies.ticket(&login) });
    assert!(copies.tickets().valid.is_empty());
    let given_up = ReadTicket { copies: &copies, login: &login, ticket: copies.ticket(&login) };
    let later = copies.ticket(&login);
    drop(given_up);
    copies.keep(login.clone(), later, record(UserId::random()));
    assert!(copies.get(&login).is_some(), "it returns its own ticket only");
}

#[test]
fn an_eviction_takes_the_copies_that_it_names_and_no_others() {
    let (copies, alice, bob) = (TrackedCopies::default(), UserId::random(), UserId::random());
    let [first, second, other] = [keep(&copies, alice), keep(&copies, alice), keep(&copies, bob)];
    let kept = |login: &LoginId| copies.get(login).is_some();
    assert!(kept(&first) && kept(&second) && kept(&other));
    copies.evict(&first);
    assert!(!kept(&first) && kept(&second) && kept(&other));
    let under_way = LoginId::random();
    let ticket = copies.ticket(&under_way);
    copies.evict_user(alice);
    assert!(!kept(&second) && kept(&other));
    copies.keep(under_way.clone(), ticket, record(alice));
    assert!(!kept(&under_way), "it was read before");
    copies.clear();
    assert!(!kept(&other));
}
