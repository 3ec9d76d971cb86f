//! Which names and passwords are valid, which are the same, and that an unknown user looks like a wrong password.

use jwt_vs_session::account::UserName;
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};
use unicode_normalization::UnicodeNormalization as _;

use super::client::{Answer, between, unescaped};
use super::server::{PASSWORD, TestServer, name};

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_answer_alike() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            let (client, known) = (server.client(mount), name(mount, "known"));
            server.client(mount).register(&known, PASSWORD).await;
            let wrong = client.log_in(&known, "not the password").await;
            let unknown = client.log_in("nobody-here", "not the password").await;
            assert_eq!((wrong.status, unknown.status), (401, 401));
            assert!(wrong.body.contains("The user name or the password is wrong."), "{}", wrong.body);
            assert_eq!(without_times(&wrong.body, &known), without_times(&unknown.body, "nobody-here"));
            assert_eq!(wrong.steps(), unknown.steps());
            assert!(wrong.steps().iter().any(|step| step.starts_with("hash")), "{:?}", wrong.steps());
            assert!(wrong.cookie(mount.transport.cookie).is_none() && unknown.cookie(mount.transport.cookie).is_none());
        }
    }
}

/// A page without the typed name and without its times.
fn without_times(body: &str, typed: &str) -> String {
    let body = body.replace(typed, "NAME");
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let mut text: String = body.split(digits).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("#");
    for unit in ["ns", "µs", "ms"] {
        text = text.replace(&format!("# {unit}"), "# s");
    }
    text
}

#[tokio::test]
async fn a_name_is_the_same_in_every_spelling() {
    for server in TestServer::on_both_databases().await {
        for mount in server.title_pair() {
            let typed = name(mount, "Straße-re\u{301}my");
            server.client(mount).register(&typed, PASSWORD).await;
            let upper = name(mount, "STRASSE-RÉMY").to_uppercase();
            for spelling in [upper.clone(), fullwidth(&upper.to_lowercase()), format!(" {typed} ")] {
                let client = server.client(mount);
                client.login_cookie(&spelling, PASSWORD).await;
                assert_eq!(client.me().await.json()["username"], name(mount, "Straße-rémy").as_str());
                let twice = [("username", spelling.as_str()), ("password", PASSWORD)];
                let twice = server.client(mount).post("/register", &twice).await;
                assert_kept(&twice, 409, "This user name is taken.", &spelling);
            }
        }
    }
}

fn fullwidth(text: &str) -> String {
    let wide = |c: char| match c {
        '!'..='~' => char::from_u32(c as u32 + 0xFEE0).expect("a fullwidth letter"),
        other => other,
    };
    text.chars().map(wide).collect()
}

#[tokio::test]
async fn a_password_is_the_same_on_every_keyboard() {
    let server = TestServer::start().await;
    for mount in server.title_pair() {
        let user = name(mount, "keyboard");
        server.client(mount).register(&user, "ka\u{308}se-und-brot-um-vier").await;
        server.client(mount).login_cookie(&user, "k\u{e4}se-und-brot-um-vier").await;
    }
}

#[tokio::test]
async fn an_invalid_name_is_refused_with_a_sentence() {
    let server = TestServer::start().await;
    let mixed = "A user name has letters of one script only, such as Latin or Cyrillic. \
        Letters from a to z may stand beside Chinese, Japanese or Korean.";
    let (long, huge) = ("x".repeat(33), "\u{fdfa}".repeat(3000));
    for mount in server.title_pair() {
        for (bad, sentence) in [
            ("", "A user name has 3 to 32 characters."),
            ("ab", "A user name has 3 to 32 characters."),
            (&long, "A user name has 3 to 32 characters."),
            (&huge, "A user name has 3 to 32 characters."),
            ("with spaces in it", "A user name has letters, digits, dots, hyphens and underscores only."),
            ("zero\u{200b}width", "A user name has no invisible characters."),
            ("alice\u{3164}", "A user name has no invisible characters."),
            ("al\u{115f}ice", "A user name has no invisible characters."),
            ("\u{430}lice", mixed),
            ("王小明и", mixed),
            ("semi;colon", "A user name has letters, digits, dots, hyphens and underscores only."),
        ] {
            let page = server.client(mount).post("/register", &[("username", bad), ("password", PASSWORD)]).await;
            assert_kept(&page, 422, sentence, bad);
        }
    }
}

/// A user who registered before a name was refused.
#[tokio::test]
async fn a_user_with_a_name_that_is_refused_today_still_logs_in() {
    let server = TestServer::start().await;
    let mount = &server.mounts()[0];
    let client = server.client(mount);
    client.register("an-older-name", PASSWORD).await;
    let older = "\u{430}lice\u{3164}";
    let file = server.app.folder.path().join("test.db");
    let database = Database::connect(format!("sqlite://{}", file.display())).await.expect("the database");
    let folded = UserName::fold(older);
    let rename = format!("UPDATE users SET name = '{older}', name_folded = '{folded}' WHERE name = 'an-older-name'");
    database.execute_raw(Statement::from_string(DbBackend::Sqlite, rename)).await.expect("an answer");
    server.client(mount).login_cookie(older, PASSWORD).await;
    assert!(client.change_password(PASSWORD, "schinken-und-ei-um-elf").await.status < 400);
    server.client(mount).login_cookie(older, "schinken-und-ei-um-elf").await;
}

/// On another keyboard the same password has up to three times the bytes: the limit is of what the server hashes.
#[tokio::test]
async fn the_limit_of_a_password_is_the_same_on_every_keyboard() {
    let server = TestServer::start().await;
    for mount in server.title_pair() {
        let user = name(mount, "limit");
        let composed = "ấẵậẳắẫằẩ".repeat(16);
        let decomposed: String = composed.nfd().collect();
        assert_eq!((composed.chars().count(), decomposed.chars().count()), (128, 384));
        server.client(mount).register(&user, &composed).await;
        server.client(mount).login_cookie(&user, &decomposed).await;
        let other = name(mount, "limit-2");
        server.client(mount).register(&other, &decomposed).await;
        server.client(mount).login_cookie(&other, &composed).await;
        assert_eq!(server.client(mount).log_in(&user, &format!("{decomposed}x")).await.status, 401);
    }
}

#[tokio::test]
async fn a_longer_minimum_holds_for_every_new_password_and_is_shown() {
    let server = TestServer::with(&["--password-min", "20", "--no-demo"]).await;
    for mount in server.title_pair() {
        let (client, user) = (server.client(mount), name(mount, "careful"));
        for (path, id) in [("/register", "password-hint"), ("/password", "new-hint")] {
            if path == "/password" {
                client.register(&user, PASSWORD).await;
            }
            let page = client.get(path).await;
            let hint = between(&page.body, &format!(r#"id="{id}">"#), "<").expect("a hint");
            assert!(hint.starts_with("20 to 128 characters."), "{hint}");
            assert!(page.body.contains(r#"minlength="20""#), "{}", page.body);
        }
        let short = "schinken-und-ei-elf";
        let sentence = "A password has 20 to 128 characters.";
        let other = server.client(mount).post("/register", &[("username", "short"), ("password", short)]).await;
        assert_kept(&other, 422, sentence, "short");
        let changed = client.change_password(PASSWORD, short).await;
        assert!(changed.status == 422 && changed.body.contains(sentence), "{}", changed.body);
    }
}

#[tokio::test]
async fn a_rejected_password_is_refused_with_a_sentence() {
    let server = TestServer::start().await;
    let long = "é".repeat(129);
    let guessed = "This password is among the first that an attacker tries. Choose a longer or rarer one.";
    let own = "This password is made of your user name or of this service's name. Attackers try these first.";
    for mount in server.title_pair() {
        let user = name(mount, "careless");
        for (bad, sentence) in [
            ("", "A password has 8 to 128 characters."),
            ("seven-7", "A password has 8 to 128 characters."),
            (&long, "A password has 8 to 128 characters."),
            ("password1", guessed),
            (&user, own),
            (&format!("{user}-2026!"), own),
            ("sessionsession", own),
            ("Jwt-Vs-Session-1", own),
            ("n01553s-7wj!", own),
        ] {
            let page = server.client(mount).post("/register", &[("username", &user), ("password", bad)]).await;
            assert_kept(&page, 422, sentence, &user);
        }
        assert_eq!(server.client(mount).log_in(&user, "").await.status, 401, "nobody was registered");
        let longest = "é-ø/ß%ñ+".repeat(16);
        server.client(mount).register(&user, &longest).await;
        server.client(mount).login_cookie(&user, &longest).await;
        assert_eq!(
            server.client(mount).log_in(&user, &format!("{longest}x")).await.status,
            401,
            "the server truncates nothing"
        );
    }
}

/// The page says what is wrong, and the name need not be typed again.
fn assert_kept(page: &Answer, status: u16, sentence: &str, typed: &str) {
    assert_eq!(page.status, status, "{typed:?}: {}", page.body);
    let alert = between(&page.body, r#"id="message">"#, "</p>").expect("a message");
    assert!(unescaped(alert).ends_with(sentence), "{typed:?}: {alert}");
    let field = between(&page.body, r#"name="username" value=""#, "\"").expect("a field");
    assert_eq!(unescaped(field), typed);
}
