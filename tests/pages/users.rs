//! A presenter disables, enables and deletes users.

use jwt_vs_session::auth::Backend;

use super::client::{Answer, MountClient};
use super::server::{PASSWORD, TestServer, name};
use crate::common::{TestApp, bare_client};

const NEW: &str = "ein-anderes-brot-um-fünf";

#[tokio::test]
async fn a_disabled_user_cannot_log_in_and_every_login_ends_as_promised() {
    for server in TestServer::on_both_databases().await {
        let carol = carol(&server).await;
        let victim = Victim::of(&server, "victim").await;
        let page = carol.act(&victim, "disable", &[]).await;
        assert!(page.body.contains("is disabled, and cannot log in."), "{}", page.body);
        victim.assert_ended(&server, &page).await;
        let clients: Vec<_> = server.mounts().iter().map(|mount| (mount, server.client(mount))).collect();
        for (mount, client) in &clients {
            let (right, wrong) = (client.log_in(&victim.name, PASSWORD).await, client.log_in(&victim.name, NEW).await);
            assert_eq!((right.status, wrong.status), (401, 401), "{}", mount.slug);
            assert_eq!(main_of(&right), main_of(&wrong), "the answer tells nothing");
            let taken = client.post("/register", &[("username", &victim.name), ("password", NEW)]).await;
            assert_eq!(taken.status, 409, "{}", mount.slug);
        }
        carol.act(&victim, "enable", &[]).await;
        for (mount, client) in &clients {
            assert_eq!(client.log_in(&victim.name, PASSWORD).await.status, 303, "{}", mount.slug);
        }
        victim.assert_ended(&server, &page).await;
    }
}

#[tokio::test]
async fn a_deleted_user_is_another_one_than_who_takes_the_name() {
    for server in TestServer::on_both_databases().await {
        let carol = carol(&server).await;
        let victim = Victim::of(&server, "goner").await;
        let refused = carol.try_to(&victim, "delete", &[("name", "somebody")]).await;
        assert_eq!(refused.status, 400, "the name must be typed");
        let page = carol.act(&victim, "delete", &[("name", &victim.name)]).await;
        victim.assert_ended(&server, &page).await;
        let client = server.client(&server.mounts()[0]);
        assert_eq!(client.log_in(&victim.name, PASSWORD).await.status, 401);
        client.register(&victim.name, NEW).await;
        assert_ne!(client.me().await.json()["user_id"], victim.id.as_str());
        victim.assert_ended(&server, &page).await;
    }
}

#[tokio::test]
async fn only_a_presenter_whose_row_says_so_ends_others_and_nobody_themselves() {
    let server = TestServer::start().await;
    let carol = carol(&server).await;
    let victim = Victim::of(&server, "bystander").await;
    for mount in server.mounts() {
        let (user, stranger) = (server.client(mount), server.client(mount));
        user.demo_login("bob").await;
        for path in ["/users".to_owned(), format!("/users/{}", victim.id)] {
            assert_eq!(user.get(&path).await.status, 403, "{}{path}", mount.slug);
            assert!(stranger.get(&path).await.location().contains("/login?next="), "{}{path}", mount.slug);
        }
        for action in ["disable", "enable", "delete"] {
            let path = format!("/users/{}/{action}", victim.id);
            assert_eq!(user.post(&path, &[("name", &victim.name)]).await.status, 403, "{}{path}", mount.slug);
            let answer = stranger.post(&path, &[("name", &victim.name)]).await;
            assert_eq!((answer.status, answer.location()), (303, format!("{}/login", user.base).as_str()));
        }
    }
    assert_eq!(server.client(&server.mounts()[0]).log_in(&victim.name, PASSWORD).await.status, 303, "nothing happened");
    for (action, form) in [("disable", vec![]), ("delete", vec![("name", "carol")])] {
        let path = format!("/users/{}/{action}", carol.id);
        assert_eq!(carol.client.post(&path, &form).await.status, 400, "{action}");
    }
    for id in ["nonsense", "6f0b3c6e-5d0e-4c53-9a53-0f2a3f3a9d11"] {
        assert_eq!(carol.client.get(&format!("/users/{id}")).await.status, 404, "{id}");
    }
    let foreign = carol.client.post_request(&format!("/users/{}/disable", victim.id));
    let foreign = foreign.header("sec-fetch-site", "cross-site").send().await.expect("an answer");
    assert_eq!(foreign.status(), 403, "a form of another site");
}

/// A token says "presenter" until it expires. The row of the user does not.
#[tokio::test]
async fn a_presenter_who_was_disabled_ends_nobody_with_an_old_token() {
    let server = TestServer::start().await;
    let plain = &server.title_pair()[0];
    let cookie = server.client(plain).demo_login("carol").await;
    let disable = async |id: &str| {
        let path = server.app.url(&format!("/{}/users/{id}/disable", plain.slug));
        bare_client().post(path).header("cookie", &cookie).send().await.expect("an answer").status()
    };
    let (carol, victim) = (carol(&server).await, Victim::of(&server, "lucky").await);
    let sql = format!("sqlite://{}/test.db", server.app.folder.path().display());
    let database = sea_orm::Database::connect(sql).await.expect("the same file");
    let disabled = "UPDATE users SET disabled_at = 1 WHERE name = 'carol'";
    sea_orm::ConnectionTrait::execute_unprepared(&database, disabled).await.expect("it is disabled");
    assert!(server.accepts(plain, &cookie).await, "the token is valid");
    assert_eq!(disable(&victim.id).await, 403);
    assert_eq!(disable(&carol.id).await, 403);
}

/// Where only expiry ends a login, a copy of a presenter's token goes on after the log out. It changes no user.
#[tokio::test]
async fn a_presenter_who_logged_out_changes_nobody_with_a_copy_of_a_token() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let client = server.client(mount);
        let copy = client.demo_login("carol").await;
        let victim = Victim::of(&server, &name(mount, "kept")).await;
        let page = client.get(&format!("/users/{}", victim.id)).await;
        let expires = mount.promise.only_expires();
        assert_eq!(page.body.contains("<button class=\"danger\">"), !expires, "{}", mount.slug);
        assert_eq!(client.post("/logout", &[]).await.status, 303);
        for action in ["disable", "enable", "delete"] {
            let path = server.app.url(&format!("/{}/users/{}/{action}", mount.slug, victim.id));
            let form = [("name", &victim.name)];
            let reply = bare_client().post(path).header("cookie", &copy).form(&form).send().await.expect("an answer");
            assert_eq!(reply.status(), if expires { 400 } else { 303 }, "{} {action}", mount.slug);
        }
        let login = server.client(&server.title_pair()[1]).log_in(&victim.name, PASSWORD).await;
        assert_eq!(login.status, 303, "{}: nothing happened", mount.slug);
    }
}

/// What the page says of a mount whose store the server does without, and what the panel counts.
#[tokio::test]
async fn the_pages_of_users_claim_no_outage_and_show_what_they_read() {
    let app = TestApp::start(&[]).await;
    let mount = app.strategies.iter().find(|mount| !mount.transport.bearer).expect("a session mount");
    let client = MountClient::new(&app, mount);
    client.demo_login("carol").await;
    let list = client.get("/users").await.body;
    assert!(list.contains("SELECT the presenter") && list.contains("SELECT the users by name"), "{list}");
    let bob = list.lines().find(|line| line.contains(">bob</a>")).expect("a user");
    let bob = bob.split("&#x2f;users/").nth(1).or_else(|| bob.split("/users/").nth(1)).expect("a link");
    let (bob, _) = bob.split_once('"').expect("an id");
    let page = client.follow(&client.post(&format!("/users/{bob}/disable"), &[]).await).await.body;
    assert!(!page.contains("does not answer"), "{page}");
    let absent = app.strategies.iter().filter(|mount| mount.backend == Backend::Redis);
    for mount in absent {
        let line = page.lines().find(|line| line.contains(&format!("<dt>/{}</dt>", mount.slug)));
        assert!(line.is_some_and(|line| line.contains("the server runs without Redis")), "{}: {page}", mount.slug);
    }
    assert!(page.contains("UPDATE the user: disabled"), "the request before: {page}");
}

#[tokio::test]
async fn the_list_finds_users_by_the_beginning_of_their_names_and_escapes_them() {
    let server = TestServer::start().await;
    let carol = carol(&server).await;
    let page = carol.client.get("/users").await;
    for shown in ["alice", "bob", "carol", "(you)"] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let page = carol.client.get("/users?name=AL").await;
    assert!(page.body.contains(">alice</a>") && !page.body.contains(">bob</a>"), "{}", page.body);
    let page = carol.client.get("/users?name=%25%3Cb%3E").await;
    assert!(page.body.contains("No user name begins with “") && !page.body.contains("%<b>"), "{}", page.body);
}

/// The presenter, logged in under `/session`.
struct Presenter {
    client: MountClient,
    id: String,
}

async fn carol(server: &TestServer) -> Presenter {
    let client = server.client(&server.title_pair()[1]);
    client.demo_login("carol").await;
    let id = client.me().await.json()["user_id"].as_str().expect("an id").to_owned();
    Presenter { client, id }
}

impl Presenter {
    async fn try_to(&self, victim: &Victim, action: &str, form: &[(&str, &str)]) -> Answer {
        self.client.post(&format!("/users/{}/{action}", victim.id), form).await
    }

    /// Does it, and returns the page that says what was done.
    async fn act(&self, victim: &Victim, action: &str, form: &[(&str, &str)]) -> Answer {
        let asked = self.client.get(&format!("/users/{}", victim.id)).await;
        assert!(asked.body.contains(&format!("/{action}")), "{}", asked.body);
        let answer = self.try_to(victim, action, form).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        self.client.follow(&answer).await
    }
}

/// A user who is logged in under every mount.
struct Victim {
    name: String,
    id: String,
    /// Each credential, and what renews it.
    logins: Vec<(String, Option<String>)>,
}

impl Victim {
    async fn of(server: &TestServer, rest: &str) -> Self {
        let name = name(&server.mounts()[0], rest);
        server.client(&server.mounts()[0]).register(&name, PASSWORD).await;
        let (mut logins, mut last) = (Vec::new(), server.client(&server.mounts()[0]));
        for mount in server.mounts() {
            let client = server.client(mount);
            let answer = client.log_in(&name, PASSWORD).await;
            let renewal = mount.transport.refresh_cookie.and_then(|cookie| answer.cookie(cookie));
            let renewal = renewal.and_then(|line| line.split(';').next()).map(ToOwned::to_owned);
            logins.push((client.credential(&answer), renewal));
            last = client;
        }
        let id = last.me().await.json()["user_id"].as_str().expect("an id").to_owned();
        Self { name, id, logins }
    }

    /// Every login ended as its strategy promises, the page says so, and none can be renewed.
    async fn assert_ended(&self, server: &TestServer, page: &Answer) {
        for (mount, (cookie, renewal)) in server.mounts().iter().zip(&self.logins) {
            server.assert_revoked(mount, cookie).await;
            let word = if mount.promise.only_expires() { "until the token expires" } else { "revoked every login" };
            let line = page.body.lines().find(|line| line.contains(&format!("<dt>/{}</dt>", mount.slug)));
            assert!(line.is_some_and(|line| line.contains(word)), "{}: {}", mount.slug, page.body);
            if let Some(renewal) = renewal {
                assert!(!server.accepts(mount, renewal).await, "{}: renewed", mount.slug);
            }
        }
    }
}

fn main_of(page: &Answer) -> &str {
    super::client::between(&page.body, "<main", "</main>").expect("a page")
}
