//! Pages show whatever a client sends as text, never as markup.

use super::client::{answer, between, unescaped};
use super::server::{PASSWORD, TestServer, base};
use crate::common::wire::Wire;
use crate::common::{DEMO_PASSWORD, bare_client};

const MARKUP: [&str; 4] =
    ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onfocus='alert(1)", "{{ 7919 * 7907 }}"];

fn assert_only_text(what: &str, page: &str) {
    for part in ["<script>alert", "<img", "onerror=alert(1)>", "'alert(1)", "62615533"] {
        assert!(!page.contains(part), "{what}: {part} in {page}");
    }
}

#[tokio::test]
async fn a_name_with_markup_is_invalid_and_shown_as_text() {
    let server = TestServer::start().await;
    for mount in server.title_pair() {
        for markup in MARKUP {
            for (form, status) in [("/register", 422), ("/login", 401)] {
                let page = server.client(mount).post(form, &[("username", markup), ("password", PASSWORD)]).await;
                assert_eq!(page.status, status, "{markup}");
                assert_only_text(form, &page.body);
                let field = between(&page.body, r#"name="username" value=""#, "\"").expect("a field");
                assert_eq!(unescaped(field), markup);
            }
        }
    }
}

#[tokio::test]
async fn every_page_of_a_mount_leads_to_the_labs_and_to_the_same_page_of_the_others() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let client = server.client(mount);
        let others = || server.mounts().iter().filter(|other| other.slug != mount.slug);
        let escaped = |path: String| format!("href=\"{}\"", path.replace('/', "&#x2f;"));
        for (path, same) in [("/", "/"), ("/login?next=x", "/login"), ("/register", "/register"), ("/nowhere", "/")] {
            let page = client.get(path).await.body;
            assert!(page.contains("href=\"/labs/revocation\"") && page.contains("href=\"/labs/cost\""), "{page}");
            for other in others() {
                let link = format!("{}{same}", base(other));
                assert!(page.contains(&escaped(link.clone())), "{}{path} does not lead to {link}: {page}", mount.slug);
            }
        }
        let refused = client.log_in("alice", "wrong").await.body;
        assert!(others().all(|other| refused.contains(&escaped(base(other) + "/"))), "after a POST: {refused}");
    }
}

#[tokio::test]
async fn next_with_markup_stays_inside_its_field() {
    let server = TestServer::start().await;
    for mount in server.title_pair() {
        for markup in MARKUP {
            for next in [format!("{}/{markup}", base(mount)), format!("{}/?{markup}", base(mount)), markup.to_owned()] {
                let fields = [("username", "alice"), ("password", "wrong"), ("next", next.as_str())];
                let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", &next).finish();
                let client = server.client(mount);
                for page in [client.post("/login", &fields).await, client.get(&format!("/login?{query}")).await] {
                    assert_only_text(&next, &page.body);
                }
                let fields = [("username", "alice"), ("password", DEMO_PASSWORD), ("next", next.as_str())];
                let location = client.post("/login", &fields).await.location().to_owned();
                assert!(!location.contains(['<', '>', '"']) && location.starts_with(&base(mount)), "{location}");
            }
        }
    }
}

#[tokio::test]
async fn a_browsers_name_is_shown_as_text() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        for markup in MARKUP {
            let form = [("username", "alice"), ("password", DEMO_PASSWORD)];
            let client = server.client(mount);
            let login = answer(client.post_request("/login").header("user-agent", markup).form(&form)).await;
            assert_eq!(login.status, 303);
            for page in ["/devices", "/profile"] {
                assert_only_text(page, &client.get(page).await.body);
            }
        }
    }
}

/// A path stands in the panel, in the navigation's idea of where one is, and in `next`.
#[tokio::test]
async fn a_path_with_quotes_is_shown_as_text() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        for path in ["/\"onmouseover=\"alert(1)", "/devices?\"><b>", "/<script>alert(1)</script>", "/profile?'\"x"] {
            let reply = Wire::open(server.app.address).await.get(&format!("{}{path}", base(mount)), "").await;
            assert!([303, 400, 404].contains(&reply.status), "{path}: {}", reply.status);
            assert!(
                !reply.body.contains("\"onmouseover=\"") && !reply.body.contains("<script>alert"),
                "{}",
                reply.body
            );
            let location = reply.header("location").unwrap_or_default();
            assert!(!location.contains(['"', '<', '>', '\'']), "{location}");
        }
    }
}

/// A claim, an id or a header that came back in a page would be shown as text too.
#[tokio::test]
async fn a_credential_with_markup_is_shown_as_text() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        for markup in ["<script>alert(1)</script><script>alert(1)</script>", "\"><img src=x>\"><img src=x>"] {
            let url = server.app.url(&format!("{}/", base(mount)));
            let cookie = format!("{}={markup}", mount.transport.cookie);
            assert_only_text(markup, &answer(bare_client().get(url).header("cookie", cookie)).await.body);
        }
    }
}
