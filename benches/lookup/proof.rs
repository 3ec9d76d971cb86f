//! The benches' own check, checked first: a bench that cannot fail proves nothing.

use std::panic;
use std::sync::Arc;

use jwt_vs_session::auth::Credentials;

use crate::stage::Stage;
use crate::stage::logins::Opened;
use crate::stage::questions::Identify;
use crate::stage::timing::repeat;

/// Asks for what is not the login, through the loop that the benches use. Each must end in a panic.
pub fn a_wrong_answer_stops_the_bench(stage: &Stage) {
    let (jwt, session) = (stage.strategy("jwt"), stage.strategy("session"));
    let [a, b, ..] = &stage.logins("jwt")[..] else { panic!("two logins") };
    let broken = Opened { credentials: forged(a.credential()), identity: a.identity.clone() };
    let swapped = Opened { credentials: b.credentials.clone(), identity: a.identity.clone() };
    let unknown = Opened { credentials: Credentials::new(Some("A".repeat(22))), identity: a.identity.clone() };
    let wrong = [
        ("a broken signature", &jwt, broken),
        ("somebody else's token", &jwt, swapped),
        ("an unknown id", &session, unknown),
    ];
    for (what, strategy, login) in wrong {
        let question = Identify::new(strategy.clone(), Arc::new([login]));
        assert!(stops(stage, question), "{what} went unnoticed");
        eprintln!("{what} stops a bench");
    }
}

/// The last character of the signature but one is another: the last one has bits that mean nothing.
fn forged(token: &str) -> Credentials {
    let (kept, end) = token.split_at(token.len() - 2);
    let other = if end.starts_with('A') { 'B' } else { 'A' };
    Credentials::new(Some(format!("{kept}{other}{}", &end[1..])))
}

fn stops(stage: &Stage, question: Identify) -> bool {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome = stage.runtime.block_on(async { tokio::spawn(repeat(question, 0, 1)).await });
    panic::set_hook(usual);
    outcome.is_err_and(|error| error.is_panic())
}
