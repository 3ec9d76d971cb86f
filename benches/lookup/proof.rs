//! Proves that a wrong outcome stops a bench.

use std::panic;
use std::sync::Arc;

use jwt_vs_session::auth::Credentials;

use crate::stage::Stage;
use crate::stage::logins::OpenLogin;
use crate::stage::probes::Identify;
use crate::stage::timing::repeat;

/// Sends wrong credentials through the loop of the benches. Each must end in a panic.
pub fn a_wrong_answer_stops_the_bench(stage: &Stage) {
    let (jwt, session) = (stage.strategy("jwt"), stage.strategy("session"));
    let [a, b, ..] = &stage.logins("jwt")[..] else { panic!("two logins") };
    let broken = OpenLogin { credentials: forged(a.credential()), identity: a.identity.clone() };
    let swapped = OpenLogin { credentials: b.credentials.clone(), identity: a.identity.clone() };
    let unknown = OpenLogin { credentials: Credentials::new(Some("A".repeat(22))), identity: a.identity.clone() };
    let wrong = [
        ("a broken signature", &jwt, broken),
        ("another user's token", &jwt, swapped),
        ("an unknown id", &session, unknown),
    ];
    for (what, strategy, login) in wrong {
        let probe = Identify::new(strategy.clone(), Arc::new([login]));
        assert!(stops(stage, probe), "{what} was accepted");
        eprintln!("{what} stops a bench");
    }
}

/// Changes the last but one character of the signature: some bits of the last one are padding.
fn forged(token: &str) -> Credentials {
    let (kept, end) = token.split_at(token.len() - 2);
    let other = if end.starts_with('A') { 'B' } else { 'A' };
    Credentials::new(Some(format!("{kept}{other}{}", &end[1..])))
}

fn stops(stage: &Stage, probe: Identify) -> bool {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome = stage.runtime.block_on(async { tokio::spawn(repeat(probe, 0, 1)).await });
    panic::set_hook(usual);
    outcome.is_err_and(|error| error.is_panic())
}
