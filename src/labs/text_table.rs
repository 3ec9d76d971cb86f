//! Tables for the command line: columns without borders, in as many blocks as a terminal needs.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};

/// The spaces between two columns.
const GAP: u16 = 2;

/// A table whose columns are as wide as their contents.
pub(super) struct TextTable<'a> {
    /// A heading that begins with an empty line continues the heading before.
    pub header: &'a [&'a str],
    /// How many columns are aligned to the left; the others to the right.
    pub left: usize,
    /// The columns that name a row: every block begins with them.
    pub names: &'a [usize],
    pub rows: Vec<Vec<String>>,
}

impl TextTable<'_> {
    /// One block; or several, one below the other, if it is wider than `width`.
    pub fn within(&self, width: Option<usize>) -> String {
        let all: Vec<_> = (0..self.header.len()).collect();
        let blocks = match width {
            Some(width) if self.width(&all) > width => self.split(width),
            _ => vec![all],
        };
        blocks.iter().map(|columns| self.block(columns)).collect::<Vec<_>>().join("\n\n")
    }

    fn split(&self, width: usize) -> Vec<Vec<usize>> {
        let mut blocks: Vec<Vec<usize>> = Vec::new();
        for group in self.groups() {
            let longer = blocks.last().map(|block| [&block[..], &group[..]].concat());
            match (longer.filter(|columns| self.width(columns) <= width), blocks.last_mut()) {
                (Some(columns), Some(block)) => *block = columns,
                _ => blocks.push([self.names, &group[..]].concat()),
            }
        }
        blocks
    }

    /// The columns under one heading stay together.
    fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for column in (0..self.header.len()).filter(|column| !self.names.contains(column)) {
            match groups.last_mut().filter(|_| self.header[column].starts_with('\n')) {
                Some(group) => group.push(column),
                None => groups.push(vec![column]),
            }
        }
        groups
    }

    fn width(&self, columns: &[usize]) -> usize {
        let longest = |column: &usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(*column)).map(String::as_str);
            self.header[*column].lines().chain(cells).map(|text| text.chars().count()).max().unwrap_or_default()
        };
        columns.iter().map(longest).sum::<usize>() + usize::from(GAP) * columns.len().saturating_sub(1)
    }

    fn block(&self, columns: &[usize]) -> String {
        let mut table = Table::new();
        table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(columns.iter().map(|column| self.header[*column]));
        for (number, column) in columns.iter().zip(table.column_iter_mut()) {
            column.set_padding((0, GAP));
            column.set_cell_alignment(if *number < self.left { CellAlignment::Left } else { CellAlignment::Right });
        }
        let has_figures =
            |row: &&Vec<String>| columns.iter().any(|column| !self.names.contains(column) && *column < row.len());
        table.add_rows(
            self.rows
                .iter()
                .filter(has_figures)
                .map(|row| columns.iter().map(|column| row.get(*column).map_or("", String::as_str))),
        );
        table.trim_fmt()
    }
}

/// Breaks lines that are longer than `width` between words.
pub(super) fn wrapped(text: &str, width: Option<usize>) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if width.is_none_or(|width| line.trim_end().chars().count() <= width) {
            out.push_str(line);
            continue;
        }
        let mut used = 0;
        for word in line.split_whitespace() {
            let length = word.chars().count();
            if used > 0 {
                let full = width.is_some_and(|width| used + 1 + length > width);
                out.push(if full { '\n' } else { ' ' });
                used = if full { 0 } else { used + 1 };
            }
            out.push_str(word);
            used += length;
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_broken_between_words_and_a_short_one_stays() {
        assert_eq!(wrapped("one two three\nfour\n", Some(8)), "one two\nthree\nfour\n");
        assert_eq!(wrapped("a   table  row\n", Some(14)), "a   table  row\n");
        assert_eq!(wrapped("one two three\n", None), "one two three\n");
    }

    #[test]
    fn columns_under_one_heading_stay_together_and_every_block_names_its_rows() {
        let rows = vec![["first", "1", "2", "3"].map(str::to_owned).to_vec(), vec!["floor".to_owned(), "9".to_owned()]];
        let table = TextTable { header: &["\nname", "check\np50", "\np99", "log in\np50"], left: 1, names: &[0], rows };
        assert_eq!(
            table.within(Some(17)),
            "       check\nname     p50  p99\nfirst      1    2\nfloor      9\n\n       log in\nname      p50\nfirst       3"
        );
        assert_eq!(table.within(Some(25)), table.within(None), "one block where there is room");
    }
}
