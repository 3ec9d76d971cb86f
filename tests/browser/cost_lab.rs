//! `/labs/cost` in a browser: with scripts and without, in the light, in the dark, on a telephone and on paper.

use chromiumoxide::cdp::browser_protocol::page::PrintToPdfParams;
use chromiumoxide::page::MediaTypeParams;

use super::chromium::Chromium;
use super::pictures::look_closely;
use super::tab::{Tab, keep};
use crate::common::{LONG_PATIENCE, RedisServer, TestApp, until, until_within};

/// Clicks the button as a person does.
async fn press(tab: &Tab) {
    let _: Option<bool> = tab.js("document.getElementById('measure').click()").await;
}

async fn count(tab: &Tab, selector: &str) -> u32 {
    tab.js(&format!("document.querySelectorAll('{selector}').length")).await.unwrap_or(0)
}

/// Pairs of names in the picture that cover each other, and names that leave it.
const COVERED: &str = "(() => {
    const picture = [...document.querySelectorAll('svg.frontier[role=group]')].find(e => e.getBoundingClientRect().width);
    const frame = picture.getBoundingClientRect();
    const names = [...picture.querySelectorAll('.dot text')].map(e => [e.textContent, e.getBoundingClientRect()]);
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom;
    return names.flatMap(([name, box], i) => [
        ...names.slice(i + 1).filter(([, other]) => meet(box, other)).map(([other]) => name + ' and ' + other),
        ...(box.left < frame.left || box.right > frame.right ? [name + ' leaves'] : []),
    ]);
})()";

#[tokio::test]
async fn the_cost_is_measured_and_drawn_while_one_watches() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url(), "--node", "node-1"]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    tab.open(&app.url("/labs/cost")).await;
    tab.sees("in an earlier run").await;
    let slide = "(s => { s.focus(); s.value = 1; s.dispatchEvent(new Event('input')); return document.getElementById('tens-words').textContent })(document.getElementById('tens'))";
    assert_eq!(tab.js::<String>(slide).await.as_deref(), Some("10"), "the slider says what it means");
    press(&tab).await;
    until("the progress is shown", async || tab.text().await.contains("of 9 …")).await;
    assert_eq!(tab.js::<bool>("document.getElementById('progress').hidden").await, Some(false));
    tab.shot("cost-lab-running").await;
    let over = "document.getElementById('progress').hidden";
    until_within(LONG_PATIENCE, "the run is over", async || tab.js(over).await == Some(true)).await;
    assert_eq!(tab.text_of("#status").await.as_deref(), Some("Done. The figures are below."));
    assert_eq!(count(&tab, ".costs tr[data-slug]").await, 9);
    assert_eq!(count(&tab, "svg.frontier.wide .dot").await, 9);
    tab.sees("the last run of this server").await;
    for width in [1280, 375] {
        tab.resize(width).await;
        assert_eq!(tab.js::<Vec<String>>(COVERED).await, Some(vec![]), "at {width}");
    }
    tab.resize(1280).await;
    look_closely(&tab, "cost-lab").await;
    on_paper(&tab).await;
    let dot = "document.querySelector('svg.frontier.wide a').href.baseVal";
    assert_eq!(tab.js::<String>(dot).await.as_deref(), Some("/jwt/"), "a dot leads to its mount");
    let again = "(a => { a.click(); return location.hash })(document.querySelector('.points th .hint'))";
    assert_eq!(tab.js::<String>(again).await.as_deref(), Some("#command-jwt"));
    assert_eq!(count(&tab, "li:target code").await, 2);
    tab.open(&app.url("/")).await;
    assert_eq!(count(&tab, "svg.frontier.wide .dot").await, 9);
    look_closely(&tab, "home-with-frontier").await;
    tab.is_quiet_but_for(&[]).await;
}

/// Whether the names stay when a table is scrolled to its end on a narrow telephone: of each table with figures, its number of
/// rows, and of those whose name is still seen.
const NAMES_STAY: &str = "[...document.querySelectorAll('.costs, .capacity')].map(table => {
    const around = table.parentElement;
    around.scrollIntoView();
    around.scrollLeft = 1e5;
    const names = [...table.querySelectorAll('tbody th')], left = around.getBoundingClientRect().left;
    const seen = names.filter(name => {
        name.scrollIntoView({ block: 'center' });
        const box = name.getBoundingClientRect();
        return Math.abs(box.left - left) < 2 && name.contains(document.elementFromPoint(box.left + 4, box.top + box.height / 2));
    });
    return [around.scrollLeft, names.length, seen.length];
})";

#[tokio::test]
async fn the_names_of_the_rows_stay_when_a_table_is_scrolled_on_a_telephone() {
    let app = TestApp::start(&[]).await;
    let chromium = Chromium::start().await;
    let tab = chromium.tab().await;
    tab.open(&app.url("/labs/cost")).await;
    tab.resize(360).await;
    let tables: Vec<(f64, usize, usize)> = tab.js(NAMES_STAY).await.expect("tables");
    tab.shot("cost-lab-360").await;
    assert_eq!(tables.len(), 2, "{tables:?}");
    for (scrolled, names, seen) in tables {
        assert!(scrolled > 0.0 && names >= 7 && seen == names, "scrolled by {scrolled}: {seen} of {names} names");
    }
}

async fn on_paper(tab: &Tab) {
    let pdf = tab.page.pdf(PrintToPdfParams::default()).await.expect("a printed page");
    keep("cost-lab.pdf", &pdf);
    tab.page.emulate_media_type(MediaTypeParams::Print).await.expect("paper");
    let black: Option<bool> = tab
        .js("[...document.querySelectorAll('.frontier.wide .dot text')].every(e => getComputedStyle(e).fill === 'rgb(0, 0, 0)')")
        .await;
    assert_eq!(black, Some(true), "names are printed in black");
    assert!(!tab.text().await.contains("Delay per store call"), "sliders are not printed");
    tab.shot("cost-lab-printed").await;
    tab.page.emulate_media_type(MediaTypeParams::Null).await.expect("a screen");
}

#[tokio::test]
async fn without_scripts_the_page_comes_back_with_the_table() {
    let app = TestApp::start(&[]).await;
    let chromium = Chromium::start().await;
    let tab = chromium.tab().await;
    tab.without_scripts().await;
    tab.open(&app.url("/labs/cost")).await;
    let alone = "(() => { for (const box of document.querySelectorAll('input[name=strategy]')) box.checked = ['jwt', 'session-memory', 'jwt-refresh', 'session-sql'].includes(box.value); document.getElementById('tens').value = 1; return true })()";
    assert_eq!(tab.js::<bool>(alone).await, Some(true));
    press(&tab).await;
    // Before, there are nine: of an earlier run.
    let measured = "document.readyState === 'complete'
        && document.querySelectorAll('.costs tr[data-slug]').length === 4
        && document.querySelectorAll('svg.frontier.wide .dot').length === 4";
    until_within(LONG_PATIENCE, "the table is there", async || tab.js(measured).await == Some(true)).await;
    let users = "(f => { f.value = '1,000,000'; f.form.querySelector('button').click(); return true })(document.getElementById('users'))";
    assert_eq!(tab.js::<bool>(users).await, Some(true));
    // The address is there before the table is.
    let worked_out = "document.readyState === 'complete' && location.search.includes('users=1%2C000%2C000') && document.querySelectorAll('.capacity tr[data-slug]').length === 4";
    until("the capacity is calculated", async || tab.js(worked_out).await == Some(true)).await;
}
