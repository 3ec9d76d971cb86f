//! A real browser clicks through the pages as a person does. It is `CHROME`, or a Chromium or Chrome on PATH.
//!
//! Screenshots go to `target/screenshots/`, or to the folder that `SCREENSHOTS_TO` names. The README's is one of them:
//! `cp target/screenshots/profile-jwt.png docs/screenshot.png`.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)] // figures are printed

mod common;

mod browser {
    mod accessibility;
    mod chromium;
    mod cookies;
    mod cost_lab;
    mod cross_site;
    mod ended;
    mod journeys;
    mod pages;
    mod pictures;
    mod revocation_lab;
    mod tab;
}
