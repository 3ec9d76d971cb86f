//! Tables for the command line: columns without borders.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};

/// An empty table. The columns are as wide as their contents; those after the first `left` are aligned to the right.
pub(super) fn text_table(header: &[&str], left: usize) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    for (number, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        column.set_cell_alignment(if number < left { CellAlignment::Left } else { CellAlignment::Right });
    }
    table
}
