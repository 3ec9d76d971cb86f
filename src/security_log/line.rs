//! The text of a line. Whatever a client sent stays inside its field: no newline and no control character gets out.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{EventSource, SecurityEvent};
use crate::clock::Timestamp;

/// One line.
#[derive(Serialize)]
pub(super) struct SecurityLine<'a> {
    #[serde(serialize_with = "rfc3339")]
    pub time: Timestamp,
    #[serde(flatten)]
    pub event: &'a SecurityEvent,
    #[serde(flatten)]
    pub source: &'a EventSource,
    pub node: &'a str,
}

/// RFC 3339 in UTC, always with milliseconds: such texts sort by time.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    let (time, millis) = (time.to_date_time(), time.as_millis().rem_euclid(1000));
    let (date, hour, minute, second) = (time.date(), time.hour(), time.minute(), time.second());
    serializer.collect_str(&format_args!("{date}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"))
}

impl SecurityLine<'_> {
    /// The line with its newline: JSON, or for people on a terminal.
    pub fn text(&self, terminal: bool) -> String {
        let mut line = if terminal { self.readable() } else { ascii(&serde_json::to_string(self).unwrap_or_default()) };
        line.push('\n');
        line
    }

    fn readable(&self) -> String {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(self) else { return String::new() };
        let time = fields.remove("time").unwrap_or_default();
        let mut line = format!("{} SECURITY {}", time.as_str().unwrap_or_default(), self.event.name());
        fields.remove("event");
        for (name, value) in fields {
            let plain = value.as_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'));
            let text = plain.map_or_else(|| ascii(&value.to_string()), ToOwned::to_owned);
            let _ = write!(line, " {name}={text}");
        }
        line
    }
}

/// Escapes what JSON allows as it is and a terminal may obey: DEL, the controls behind it, marks of writing direction.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}
