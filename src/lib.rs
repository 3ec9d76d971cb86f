//! One server with the same pages under `/jwt` and `/session`, to see and measure what each way to remember a login costs.
//!
//! A tour, in reading order: from the top of the layout to the bottom. Follow one request through it: route → page flow →
//! strategy → store → page.
//!
//! 1. [`cli`]: the commands. [`config`]: the settings.
//! 2. [`app`]: opens the stores, builds the strategies, mounts them. The only place that names a concrete strategy.
//! 3. [`flow`]: WHAT a visitor does. One page flow a file, written once, mounted for every strategy.
//! 4. [`labs`]: EXPERIMENTS. They measure what the strategies cost, and how long a revoked login is still accepted.
//! 5. [`auth`]: HOW a login is remembered. [`auth::AuthStrategy`] is the contract; each strategy is a file.
//! 6. [`store`]: WHERE things live: Redis, the SQL database, the memory of this process.
//! 7. [`account`]: WHO the users are: names, passwords, hashes.
//! 8. [`identity`]: the ids of users and logins, which `auth` and `store` share.
//! 9. [`security_log`]: the events that matter after an attack, one line each.
//! 10. [`trace`]: what one request did, for the panel on every page and for `Server-Timing`.
//! 11. [`page`] and [`error`]: the templates, and the pages of errors. [`server`], [`network`], [`telemetry`], [`clock`],
//!     [`units`]: sockets, addresses, logs and metrics, time, numbers as people read them.

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
pub mod network;
pub mod page;
pub mod security_log;
pub mod server;
pub mod store;
pub mod telemetry;
pub mod trace;
pub mod units;
