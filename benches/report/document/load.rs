//! The chapter on the whole server under load.

use std::fmt;

use jwt_vs_session::labs::figures::LoadFigures;
use jwt_vs_session::units::{grouped, time};

use super::cell;

/// Empty if the bench was not run.
pub struct LoadChapter<'a>(pub &'a [LoadFigures]);

/// The ids of the floors, and how the tables name them.
const FLOORS: [(&str, &str); 3] = [
    ("load/floor/page", "a bare poem page"),
    ("load/floor/json", "a bare poem handler"),
    ("load/floor/session", "a bare poem handler with one `GET`"),
];

impl fmt::Display for LoadChapter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        writeln!(f, "## The whole server under load\n\n{HOW}\n")?;
        let is_page = |load: &&LoadFigures| !load.id.ends_with("/json") && load.id != "load/floor/session";
        table(f, "The profile page", self.0.iter().filter(is_page))?;
        table(f, "`/api/me`", self.0.iter().filter(|load| !is_page(load)))
    }
}

fn table<'a>(f: &mut fmt::Formatter<'_>, what: &str, rows: impl Iterator<Item = &'a LoadFigures>) -> fmt::Result {
    let (floors, strategies): (Vec<_>, Vec<_>) = rows.partition(|load| load.id.starts_with("load/floor/"));
    writeln!(f, "| {what} | processor time | of Redis | requests per second | p50 | p99 |")?;
    writeln!(f, "| --- | --: | --: | --: | --: | --: |")?;
    for LoadFigures { id, processor_ns, redis_ns, requests_per_second, p50_ns, p99_ns } in
        strategies.iter().chain(&floors)
    {
        let floor = FLOORS.iter().find(|(floor, _)| floor == id).map(|(_, name)| (*name).to_owned());
        let name = floor.unwrap_or_else(|| format!("`{}`", id.trim_start_matches("load/").trim_end_matches("/json")));
        let (processor, rate) = (cell(processor_ns), grouped(requests_per_second.median.round()));
        let [redis, p50, p99] = [redis_ns, p50_ns, p99_ns].map(|spread| time(spread.median));
        writeln!(f, "| {name} | {processor} | {redis} | {rate} | {p50} | {p99} |")?;
    }
    writeln!(f)
}

const HOW: &str = "\
The server runs as a process of its own, with one worker, on a core of its own. The client and Redis share another core.
32 connections stay open, each with another login and one request in flight. The client asserts the success of every
request. The bare servers run in the same way.

*Processor time*: of a request, of the server and Redis together. *Of Redis*: the part of Redis. *p50*, *p99*: the time
from a request to the last byte of its answer. Most of it is the wait for the requests of the other connections. Figures
are medians of rounds of 0.4 s. In brackets: 5 % of the rounds are below, 5 % above.";
