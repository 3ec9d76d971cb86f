//! `docs/figures.md`: the figures of one run.

mod load;
mod revocations;

use std::fmt;

use jwt_vs_session::labs::figures::{Figures, PlainFigures, Source, Spread};
use jwt_vs_session::units;

use self::load::LoadChapter;
pub use self::revocations::StalenessChapter;
use super::criterion::BenchFigures;
use super::targets::results;

#[derive(Clone, Debug)]
pub struct Document {
    measured: BenchFigures,
    figures: Figures,
    revocations: Option<StalenessChapter>,
}

impl Document {
    /// From a run of the benches and, if it was run, of the revocation lab.
    pub fn new(measured: BenchFigures, revocations: Option<StalenessChapter>) -> Self {
        let mut figures = measured.figures();
        for row in &mut figures.rows {
            row.staleness_ms = revocations.as_ref().and_then(|chapter| chapter.staleness(&row.strategy));
        }
        Self { measured, figures, revocations }
    }

    /// The content of `docs/figures.json`.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Figures\n")?;
        writeln!(f, "`cargo bench --bench report -- figures` writes this file.\n")?;
        self.machine(f)?;
        self.strategies(f)?;
        self.plain(f)?;
        if let Some(revocations) = &self.revocations {
            write!(f, "{revocations}")?;
        }
        write!(f, "{}", LoadChapter(&self.figures.loads))?;
        self.targets(f)?;
        self.all(f)?;
        f.write_str(REPEAT)
    }
}

impl Document {
    fn machine(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Source { machine, date, versions, load, .. } = &self.figures.source;
        writeln!(f, "| | |\n| --- | --- |\n| day | {date} |\n| machine | {machine} |\n| versions | {versions} |")?;
        let load = load.map_or_else(|| "unknown".to_owned(), |load| format!("{load:.2}"));
        writeln!(f, "| load before the run | {load} processes, mean of a minute |\n")
    }

    fn strategies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## What each strategy costs\n")?;
        writeln!(f, "{COLUMNS}\n")?;
        writeln!(f, "| strategy | check | log in | revoke | calls | sent | stored |")?;
        writeln!(f, "| --- | --: | --: | --: | --: | --: | --: |")?;
        for row in &self.figures.rows {
            let optional = |spread: &Option<Spread>| spread.as_ref().map_or_else(String::new, cell);
            let (identify, issue, revoke) = (cell(&row.identify_ns), optional(&row.issue_ns), optional(&row.revoke_ns));
            let (slug, calls, sent) = (&row.strategy, row.store_calls, row.request_bytes);
            let setup = row.setup.as_ref().map_or_else(String::new, |setup| format!(" ({setup})"));
            let stored = match row.user_bytes {
                0 => format!("{} B", row.stored_bytes),
                shared => format!("{} B ({shared} B)", row.stored_bytes),
            };
            writeln!(f, "| `{slug}`{setup} | {identify} | {issue} | {revoke} | {calls} | {sent} B | {stored} |")?;
        }
        let median = |id| self.measured.median(id).map(units::time);
        let hit_rates = ("lookup/session-tracked-hits-90", "lookup/session-tracked-hits-50");
        if let (Some(at_90), Some(at_50)) = (median(hit_rates.0), median(hit_rates.1)) {
            writeln!(
                f,
                "\n`session-tracked` is shown at a hit rate of 100 %. A miss takes a `GET`: at a hit rate of 90 %"
            )?;
            writeln!(f, "a check takes {at_90} on average, at 50 % {at_50}.")?;
        }
        writeln!(f)
    }

    fn plain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = &self.figures.plain;
        if plain.is_empty() {
            return Ok(());
        }
        writeln!(f, "## The plain variants\n\n{PLAIN}\n")?;
        writeln!(f, "| plain variant | what it does | check | revoke | beside |\n| --- | --- | --: | --: | --- |")?;
        for PlainFigures { name, what, check_ns, revoke_ns, beside, .. } in plain {
            let revoke = revoke_ns.as_ref().map_or_else(|| "none".to_owned(), cell);
            writeln!(f, "| {name} | {what} | {} | {revoke} | `{beside}` |", cell(check_ns))?;
        }
        writeln!(f)?;
        for PlainFigures { name, staleness_note, comparison, .. } in plain {
            writeln!(f, "- *{name}*: {comparison} Staleness of the plain variant: {staleness_note}.")?;
        }
        writeln!(f)
    }

    fn targets(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## The targets\n")?;
        writeln!(f, "{TARGETS}\n")?;
        writeln!(f, "| what | its time | its floor | measured | 5 % to 95 % of the rounds | target | |")?;
        writeln!(f, "| --- | --: | --: | --: | --: | --: | --- |")?;
        let rows = results(&self.measured);
        for row in &rows {
            let ((value, target), spread) = (row.words(), row.spread_words().unwrap_or_default());
            let time = |nanos: Option<f64>| nanos.map_or_else(String::new, units::time);
            let (median, floor, verdict) = (time(row.median_ns), time(row.floor_ns), row.verdict.word());
            let what = row.target.what;
            writeln!(f, "| {what} | {median} | {floor} | {value} | {spread} | {target} | {verdict} |")?;
        }
        let missed: Vec<_> = rows.iter().filter_map(|row| Some((row.target.what, row.in_the_way?))).collect();
        if !missed.is_empty() {
            writeln!(f, "\nWhy the run misses a target, as profiles show ([profiles.md](profiles.md)):\n")?;
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

fn cell(spread: &Spread) -> String {
    let Spread { low, median, high } = spread;
    format!("{} ({} to {})", units::time(*median), units::time(*low), units::time(*high))
}

const COLUMNS: &str = "\
*Check*: authenticating a request. *Log in*: opening a login, without the password. *Revoke*: answering a log out; under
`jwt` and `jwt-refresh` this ends no token, see the staleness below. *Calls*: calls to a store for a check. *Sent*: the
credentials that each request carries, in bytes. *Stored*: how much the store grows for the first login of each of 4,096
users (for process memory: of 40,000 users); in brackets, the part that the user's further logins share. `lab cost` asks
Redis for the size of single keys and shows less, because Redis' own tables are not included.

Times are medians of the samples. In brackets: 5 % of the samples are below, 5 % above.";

const PLAIN: &str = "\
A plain variant is the textbook's way. Beside each stands the strategy of this server that does the same and more.";

const TARGETS: &str = "\
A bench and its floor ran alternately, some milliseconds each, and the median of the ratios of all rounds counts. The
speed of a machine changes within minutes, often by more than these ratios. Rows without a range compare two medians. From
one start of the bench to the next, the ratio of two times below a microsecond moves by about 5 %, because code and data
lie elsewhere in memory. Under load, a time is processor time, of the server and Redis together.";

const REPEAT: &str = "\
## How to repeat it

On a machine that does nothing else:

```sh
cargo bench --bench lookup
cargo bench --bench request
cargo bench --bench load
cargo run --release -- lab revocation --format json > revocation.json
cargo bench --bench report -- figures --revocation revocation.json > docs/figures.md
cargo bench --bench report -- figures --revocation revocation.json --format json > docs/figures.json
```

## What they do not say

- Redis runs on the same machine. Over a network each call to it takes a round trip more, so the picture changes: only the
  strategies without calls stay where they are.
- The database is SQLite, in a file, and each commit waits for the disk. So under `session-sql` and `jwt-refresh` a log in
  and a revoke are mostly the disk. With PostgreSQL each statement takes a round trip instead.
- The bench, Redis and the database share one core, except under load. A figure is the work of all of them, and it repeats. On two cores a
  call to a store also waits until the other core wakes up.
- `lookup/…` is the check alone. Each request of this server also keeps a trace for the panel on its page:
  `lookup/jwt-traced` includes it.
- `lookup/session/64` has 64 checks in flight and shows the share of each: the throughput of a core, not a latency.
- `jwt-refresh` also renews once in the life of a token (60 s by default). These figures leave out the SQL statements of
  the renewal. *Sent* includes the 66 bytes of the refresh token.
- `load/…` is processor time, of the server and Redis together. The other figures are times on the clock.
- Only `request/…` and `load/…` include routing and the answer, and only `load/…` includes sockets.
- Compare ratios within one run, not times of different runs.
- Sessions slide: the first request after a tenth of the idle limit also writes the record. Under `session-tracked` this
  evicts the copies on every node. In the benches nothing slides, and every node has room for all copies. The capacity
  view counts both.
- `scale/…` checks 4,096 of the million logins, and all of the thousand. Under `session-tracked` the million is in Redis,
  and the checked logins are in the node's memory, which has room for 100,000.
- *Stored* is the growth of one store. A node that uses `session-tracked` also keeps the logins in use in its memory.
";
