//! One server with the same pages under `/jwt` and `/session`, to see and measure what each way to remember a login
//! does.
//!
//! A tour, in reading order. Follow one login through it: route → page flow → strategy → store → page.
//!
//! 1. [`flow`]: what a visitor does. Written once, mounted for every strategy.
//! 2. [`auth`]: how a login is remembered. [`auth::AuthStrategy`] is the contract; each strategy is a file.
//! 3. [`store`]: where things live: Redis, the SQL database, this process.
//! 4. [`labs`]: experiments that measure what the strategies cost, and whether they keep their promises.
//! 5. [`account`]: who the users are: names, passwords, hashes.
//! 6. [`trace`]: what one request did, for the panel on every page and for `Server-Timing`.
//! 7. [`page`] and [`error`]: the templates, and what a visitor is told when something goes wrong.
//! 8. [`app`]: puts it together. The only file that names a concrete strategy.
//! 9. [`server`], [`telemetry`], [`config`], [`clock`], [`units`], [`cli`]: sockets, logs and metrics, settings,
//!    time, figures for people, commands.

pub mod account;
pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod error;
pub mod flow;
pub mod identity;
pub mod labs;
pub mod page;
pub mod server;
pub mod store;
pub mod telemetry;
pub mod trace;
pub mod units;
