//! The commands beside the server: users and strategies.

use super::program::{Program, command, run, run_with_input};
use crate::common::folder;

const PASSWORD: &str = "käse-und-brot-um-vier";

#[tokio::test]
async fn a_user_is_added_with_the_password_from_standard_input() {
    let server = Program::start(&["--no-demo"]).await;
    let folder = server.folder.path();
    let added = run_with_input(command(folder, &["user", "add", "Dörte"]), &format!("{PASSWORD}\n")).await;
    assert_eq!(String::from_utf8_lossy(&added.stdout), "added Dörte with the role user\n", "{added:?}");
    let added = run_with_input(command(folder, &["user", "add", "eva", "--role", "presenter"]), PASSWORD).await;
    assert_eq!(String::from_utf8_lossy(&added.stdout), "added eva with the role presenter\n", "{added:?}");
    for user in ["dörte", "EVA"] {
        assert_eq!(server.log_in("/jwt", user, PASSWORD).await.0, 303, "{user}");
    }
}

#[tokio::test]
async fn a_taken_name_or_an_unfit_password_is_refused() {
    let folder = folder();
    let add = async |name: &str, password: &str| {
        let output = run_with_input(command(folder.path(), &["user", "add", name]), password).await;
        (output.status.code(), String::from_utf8(output.stderr).expect("text"))
    };
    assert_eq!(add("straße", PASSWORD).await.0, Some(0));
    for (name, password, sentence) in [
        ("STRASSE", PASSWORD, "error: this user name is taken\n"),
        ("ab", PASSWORD, "error: A user name has 3 to 32 characters.\n"),
        ("newcomer", "seven-7\n", "error: A password has 8 to 128 characters.\n"),
        ("newcomer", "", "error: A password has 8 to 128 characters.\n"),
        ("newcomer", "password1", "error: This password is among the first that an attacker tries."),
    ] {
        let (status, said) = add(name, password).await;
        assert!(status.is_some_and(|status| status != 0), "{name}: {status:?}");
        assert!(said.starts_with(sentence) && !said.contains("panicked"), "{said}");
    }
    assert_eq!(add("newcomer", PASSWORD).await.0, Some(0), "no refused command added the user");
}

#[tokio::test]
async fn the_strategies_are_listed_for_people_and_for_programs() {
    let server = Program::start(&[]).await;
    let folder = server.folder.path();
    let without_redis = ["strategies", "--redis-url", "none"];
    let json = run(command(folder, &[&without_redis[..], &["--format", "json"]].concat())).await;
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON and nothing else");
    let rows = json["strategies"].as_array().expect("rows");
    let ready: serde_json::Value = serde_json::from_str(&server.page("/readyz").await).expect("JSON");
    let mounts = ready["strategies"].as_array().expect("rows").iter().map(|row| &row["strategy"]);
    assert!(mounts.eq(rows.iter().map(|row| &row["slug"])), "{rows:?}");
    let table = run(command(folder, &without_redis)).await;
    let table = String::from_utf8(table.stdout).expect("text");
    for row in rows {
        for field in ["slug", "summary", "revocation"] {
            assert!(table.contains(row[field].as_str().expect("text")), "{field} of {row} in {table}");
        }
        let needs_redis = row["backend"] == "redis";
        assert_eq!((row["ready"].as_bool(), row["why_not"].is_string()), (Some(!needs_redis), needs_redis), "{row}");
    }
}

#[tokio::test]
async fn listing_the_strategies_creates_no_file() {
    let folder = folder();
    let listed = run(command(folder.path(), &["strategies", "--redis-url", "none", "--jwt-algorithm", "es256"])).await;
    assert!(listed.status.success(), "{listed:?}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

/// The report has the fields that scripts rely on, and a debug build prints a warning.
#[tokio::test]
async fn the_cost_is_printed_with_its_conditions_and_a_debug_build_says_so() {
    let folder = folder();
    let options = ["lab", "cost", "--strategies", "session-sql,jwt", "--delay", "2ms", "--logins", "10"];
    let json =
        run(command(folder.path(), &[&options[..], &["--redis-url", "none", "--format", "json"]].concat())).await;
    let said = String::from_utf8_lossy(&json.stderr).into_owned();
    assert_eq!(said.contains("THIS IS A DEBUG BUILD"), cfg!(debug_assertions), "{said}");
    let report: serde_json::Value =
        serde_json::from_slice(&json.stdout).unwrap_or_else(|_| panic!("no JSON: {json:?}"));
    assert_eq!(report["conditions"]["delay_ms"], 2.0);
    assert!(report["indicative"].as_bool().expect("a boolean") && report["floors"]["select_ns"]["p50"].is_number());
    let rows = report["results"].as_array().expect("rows");
    assert_eq!(rows.iter().map(|row| row["strategy"].as_str().unwrap()).collect::<Vec<_>>(), ["jwt", "session-sql"]);
    for row in rows {
        for (field, kinds) in
            [("identify_ns", &["p50", "p99"][..]), ("issue_ns", &["p50", "p99"]), ("revoke_ns", &["p50", "p99"])]
        {
            assert!(kinds.iter().all(|kind| row[field][kind].as_f64().expect("a number") > 0.0), "{field} of {row}");
        }
        assert!(["store_calls", "request_bytes", "stored_bytes"].iter().all(|field| row[field].is_number()), "{row}");
    }
    let (jwt, sql) = (&rows[0], &rows[1]);
    assert!(sql["identify_ns"]["p5"].as_f64() >= Some(2e6), "the delay is in every call: {sql}");
    assert_eq!((&jwt["store_calls"], &sql["store_calls"]), (&0.0.into(), &1.0.into()));
    for (option, value) in [("--delay", "9ms"), ("--logins", "0"), ("--hit-rate", "101"), ("--claims", "9000")] {
        let refused = run(command(folder.path(), &["lab", "cost", option, value])).await;
        assert_eq!(refused.status.code(), Some(2), "{option} {value}");
    }
}
