//! `docs/security-log.md` and the code say the same, and no field leaves its line.

use std::collections::BTreeSet;

use serde_json::Value;

use super::line::SecurityLine;
use super::*;
use crate::clock::Timestamp;

const DOCS: &str = include_str!("../../docs/security-log.md");

/// One of each. A new variant fails to compile in [`next`] until it stands there.
fn all() -> Vec<SecurityEvent> {
    std::iter::successors(Some(SecurityEvent::LoginAccepted), next).collect()
}

fn next(event: &SecurityEvent) -> Option<SecurityEvent> {
    use SecurityEvent::*;
    let path = || "/jwt/login".to_owned();
    Some(match event {
        LoginAccepted => LoginRefused { reason: LoginRefusal::WrongPassword },
        LoginRefused { .. } => Registered,
        Registered => Logout { reach: RevocationReach::This },
        Logout { .. } => LoginRevoked {
            reach: RevocationReach::Other,
            cause: RevocationCause::DeviceList,
            revoked_login_id: Some(LoginId::random()),
            refused_within_ms: 0,
        },
        LoginRevoked { .. } => {
            RevocationUnconfirmed { reach: RevocationReach::Everywhere, cause: RevocationCause::PasswordChange }
        }
        RevocationUnconfirmed { .. } => PasswordChanged,
        PasswordChanged => PasswordChangeRefused { reason: PasswordChangeRefusal::WrongCurrentPassword },
        PasswordChangeRefused { .. } => RefreshReused,
        RefreshReused => CrossSiteRefused { path: path(), origin: Some("https://evil.example".to_owned()) },
        CrossSiteRefused { .. } => RateLimited { path: path(), retry_after_s: 12 },
        RateLimited { .. } => UserDisabled { target_user_id: UserId::random() },
        UserDisabled { .. } => UserEnabled { target_user_id: UserId::random() },
        UserEnabled { .. } => UserDeleted { target_user_id: UserId::random() },
        UserDeleted { .. } => Reset { deleted_users: 3 },
        Reset { .. } => LabStarted { lab: "cost", strategies: vec!["jwt".into()] },
        LabStarted { .. } => EventsLeftOut { left_out: "rate_limited", count: 90 },
        EventsLeftOut { .. } => return None,
    })
}

fn text(event: &SecurityEvent, source: &EventSource, terminal: bool) -> String {
    let time = Timestamp::from_millis(1_800_000_000_000);
    SecurityLine { time, event, source, node: "node-a" }.text(terminal)
}

fn fields(line: &str) -> BTreeSet<String> {
    let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    line.as_object().expect("an object").keys().cloned().collect()
}

#[test]
fn the_docs_have_a_row_and_an_example_of_every_event_and_no_other() {
    let examples: Vec<&str> = DOCS.lines().filter(|line| line.starts_with("{\"time\"")).collect();
    let common = ["time", "event", "request_id", "node", "mount", "user_id", "login_id", "client_address"];
    for event in all() {
        let name = event.name();
        let row = DOCS.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("no row for {name}"));
        let marked = format!("\"event\":\"{name}\"");
        let example =
            examples.iter().find(|line| line.contains(&marked)).unwrap_or_else(|| panic!("{name}: no example"));
        let written = fields(&text(&event, &EventSource::default(), false));
        let shown: BTreeSet<_> = fields(example).into_iter().collect();
        let own = |fields: &BTreeSet<String>| -> Vec<String> {
            fields.iter().filter(|field| !common.contains(&field.as_str())).cloned().collect()
        };
        assert_eq!(own(&shown), own(&written), "{name}");
        assert!(written.is_subset(&shown), "{name}: {shown:?}");
        for field in own(&written) {
            assert!(row.contains(&format!("`{field}`")), "the row of {name} lacks {field}");
        }
    }
    let rows = DOCS.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 2).count();
    assert_eq!((rows, examples.len()), (all().len(), all().len()), "rows and examples in the docs, events in the code");
}

#[test]
fn a_name_is_the_tag_of_its_variant() {
    for event in all() {
        assert_eq!(serde_json::to_value(&event).expect("JSON")["event"], event.name());
    }
}

#[test]
fn no_text_of_a_client_ends_its_line_or_controls_a_terminal() {
    let forged = "/jwt\r\n{\"event\":\"login_accepted\"}\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\u{2028}\" user_id=1";
    let event = SecurityEvent::RateLimited { path: forged.to_owned(), retry_after_s: 1 };
    for terminal in [false, true] {
        let line = text(&event, &EventSource::default(), terminal);
        let (line, rest) = line.split_once('\n').expect("a newline");
        assert_eq!(rest, "");
        assert!(line.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{line}");
        assert!(terminal || serde_json::from_str::<Value>(line).expect("JSON")["path"] == forged, "{line}");
        assert!(!line.contains("\"event\":\"login_accepted\""), "{line}");
    }
}

#[test]
fn people_read_a_line_of_names_and_values() {
    let source = EventSource { client_address: Some([127, 0, 0, 1].into()), ..EventSource::default() };
    let line = text(&SecurityEvent::LoginRefused { reason: LoginRefusal::UnknownUser }, &source, true);
    let wanted =
        "2027-01-15T08:00:00.000Z SECURITY login_refused client_address=127.0.0.1 node=node-a reason=unknown_user\n";
    assert_eq!(line, wanted);
}
