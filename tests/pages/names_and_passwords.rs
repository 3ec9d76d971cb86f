//! Which names and passwords are valid, which are the same, and that an unknown user looks like a wrong password.

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
    let (long, huge) = ("x".repeat(33), "\u{fdfa}".repeat(3000));
    for mount in server.title_pair() {
        for (bad, sentence) in [
            ("", "A user name has 3 to 32 characters."),
            ("ab", "A user name has 3 to 32 characters."),
            (&long, "A user name has 3 to 32 characters."),
            (&huge, "A user name has 3 to 32 characters."),
            ("with spaces in it", "A user name has letters, digits, dots, hyphens and underscores only."),
            ("zero\u{200b}width", "A user name has letters, digits, dots, hyphens and underscores only."),
            ("semi;colon", "A user name has letters, digits, dots, hyphens and underscores only."),
        ] {
            let page = server.client(mount).post("/register", &[("username", bad), ("password", PASSWORD)]).await;
            assert_kept(&page, 422, sentence, bad);
        }
    }
}

#[tokio::test]
async fn a_rejected_password_is_refused_with_a_sentence() {
    let server = TestServer::start().await;
    let long = "é".repeat(129);
    let guessed = "This password is among the first that an attacker tries. Choose a longer or rarer one.";
    for mount in server.title_pair() {
        let user = name(mount, "careless");
        for (bad, sentence) in [
            ("", "A password has 8 to 128 characters."),
            ("seven-7", "A password has 8 to 128 characters."),
            (&long, "A password has 8 to 128 characters."),
            ("password1", guessed),
            (&user, guessed),
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
    assert!(alert.ends_with(sentence), "{typed:?}: {alert}");
    let field = between(&page.body, r#"name="username" value=""#, "\"").expect("a field");
    assert_eq!(unescaped(field), typed);
}
