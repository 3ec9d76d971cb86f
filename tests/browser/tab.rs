//! What a person does with a tab, and what the browser says about the pages in it.

use std::path::PathBuf;

use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams, SetScriptExecutionDisabledParams,
};
use chromiumoxide::cdp::browser_protocol::log::{EventEntryAdded, LogEntryLevel};
use chromiumoxide::cdp::browser_protocol::network::Cookie;
use chromiumoxide::cdp::browser_protocol::page::{NavigateParams, Viewport};
use chromiumoxide::cdp::js_protocol::runtime::{EvaluateParams, EventConsoleApiCalled, EventExceptionThrown};
use chromiumoxide::layout::Point;
use chromiumoxide::listeners::EventStream;
use chromiumoxide::page::ScreenshotParams;
use futures_util::{FutureExt as _, StreamExt as _};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::chromium::WINDOW;
use crate::common::until;

/// Which page is there, once it is whole and has the focus where it wants it; typing sooner would race with that.
const ARRIVED: &str = "document.readyState === 'complete'
    && (document.activeElement !== document.body || !document.querySelector('[autofocus]'))
    && performance.timeOrigin";

/// A tab of a browser.
pub struct Tab {
    pub page: Page,
    log: EventStream<EventEntryAdded>,
    console: EventStream<EventConsoleApiCalled>,
    exceptions: EventStream<EventExceptionThrown>,
}

impl Tab {
    pub async fn new(page: Page) -> Self {
        let events = "the browser tells what happens";
        let tab = Self {
            log: page.event_listener().await.expect(events),
            console: page.event_listener().await.expect(events),
            exceptions: page.event_listener().await.expect(events),
            page,
        };
        tab.page.enable_log().await.expect(events);
        tab.page.enable_runtime().await.expect(events);
        tab
    }

    /// Goes to an address.
    pub async fn open(&self, url: &str) {
        self.leave_by(async || {
            self.page.execute(NavigateParams::new(url)).await.expect("an address");
        })
        .await;
    }

    /// Clicks the button that shows this text, or else the link.
    pub async fn press(&self, text: &str) {
        let point = self.place(text).await;
        self.leave_by(async || {
            self.page.click(point).await.expect("a click");
        })
        .await;
    }

    /// Types into the field with this label.
    pub async fn fill(&self, label: &str, text: &str) {
        let label = Value::from(label);
        let field = format!("[...document.querySelectorAll('label')].find(l => l.innerText === {label})?.control");
        let ready: Option<bool> = self.js(&format!("(f => {{ f.focus(); f.select(); return true }})({field})")).await;
        assert!(ready.is_some(), "no field {label} on {}", self.path().await);
        let body = self.page.find_element("body").await.expect("a page");
        body.type_str(text).await.expect("a keyboard");
    }

    /// Fills in and sends the form of a login page that is open.
    pub async fn log_in(&self, username: &str, password: &str) {
        self.fill("User name", username).await;
        self.fill("Password", password).await;
        self.press("Log in").await;
    }

    pub async fn text(&self) -> String {
        self.js("document.body.innerText").await.expect("a page has text")
    }

    /// Fails with the whole text of the page if it does not show this.
    pub async fn sees(&self, words: &str) {
        let text = self.text().await;
        assert!(text.contains(words), "{} does not show {words:?}:\n{text}", self.path().await);
    }

    /// The text of the first element that a selector finds.
    pub async fn text_of(&self, selector: &str) -> Option<String> {
        self.js(&format!("document.querySelector({})?.innerText", Value::from(selector))).await
    }

    /// Path and query.
    pub async fn path(&self) -> String {
        self.js("location.pathname + location.search").await.expect("an address")
    }

    /// The status that the page came with.
    pub async fn status(&self) -> u16 {
        self.js("performance.getEntriesByType('navigation')[0].responseStatus").await.expect("a status")
    }

    /// What the browser would send to this address, scripts or not.
    pub async fn cookies(&self) -> Vec<Cookie> {
        self.page.get_cookies().await.expect("cookies")
    }

    pub async fn cookie(&self, name: &str) -> Option<Cookie> {
        self.cookies().await.into_iter().find(|cookie| cookie.name == name)
    }

    /// The value of an expression; `None` if it has none, or if the page went away meanwhile.
    pub async fn js<T: DeserializeOwned>(&self, expression: &str) -> Option<T> {
        let parameters = EvaluateParams::builder().expression(expression).return_by_value(true).build();
        let answer = self.page.execute(parameters.expect("an expression")).await.ok()?;
        serde_json::from_value(answer.result.result.value?).ok()
    }

    /// What the browser complained about since the last call: refused scripts and styles, failed requests, errors.
    pub async fn complaints(&mut self) -> Vec<String> {
        self.settle().await;
        let url = |url: &Option<String>| url.clone().unwrap_or_default();
        let mut all = drain(&mut self.log, |event| {
            let entry = &event.entry;
            // Chromium says what a log out cleared as if it were a warning.
            let complains = entry.level != LogEntryLevel::Verbose && !entry.text.contains("Cleared data types");
            complains.then(|| format!("{} ({})", entry.text, url(&entry.url)))
        });
        all.extend(drain(&mut self.console, |event| Some(format!("console: {:?}", event.args))));
        all.extend(drain(&mut self.exceptions, |event| Some(format!("exception: {:?}", event.exception_details))));
        all
    }

    /// Fails if the browser complained about anything else than these.
    pub async fn is_quiet_but_for(&mut self, expected: &[&str]) {
        let mut complaints = self.complaints().await;
        complaints.retain(|complaint| !expected.iter().any(|words| complaint.contains(words)));
        assert!(complaints.is_empty(), "the browser complains: {complaints:#?}");
    }

    /// The width of the window, in CSS pixels.
    pub async fn resize(&self, width: u32) {
        self.zoom((width, WINDOW.1), 1.0).await;
    }

    /// The size of the window, in CSS pixels, and the number of its pixels for each of them.
    pub async fn zoom(&self, (width, height): (u32, u32), scale: f64) {
        let size = SetDeviceMetricsOverrideParams::new(width, height, scale, false);
        self.page.execute(size).await.expect("a window");
    }

    /// A page's own scripts do not run any more.
    pub async fn without_scripts(&self) {
        self.page.execute(SetScriptExecutionDisabledParams::new(true)).await.expect("a switch");
    }

    /// `light` or `dark`.
    pub async fn prefer(&self, scheme: &str) {
        let feature = MediaFeature::new("prefers-color-scheme", scheme);
        self.page.emulate_media_features(vec![feature]).await.expect("a colour scheme");
    }

    /// A picture of the window, and one of the whole page if that is longer.
    pub async fn shot(&self, name: &str) {
        let whole = self.page.layout_metrics().await.expect("a size").css_content_size;
        let window = ScreenshotParams::builder();
        keep(&format!("{name}.png"), &self.page.screenshot(window.build()).await.expect("a screenshot"));
        if whole.height > f64::from(WINDOW.1) {
            let clip = Viewport { x: 0.0, y: 0.0, width: whole.width, height: whole.height, scale: 1.0 };
            let page = ScreenshotParams::builder().clip(clip).capture_beyond_viewport(true);
            keep(&format!("{name}-whole.png"), &self.page.screenshot(page.build()).await.expect("a screenshot"));
        }
    }

    /// Where to click.
    async fn place(&self, text: &str) -> Point {
        let text = Value::from(text);
        let found: Option<(f64, f64)> = self
            .js(&format!(
                "(() => {{
                    const plain = e => e.textContent.replace(/\\s+/g, ' ').trim();
                    const all = kind => [...document.querySelectorAll(kind)];
                    const e = [...all('button'), ...all('a')].find(e => plain(e) === {text});
                    e.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                    const box = e.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
                    return e.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
                }})()"
            ))
            .await;
        let (x, y) = found.unwrap_or_else(|| panic!("nothing to click that shows {text}"));
        Point::new(x, y)
    }

    /// Waits until another page is there, whole.
    pub async fn leave_by(&self, way: impl AsyncFnOnce()) {
        let before: Option<f64> = self.js("performance.timeOrigin").await;
        way().await;
        until("the next page is there", async || {
            let now: Option<f64> = self.js(ARRIVED).await;
            now.is_some() && now != before
        })
        .await;
    }

    /// Evaluates twice: what the page said before has arrived then.
    async fn settle(&self) {
        for _ in 0..2 {
            let _: Option<bool> = self.js("true").await;
        }
    }
}

/// Keeps a picture for people to look at.
pub fn keep(name: &str, picture: &[u8]) {
    let usual = || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
    let folder = std::env::var_os("SCREENSHOTS_TO").map_or_else(usual, PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    std::fs::write(folder.join(name), picture).expect("a picture is kept");
}

/// What has arrived so far.
fn drain<E, T>(events: &mut EventStream<E>, pick: impl Fn(&E) -> Option<T>) -> Vec<T>
where
    E: chromiumoxide::cdp::IntoEventKind + Unpin,
{
    let mut picked = Vec::new();
    while let Some(Some(event)) = events.next().now_or_never() {
        picked.extend(pick(&event));
    }
    picked
}
