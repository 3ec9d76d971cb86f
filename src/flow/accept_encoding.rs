//! `Accept-Encoding`: the codings that a client can read (RFC 9110, 12.5.3).

use std::cmp::Reverse;

use poem::http::{HeaderMap, header};

use crate::page::{ContentCoding, EncodedContent, Representation};

/// The codings that a request names, each with its weight in thousandths. 0 refuses the coding.
pub(super) struct AcceptEncoding<'a>(Vec<(&'a str, u16)>);

impl<'a> AcceptEncoding<'a> {
    pub fn of(headers: &'a HeaderMap) -> Self {
        let lines = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|line| line.to_str().ok());
        Self(lines.flat_map(|line| line.split(',')).map(weighted).collect())
    }

    /// The representation with the highest weight; of equal ones the smallest.
    ///
    /// A client that refuses all of them gets the plain bytes, as it does from every other page (15.5.7 leaves the choice).
    pub fn choose<'c>(&self, content: &'c EncodedContent) -> &'c Representation {
        let accepted = content.representations().filter(|form| self.weight(form.coding) > 0);
        accepted.min_by_key(|form| Reverse(self.weight(form.coding))).unwrap_or(content.plain())
    }

    fn weight(&self, coding: ContentCoding) -> u16 {
        let of =
            |name: &str| self.0.iter().find(|(named, _)| named.eq_ignore_ascii_case(name)).map(|(_, weight)| *weight);
        let named = match coding {
            ContentCoding::Brotli => of("br"),
            // The old name (8.4.1.3).
            ContentCoding::Gzip => of("gzip").or_else(|| of("x-gzip")),
            ContentCoding::Identity => of("identity"),
        };
        // The plain bytes need no mention, and come last.
        named.or_else(|| of("*")).unwrap_or(u16::from(coding == ContentCoding::Identity))
    }
}

/// One coding of the list. Without a weight it has the highest; one that cannot be read refuses the coding.
fn weighted(entry: &str) -> (&str, u16) {
    let (name, weight) = entry.split_once(';').map_or((entry, 1000), |(name, q)| (name, thousandths(q).unwrap_or(0)));
    (name.trim(), weight)
}

/// `q=` and a number from 0 to 1 with at most three digits after the point (12.4.2).
fn thousandths(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let readable = fraction.len() <= 3 && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let weight = match whole {
        "0" => format!("{fraction:0<3}").parse().ok()?,
        "1" if fraction.bytes().all(|digit| digit == b'0') => 1000,
        _ => return None,
    };
    (name.trim().eq_ignore_ascii_case("q") && readable).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::ContentCoding::{Brotli, Gzip, Identity};
    use super::*;

    fn chosen(lines: &[&str], content: &EncodedContent) -> ContentCoding {
        let pairs = lines.iter().map(|line| (header::ACCEPT_ENCODING, line.parse().expect("a header")));
        AcceptEncoding::of(&pairs.collect()).choose(content).coding
    }

    #[test]
    fn the_highest_weight_wins_and_then_the_smallest_form() {
        let all = EncodedContent::embedded("text/css", b"plain", b"br", b"gz");
        for (line, coding) in [
            ("gzip, deflate, br, zstd", Brotli),
            ("gzip, deflate", Gzip),
            ("GZIP", Gzip),
            ("x-gzip", Gzip),
            ("br;q=0.5, gzip;q=0.8", Gzip),
            ("br ; Q=0.999 , gzip ; q=1.000", Gzip),
            ("br;q=0, gzip", Gzip),
            ("br;q=0.000, gzip;q=0", Identity),
            ("identity", Identity),
            ("identity, br;q=0.9", Identity),
            ("gzip;q=0.001", Gzip),
            ("deflate, zstd", Identity),
            ("", Identity),
            (",,", Identity),
            ("*", Brotli),
            ("*;q=0.1, gzip;q=0.2", Gzip),
            ("br;q=0, *", Gzip),
            ("*;q=0, gzip", Gzip),
            ("identity;q=0, gzip;q=0.1", Gzip),
            ("identity;q=0, *;q=0.1", Brotli),
            ("identity;q=0", Identity),
            ("*;q=0", Identity),
            ("brotli, gz, br2", Identity),
            ("br;q=1.5, br;q=0.5", Identity),
            ("br;q=high, gzip;q=", Identity),
            ("br;q=0.1234, gzip;q=-1", Identity),
            ("br;quality=1, gzip;q", Identity),
            ("br;q=2, *", Gzip),
        ] {
            assert_eq!(chosen(&[line], &all), coding, "{line}");
        }
        assert_eq!(chosen(&[], &all), Identity, "no header");
        assert_eq!(chosen(&["deflate", "br;q=0.1", "gzip;q=0.2"], &all), Gzip, "several lines are one list");
    }

    #[test]
    fn a_form_that_there_is_not_is_not_chosen() {
        let gzip = EncodedContent::embedded("text/css", b"plain", &[], b"gz");
        assert_eq!(chosen(&["br, gzip;q=0.1"], &gzip), Gzip);
        assert_eq!(chosen(&["br"], &gzip), Identity);
        let plain = EncodedContent::embedded("image/x-icon", b"plain", &[], &[]);
        assert_eq!(chosen(&["br, gzip, identity;q=0"], &plain), Identity);
    }
}
