//! Numbers as people read them: with a unit, and rounded.

/// Formats a measured time in nanoseconds with three digits and its unit, as in `12.3 µs`.
pub fn time(ns: f64) -> String {
    let (value, unit) = in_unit(ns);
    let digits = match value {
        value if value >= 99.95 || value == 0.0 => 0,
        value if value >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}

/// Formats a time in nanoseconds that may be a setting (a life, a bound): a whole number of its unit has no decimals, as
/// in `15 min`.
pub fn span(ns: f64) -> String {
    match in_unit(ns) {
        (value, unit) if value.fract() < 1e-9 => format!("{value} {unit}"),
        _ => time(ns),
    }
}

fn in_unit(ns: f64) -> (f64, &'static str) {
    match ns {
        ns if ns < 999.5 => (ns, "ns"),
        ns if ns < 999.5e3 => (ns / 1e3, "µs"),
        ns if ns < 999.5e6 => (ns / 1e6, "ms"),
        ns if ns < 120e9 => (ns / 1e9, "s"),
        ns => (ns / 60e9, "min"),
    }
}

/// Picks the percentile of sorted samples by the nearest rank; `percent` is 0 to 100. `None` without samples.
pub fn quantile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
}

/// Formats a number with about three digits, and with commas between the thousands.
pub fn grouped(number: f64) -> String {
    let text = match number {
        n if n == 0.0 || n >= 100.0 => format!("{n:.0}"),
        n if n.fract() == 0.0 => format!("{n:.0}"),
        n if n >= 10.0 => format!("{n:.1}"),
        n if n >= 0.1 => format!("{n:.2}"),
        n if n >= 0.0001 => format!("{n:.4}"),
        _ => "less than 0.0001".to_owned(),
    };
    let whole = text.find('.').unwrap_or(text.len());
    if number < 1000.0 {
        return text;
    }
    let mut set_apart = String::new();
    for (place, digit) in text[..whole].char_indices() {
        if place > 0 && (whole - place) % 3 == 0 {
            set_apart.push(',');
        }
        set_apart.push(digit);
    }
    set_apart + &text[whole..]
}

/// Formats a number of bytes, as in `66.0 MB` (powers of 1,000).
pub fn bytes(bytes: f64) -> String {
    scaled(bytes, &["B", "kB", "MB", "GB", "TB", "PB"])
}

/// Formats a number of bits per second, as in `176 kbit/s`.
pub fn bits(bits: f64) -> String {
    scaled(bits, &["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"])
}

fn scaled(mut value: f64, units: &[&str]) -> String {
    let mut place = 0;
    while value >= 1000.0 && place + 1 < units.len() {
        value /= 1000.0;
        place += 1;
    }
    let number =
        if value == 0.0 || value >= 100.0 || place == 0 { format!("{value:.0}") } else { format!("{value:.1}") };
    format!("{number} {}", units[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_with_three_digits_and_its_unit() {
        let shown = [0.0, 7.25, 976.4, 999.7, 1234.0, 61_320.0, 5e8].map(time);
        assert_eq!(shown, ["0 ns", "7.25 ns", "976 ns", "1.00 µs", "1.23 µs", "61.3 µs", "500 ms"]);
        assert_eq!(
            [0.0, 1234.0, 2e6, 5e8, 1e9, 900e9].map(span),
            ["0 ns", "1.23 µs", "2 ms", "500 ms", "1 s", "15 min"]
        );
    }

    #[test]
    fn a_quantile_is_one_of_the_samples() {
        let samples: Vec<_> = (1..=20).collect();
        assert_eq!([5, 50, 95, 99, 100].map(|percent| quantile(&samples, percent)), [1, 10, 19, 20, 20].map(Some));
        assert_eq!(quantile::<u32>(&[], 50), None);
    }

    #[test]
    fn numbers_are_shown_as_people_read_them() {
        assert_eq!([0.0, 2.0, 0.02, 12.34, 1_234_567.8].map(grouped), ["0", "2", "0.0200", "12.3", "1,234,568"]);
        assert_eq!([0.0, 999.0, 66e6, 1.5e12].map(bytes), ["0 B", "999 B", "66.0 MB", "1.5 TB"]);
        assert_eq!(bits(176_000.0), "176 kbit/s");
    }
}
