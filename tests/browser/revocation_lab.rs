//! `/labs/revocation` in front of a room: by keyboard, in the light and in the dark.

use super::chromium::Chromium;
use super::tab::Tab;
use crate::common::{RedisServer, TestApp, until};

const TELEPHONE: u32 = 375;

/// How many ticks with this sign a login shows, on both nodes.
async fn ticks(tab: &Tab, slug: &str, sign: &str) -> u32 {
    let expression = format!(
        "[...document.querySelectorAll('.login')].filter(e => e.querySelector('.name').textContent === '{slug}')
            .map(e => [...e.querySelectorAll('.ticks i')].filter(i => i.textContent === '{sign}').length)[0]"
    );
    tab.js(&expression).await.unwrap_or(0)
}

/// Whether in one column, which is one moment, the session is refused and the token accepted.
const PARTED: &str = "(() => {
    const login = slug => [...document.querySelectorAll('.login')].find(e => e.querySelector('.name').textContent === slug);
    const signs = slug => [...login(slug).querySelectorAll('.ticks > div')].map(e => [...e.children].map(i => i.textContent));
    const [session, jwt] = ['session', 'jwt'].map(signs);
    return session[0].some((_, at) => [0, 1].every(node => session[node][at] === '✕' && jwt[node][at] === '✓'));
})()";

#[tokio::test]
async fn the_room_sees_which_logins_are_still_accepted() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url(), "--node", "node-1"]).await;
    let chromium = Chromium::start().await;
    for scheme in ["light", "dark"] {
        let mut tab = chromium.tab().await;
        tab.prefer(scheme).await;
        tab.open(&app.url("/labs/revocation")).await;
        let shot = |name: &str| format!("revocation-lab-{scheme}-{name}");
        tab.shot(&shot("1-before")).await;
        let enter = |id: &str| format!("document.getElementById('{id}').focus(), document.activeElement.click()");
        let _: Option<bool> = tab.js(&enter("start")).await;
        until("both nodes accept every login", async || ticks(&tab, "session", "✓").await >= 30).await;
        assert_eq!(ticks(&tab, "session", "✕").await, 0);
        tab.shot(&shot("2-running")).await;
        let focused: Option<String> = tab.js("document.activeElement.id").await;
        assert_eq!(focused.as_deref(), Some("revoke"), "one key more revokes");
        let _: Option<bool> = tab.js(&enter("revoke")).await;
        until("the session is refused and the token goes on", async || tab.js(PARTED).await == Some(true)).await;
        until("the room sees it", async || ticks(&tab, "session", "✕").await >= 10).await;
        tab.shot(&shot("3-revoked")).await;
        until("the token has expired", async || ticks(&tab, "jwt", "✕").await >= 4).await;
        until("the run is over", async || tab.text().await.contains("The run is over")).await;
        tab.shot(&shot("4-over")).await;
        let words = tab.text_of(".outcome").await.expect("the table");
        assert!(words.contains("refused at once") && words.contains("probes, the last at"), "{words}");
        tab.resize(TELEPHONE).await;
        let wide: Option<u32> = tab.js("document.documentElement.scrollWidth").await;
        assert_eq!(wide, Some(TELEPHONE), "wider than a telephone");
        tab.shot(&shot("5-narrow")).await;
        tab.is_quiet_but_for(&[]).await;
    }
}
