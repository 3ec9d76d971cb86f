//! `/labs/revocation` in front of a room: by keyboard, in the light and in the dark, at any zoom.

use super::chromium::{Chromium, WINDOW};
use super::tab::Tab;
use crate::common::{RedisServer, TestApp, until};

const TELEPHONE: u32 = 360;

/// What a projector of 1280 x 720 shows at 100, 150, 200 and 300 %, and telephones: width, height, zoom.
const WINDOWS: [(u32, u32, f64); 6] =
    [(1280, 720, 1.0), (853, 480, 1.5), (640, 360, 2.0), (427, 240, 3.0), (360, 740, 2.0), (740, 360, 2.0)];

/// How many ticks with this sign a login shows on one side of the line, on both nodes.
async fn ticks(tab: &Tab, slug: &str, side: &str, sign: &str) -> u32 {
    let expression = format!(
        "[...document.querySelectorAll('.login')].filter(e => e.querySelector('.name b').textContent === '{slug}')
            .map(e => [...e.querySelectorAll('.{side} i')].filter(i => i.textContent === '{sign}').length)[0]"
    );
    tab.js(&expression).await.unwrap_or(0)
}

/// What a stranger would call wrong in the picture: parts of logins outside of the window or of their row, a line that is
/// not one, a login that was refused before the line.
const WRONG: &str = "(() => {
    const place = e => e.getBoundingClientRect(), wrong = [], logins = [...document.querySelectorAll('.login')];
    const names = logins.map(e => e.querySelector('.name b').textContent);
    if (logins.length !== 9) wrong.push('not nine logins');
    const lines = logins.map(e => place(e.querySelector('.after')));
    logins.forEach((login, i) => {
        const row = place(login);
        if (row.top < 0 || row.bottom > innerHeight || row.left < 0 || row.right > innerWidth) wrong.push(names[i] + ' is outside of the window');
        for (const part of login.querySelectorAll('.name b, .staleness b')) {
            const box = place(part);
            if (box.top < row.top - 1 || box.bottom > row.bottom + 1 || box.right > row.right || part.scrollWidth > part.parentElement.clientWidth + 1) wrong.push(names[i] + ': truncated: ' + part.textContent);
        }
        if (lines[i].left !== lines[0].left) wrong.push(names[i] + ': the line is elsewhere');
        if (i && lines[i].top - lines[i - 1].bottom > 1.5) wrong.push(names[i] + ': the line has a gap');
        for (const tick of login.querySelectorAll('.before i, .after i')) {
            const node = tick.parentElement.dataset.node, left = place(tick).right <= lines[i].left;
            if (left && tick.textContent === '✕' && !(names[i] === 'session-memory' && node === 'other')) wrong.push(names[i] + ': refused before the line');
        }
    });
    return wrong;
})()";

async fn nothing_is_wrong(tab: &Tab, when: &str) {
    assert_eq!(tab.js::<Vec<String>>(WRONG).await, Some(vec![]), "{when}");
}

async fn press(tab: &Tab, id: &str) {
    let _: Option<bool> =
        tab.js(&format!("document.getElementById('{id}').focus(), document.activeElement.click()")).await;
}

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
        press(&tab, "start").await;
        until("both nodes accept every login", async || ticks(&tab, "session", "before", "✓").await >= 30).await;
        assert_eq!(ticks(&tab, "session", "before", "✕").await + ticks(&tab, "session", "after", "✕").await, 0);
        nothing_is_wrong(&tab, "before the revoke").await;
        tab.shot(&shot("2-running")).await;
        let focused: Option<String> = tab.js("document.activeElement.id").await;
        assert_eq!(focused.as_deref(), Some("revoke"), "one key more revokes");
        press(&tab, "revoke").await;
        until("the room sees the refusals", async || ticks(&tab, "session", "after", "✕").await >= 10).await;
        assert_eq!(ticks(&tab, "session", "after", "✓").await, 0, "no node accepts the session after the revoke");
        assert!(ticks(&tab, "jwt", "after", "✓").await >= 10, "and the token goes on");
        let so_far = tab.text_of(".login.revoked .staleness").await.expect("the token's figure");
        assert!(so_far.starts_with("≥ ") && so_far.contains("still accepted"), "time since the revoke: {so_far}");
        nothing_is_wrong(&tab, "after the revoke").await;
        tab.shot(&shot("3-revoked")).await;
        until("the token has expired", async || ticks(&tab, "jwt", "after", "✕").await >= 4).await;
        until("the run is over", async || tab.text().await.contains("The run is over")).await;
        for (width, height, zoom) in WINDOWS {
            tab.zoom((width, height), zoom).await;
            let _: Option<bool> = tab.js("document.getElementById('stage').scrollIntoView()").await;
            tab.shot(&shot(&format!("4-over-{width}x{height}"))).await;
            nothing_is_wrong(&tab, &format!("{width} x {height}")).await;
        }
        let words = tab.text_of(".outcome").await.expect("the table");
        assert!(words.contains("refused at once") && words.contains("probes, the last at"), "{words}");
        tab.resize(TELEPHONE).await;
        let wide: Option<u32> = tab.js("document.documentElement.scrollWidth").await;
        assert_eq!(wide, Some(TELEPHONE), "wider than a telephone");
        tab.shot(&shot("5-narrow")).await;
        tab.resize(WINDOW.0).await;
        tab.is_quiet_but_for(&[]).await;
    }
}

/// Events as they come when a check takes longer than a revoke: the first refusal was sent before the revoke, and it is
/// known before the answer to the revoke.
const SLOW_CHECK: &str = "(() => {
    const row = (kind, figure = '') => ({ slug: 'jwt-generation', credential: 'token', promise: 'next request', kind, figure, note: '', same: '', other: '', expires: false });
    window.fetch = async () => new Response(JSON.stringify({ events: '', revoke: '', logins: [row('open'), row('open')] }), { status: 201 });
    window.EventSource = class extends EventTarget { constructor() { super(); window.feed = this; } close() {} };
    window.say = (name, data) => window.feed.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
    window.play = () => {
        const tick = (at, ...outcomes) => say('tick', { at, outcomes });
        for (let at = 0; at < 3000; at += 140) tick(at, 'aa', 'aa');
        say('login', { number: 0, at: 3010, row: row('revoking') });
        tick(3005, 'ra', 'aa');
        say('login', { number: 0, at: 3020, row: row('revoked') });
        tick(3019, 'ra', 'aa');
        say('login', { number: 0, at: 3050, row: row('refused', '< 0.07 ms') });
        say('login', { number: 1, at: 3160, row: row('revoking') });
        say('login', { number: 1, at: 3165, row: row('revoked') });
        for (let at = 3170; at < 5000; at += 140) tick(at, 'rr', 'rr');
        return [...document.querySelectorAll('.login')].map(login => {
            const line = login.querySelector('.after').getBoundingClientRect().left;
            const sides = sign => [...login.querySelectorAll('i')].filter(i => i.textContent === sign).map(i => i.getBoundingClientRect().left >= line);
            return [line, sides('✕').every(right => right), sides('✓').some(right => right), sides('✕').length];
        });
    };
})()";

#[tokio::test]
async fn no_refusal_stands_before_the_line_and_the_line_is_one() {
    let app = TestApp::start(&[]).await;
    let chromium = Chromium::start().await;
    let tab = chromium.tab().await;
    tab.open(&app.url("/labs/revocation")).await;
    let _: Option<bool> = tab.js(SLOW_CHECK).await;
    press(&tab, "start").await;
    until("the run begins", async || tab.js::<bool>("'feed' in window").await == Some(true)).await;
    let seen: Vec<(f64, bool, bool, u32)> = tab.js("play()").await.expect("two logins");
    let [(first, first_after, first_accepted, refused), (second, second_after, second_accepted, _)] = seen[..] else {
        panic!("two logins: {seen:?}");
    };
    assert!((first - second).abs() < f64::EPSILON, "one line: {first}, {second}");
    assert!(first_after && second_after, "a refusal before the line");
    assert!(!first_accepted && !second_accepted, "accepted before the answer is not accepted after the revoke");
    assert!(refused >= 28, "every refusal is there: {refused}");
}
