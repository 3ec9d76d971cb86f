//! The commands beside the server: users and strategies.

use super::program::{Program, command, run, run_with_input};

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
async fn a_name_that_is_taken_or_a_password_that_is_none_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
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
    assert_eq!(add("newcomer", PASSWORD).await.0, Some(0), "nobody was added before");
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
        let needs_redis = row["needs"] == "redis";
        assert_eq!((row["ready"].as_bool(), row["why_not"].is_string()), (Some(!needs_redis), needs_redis), "{row}");
    }
}

#[tokio::test]
async fn figures_that_are_not_there_are_told_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("report.json"), "{}").expect("a file");
    for (arguments, sentence) in [
        (&["lab", "cost", "--from-criterion"][..], "error: target/criterion cannot be read (No such file"),
        (&["lab", "cost", "--from-criterion", "nowhere", "--format", "json"], "error: nowhere cannot be read"),
        (&["lab", "figures", "--criterion", "."], "error: there are no figures in .; cargo bench"),
        (&["lab", "figures", "--revocation", "none.json"], "error: none.json cannot be read"),
        (&["lab", "figures", "--revocation", "report.json"], "error: report.json is not a report of lab revocation"),
    ] {
        let output = run(command(folder.path(), arguments)).await;
        let said = String::from_utf8(output.stderr).expect("text");
        assert!(!output.status.success() && said.starts_with(sentence), "{arguments:?}: {said}");
    }
}
