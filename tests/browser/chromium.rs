//! A Chromium of the test's own: headless, with a fresh profile, gone with the test.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use chromiumoxide::Browser;
use chromiumoxide::handler::HandlerConfig;
use chromiumoxide::handler::viewport::Viewport;
use futures_util::StreamExt as _;
use tokio::task::JoinHandle;

use super::tab::Tab;
use crate::common::{LONG_PATIENCE, Leashed, find, program, until_within};

/// What a projector shows.
pub const WINDOW: (u32, u32) = (1280, 720);

const FLAGS: [&str; 15] = [
    "--headless",
    "--remote-debugging-port=0",
    "--window-size=1280,720",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--password-store=basic",
    "--host-resolver-rules=MAP *.test 127.0.0.1", // names that are not loopback's
];

/// A running browser.
pub struct Chromium {
    browser: Browser,
    driver: JoinHandle<()>,
    _process: Leashed,
}

impl Chromium {
    pub async fn start() -> Self {
        let program = executable();
        let folder = tempfile::Builder::new().prefix("jwt-vs-session-chromium-").tempdir().expect("a folder").keep();
        let place = folder.display();
        let mut arguments = vec![format!("HOME={place}"), format!("TMPDIR={place}"), program.display().to_string()];
        arguments.extend(FLAGS.map(ToOwned::to_owned));
        arguments.push(format!("--user-data-dir={place}"));
        if folder.metadata().expect("the folder").uid() == 0 {
            arguments.push("--no-sandbox".to_owned()); // Chromium's sandbox refuses to run as root
        }
        let mut process = Leashed::start(Path::new("env"), &arguments, "TERM", None, Some(&folder));
        let mut address = None;
        until_within(LONG_PATIENCE, "Chromium listens", async || {
            assert!(!process.has_ended(), "{} ended at once", program.display());
            address = devtools(&folder);
            address.is_some()
        })
        .await;
        let (width, height) = WINDOW;
        let viewport = Viewport { width, height, ..Viewport::default() };
        let config = HandlerConfig { viewport: Some(viewport), ..HandlerConfig::default() };
        let connected = Browser::connect_with_config(address.unwrap_or_default(), config).await;
        let (browser, mut handler) = connected.expect("Chromium speaks the DevTools protocol");
        let driver = tokio::spawn(async move { while handler.next().await.is_some() {} });
        Self { browser, driver, _process: process }
    }

    /// A tab in this browser. Tabs share cookies.
    pub async fn tab(&self) -> Tab {
        Tab::new(self.browser.new_page("about:blank").await.expect("a tab")).await
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Chromium writes the port that it took, and the path, into its profile.
fn devtools(profile: &Path) -> Option<String> {
    let text = std::fs::read_to_string(profile.join("DevToolsActivePort")).ok()?;
    let (port, path) = text.split_once('\n')?;
    path.starts_with("/devtools/").then(|| format!("ws://127.0.0.1:{port}{path}"))
}

fn executable() -> PathBuf {
    if let Some(named) = std::env::var_os("CHROME").map(PathBuf::from) {
        assert!(named.is_file(), "CHROME is {}, which is no program", named.display());
        return named;
    }
    let others = ["google-chrome-stable", "google-chrome", "chromium-browser"];
    find("chromium", &[])
        .or_else(|| others.iter().find_map(|name| find(name, &[])))
        .unwrap_or_else(|| program("chromium", &[], "apt-get install chromium, or set CHROME"))
}
