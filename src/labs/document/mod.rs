//! `docs/figures.md`: the figures of one run, written by a command.

mod revocations;

use std::fmt;

pub use self::revocations::StalenessChapter;
use super::criterion::BenchFigures;
use super::figures::{Figures, Source, Spread};
use super::targets::reached;
use crate::units;

/// Everything that one document tells.
#[derive(Clone, Debug)]
pub struct Document {
    measured: BenchFigures,
    revocations: Option<StalenessChapter>,
}

impl Document {
    /// Of a run of the benches, and of the revocation lab if that was run.
    pub fn new(measured: BenchFigures, revocations: Option<StalenessChapter>) -> Self {
        Self { measured, revocations }
    }

    /// The same for a program.
    pub fn figures(&self) -> Figures {
        let mut figures = self.measured.figures();
        for row in &mut figures.rows {
            row.staleness_ms = self.revocations.as_ref().and_then(|all| all.staleness(&row.strategy));
        }
        figures
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Figures\n")?;
        writeln!(f, "Written by `jwt-vs-session lab figures`, not by hand.\n")?;
        self.machine(f)?;
        self.strategies(f)?;
        if let Some(revocations) = &self.revocations {
            write!(f, "{revocations}")?;
        }
        self.targets(f)?;
        self.all(f)?;
        f.write_str(REPEAT)
    }
}

impl Document {
    fn machine(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Source { machine, date, versions, load, .. } = &self.measured.run.source;
        writeln!(f, "| | |\n| --- | --- |\n| day | {date} |\n| machine | {machine} |\n| versions | {versions} |")?;
        let load = load.map_or_else(|| "unknown".to_owned(), |load| format!("{load:.2}"));
        writeln!(f, "| load before the run | {load} processes, the mean of a minute |\n")
    }

    fn strategies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## What each strategy costs\n")?;
        writeln!(f, "{COLUMNS}\n")?;
        writeln!(f, "| strategy | check | log in | revoke | calls | sent | stored |")?;
        writeln!(f, "| --- | --: | --: | --: | --: | --: | --: |")?;
        for row in &self.measured.figures().rows {
            let optional = |interval: &Option<Spread>| interval.as_ref().map_or_else(String::new, spread);
            let (identify, issue, revoke) =
                (spread(&row.identify_ns), optional(&row.issue_ns), optional(&row.revoke_ns));
            let (slug, calls, sent) = (&row.strategy, row.store_calls, row.request_bytes);
            let setup = row.setup.as_ref().map_or_else(String::new, |setup| format!(" ({setup})"));
            let stored = match row.user_bytes {
                0 => format!("{} B", row.stored_bytes),
                shared => format!("{} B ({shared} B)", row.stored_bytes),
            };
            writeln!(f, "| `{slug}`{setup} | {identify} | {issue} | {revoke} | {calls} | {sent} B | {stored} |")?;
        }
        let median = |id| self.measured.median(id).map(units::time);
        let (some, many) = ("lookup/session-tracked-hits-90", "lookup/session-tracked-hits-50");
        if let (Some(some), Some(many)) = (median(some), median(many)) {
            writeln!(
                f,
                "\n`session-tracked` is shown with every login in the node's memory. A login that is not there takes a `GET`: with"
            )?;
            writeln!(f, "90 % found a check takes {some}, with 50 % {many}.")?;
        }
        writeln!(f)
    }

    fn targets(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## The targets\n")?;
        writeln!(f, "{TURNS}\n")?;
        writeln!(f, "| what | its time | the other's | measured | 90 % of the turns lie in | target | |")?;
        writeln!(f, "| --- | --: | --: | --: | --: | --: | --- |")?;
        let rows = reached(&self.measured);
        for row in &rows {
            let ((is, should), around) = (row.words(), row.around().unwrap_or_default());
            let time = |nanos: Option<f64>| nanos.map_or_else(String::new, units::time);
            let (median, floor, verdict) = (time(row.median_ns), time(row.floor_ns), row.verdict.word());
            let what = row.target.what;
            writeln!(f, "| {what} | {median} | {floor} | {is} | {around} | {should} | {verdict} |")?;
        }
        let missed: Vec<_> = rows.iter().filter_map(|row| Some((row.target.what, row.in_the_way?))).collect();
        if !missed.is_empty() {
            writeln!(f, "\nWhat stands in the way, as profiles show ([profiles.md](profiles.md)):\n")?;
        }
        for (what, why) in missed {
            writeln!(f, "- *{what}*: {why}")?;
        }
        writeln!(f)
    }

    fn all(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## Every figure\n\n| id | median | 5 % are below | 5 % are above |\n| --- | --: | --: | --: |")?;
        for (id, Spread { low, median, high }) in &self.measured.by_id {
            writeln!(f, "| `{id}` | {} | {} | {} |", units::time(*median), units::time(*low), units::time(*high))?;
        }
        writeln!(f)
    }
}

fn spread(interval: &Spread) -> String {
    let Spread { low, median, high } = interval;
    format!("{} ({} to {})", units::time(*median), units::time(*low), units::time(*high))
}

/// The names and the lines of the columns.
const TURNS: &str = "\
What is held against something else took turns of milliseconds with it, and the median of the turns' ratios counts: a
machine changes within minutes by more than many a ratio here. Where no range of the turns is given, two medians are
compared. From one start of the bench to the next a ratio below a microsecond moves by some 5 %, by where things lie in
memory.";

const COLUMNS: &str = "\
*Check*: finding out from the credential who asks. *Log in*: opening a login, without the password. *Revoke*: answering a
log out; under `jwt` and `jwt-refresh` that ends no token, see the next table. *Calls*: to a store, for a check. *Sent*: the
credentials with each request, in bytes. *Stored*: what a store grows by for the first login of each of 4,096 users, and
in brackets how much of that the user's further logins share (of a process' own memory, with 40,000 users); `lab cost` asks
Redis for single keys and shows less, as Redis' tables come on top.

Times are the medians of the samples; in brackets, 5 % of them are below and 5 % above.";

const REPEAT: &str = "\
## How to repeat it

On a machine that does nothing else:

```sh
cargo bench --bench lookup
cargo bench --bench request
cargo run --release -- lab revocation --trials 100 --format json > revocation.json
cargo run --release -- lab figures --revocation revocation.json > docs/figures.md
cargo run --release -- lab figures --revocation revocation.json --format json > docs/figures.json
```

## What they do not say

- Redis runs on the same machine. Over a network each of its calls takes a round trip more, and the picture changes:
  what asks nobody stays where it is.
- The database is SQLite, in a file that every commit reaches: opening and ending a login under `session-sql` and
  `jwt-refresh` is mostly the disk. PostgreSQL takes a round trip for each statement instead.
- The bench, Redis and the database share one core: a figure is the work of both sides, and it repeats. On two cores a
  call to a store also waits until the other core wakes up.
- `lookup/…` is the check alone. Each request of this server also keeps a trace, for the panel on its page:
  `lookup/jwt-traced` is with it.
- `lookup/session/64` is 64 requests in flight, and the time for each is its share: what a core can do, not a latency.
- `jwt-refresh` also renews once in the life of a token (60 s unless set): statements in the SQL database that are not in
  these figures. What it has sent includes the refresh token's 66 bytes.
- Nothing here is a whole request: `request/…` adds routing and the page, a socket adds more.
- Times of different runs do not compare; the ratios within one run do.
- Sessions slide: the first request after a tenth of the idle limit also writes the record, which under `session-tracked`
  evicts its copies on every node. Nothing slides here, and every node has room; the capacity sheet counts both.
- Of the million logins of `scale/…` 4,096 are asked for, of the thousand all. Under `session-tracked` the million lies in
  Redis and what is asked for in the node's memory, which has room for 100,000.
- `stored` is what one store grows by. A node that uses `session-tracked` also keeps the logins in use in its memory.
";
