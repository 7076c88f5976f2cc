//! Writes a table of cells that fits a width: a head, a rule, rows.

use std::io::{self, Write};

use super::wrap::{columns, wrap, wrap_path};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};

/// One rule, under the head.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Cells in columns; text wraps inside of its column where the table would be too wide, and where it is not short.
pub struct Grid {
    head: Vec<&'static str>,
    alignments: Vec<Align>,
    rows: Vec<Vec<String>>,
    width: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
    /// A dotted name or a path of a file: shortened from the left where the table would be too wide.
    Name,
    /// The path of a loop: broken at its arrows.
    Path,
}

/// Below so many columns, and where a table would be wider, a list is written instead.
const NARROW: usize = 60;

/// A name is not shortened to less, and a text of so much is not broken.
pub const NARROWEST: usize = 16;

impl Grid {
    pub fn new(width: usize) -> Grid {
        Grid { head: Vec::new(), alignments: Vec::new(), rows: Vec::new(), width }
    }

    pub fn column(&mut self, head: &'static str, align: Align) -> &mut Grid {
        self.head.push(head);
        self.alignments.push(align);
        self
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The cells of a row, those that can be shortened as long as there is room for in their columns.
    fn fitted(&self, row: &[String], rooms: &[usize]) -> Vec<String> {
        let cells = row.iter().zip(&self.alignments).zip(rooms);
        cells.map(|((cell, &align), &room)| in_room(cell, align, room)).collect()
    }

    /// Whether no name has to be shortened to less than `least` columns.
    pub fn fits(&self, least: usize) -> bool {
        let names = (0..self.head.len()).filter(|&column| self.alignments[column] == Align::Name);
        { names }.all(|column| self.open_room(column) >= self.widest(column).min(least))
    }

    /// What the other columns leave to this one.
    fn room(&self, column: usize) -> usize {
        self.open_room(column).max(NARROWEST)
    }

    /// There are a blank on each side of a cell and one between columns.
    fn open_room(&self, column: usize) -> usize {
        let others: usize = (0..self.head.len()).filter(|&other| other != column).map(|c| self.widest(c) + 3).sum();
        self.width.saturating_sub(others + 2)
    }

    fn widest(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell));
        cells.chain([columns(self.head[column])]).max().unwrap_or(0)
    }

    /// What this column takes at least: no number is broken, nor a word of a head.
    fn narrowest(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell)).max().unwrap_or(0);
        let cells = if self.alignments[column] == Align::Right { cells } else { cells.min(NARROWEST) };
        self.head[column].split(' ').map(columns).fold(cells, usize::max)
    }

    /// There are a blank on each side of a cell and one between columns.
    fn is_table(&self) -> bool {
        let columns: usize = (0..self.head.len()).map(|column| self.narrowest(column) + 3).sum();
        self.width >= NARROW && columns <= self.width + 1
    }

    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.is_table() {
            return self.write_list(out);
        }
        let mut table = Table::new();
        table.load_style(STYLE);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(self.width).unwrap_or(u16::MAX).max(40));
        table.set_header(&self.head);
        let rooms: Vec<usize> = (0..self.head.len()).map(|column| self.room(column)).collect();
        table.add_rows(self.rows.iter().map(|row| self.fitted(row, &rooms)));
        for ((index, column), align) in table.column_iter_mut().enumerate().zip(&self.alignments) {
            if *align == Align::Left && self.widest(index) <= NARROWEST {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
            match align {
                Align::Left | Align::Name | Align::Path => column.set_cell_alignment(CellAlignment::Left),
                Align::Right => column.set_cell_alignment(CellAlignment::Right),
            };
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// Each row as a few lines: its name or path, and below that the other cells, each behind what its column is called.
    fn write_list(&self, out: &mut dyn Write) -> io::Result<()> {
        let is_name = |align: &Align| matches!(align, Align::Name | Align::Path);
        let first = self.alignments.iter().position(is_name).unwrap_or(0);
        for row in &self.rows {
            let Some(name) = row.get(first) else { continue };
            match self.alignments[first] {
                Align::Left | Align::Right => writeln!(out, "{} {name}", self.head[first])?,
                align => writeln!(out, "{}", in_room(name, align, self.width))?,
            }
            let others =
                row.iter().zip(&self.head).enumerate().filter(|(at, (cell, _))| *at != first && !cell.is_empty());
            let facts: Vec<String> =
                others.map(|(_, (cell, head))| format!("{head} {cell}").trim().to_string()).collect();
            if !facts.is_empty() {
                writeln!(out, "  {}", wrap(&facts, " · ", 2, self.width))?;
            }
        }
        Ok(())
    }
}

/// A cell that is shortened, or broken, if it is one that may be.
fn in_room(cell: &str, align: Align, room: usize) -> String {
    match align {
        Align::Left | Align::Right => cell.to_string(),
        Align::Name => from_the_left(cell, room),
        Align::Path => wrap_path(cell, 0, room),
    }
}

/// The end of a name that is too long: `…aiohttp.client.ClientSession`.
fn from_the_left(name: &str, room: usize) -> String {
    match columns(name).checked_sub(room) {
        None | Some(0) => name.to_string(),
        Some(over) => format!("…{}", name.chars().skip(over + 1).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_loses_its_beginning_and_a_path_breaks_at_an_arrow() {
        let long = ["a.very.very.long.package.with.modules.ClientSession".repeat(2), "1.2 KB".to_string()];
        let page = written(60, long.clone());
        assert!(page.contains("es.ClientSession "), "{page}");
        assert!(page.lines().all(|line| columns(line) <= 60), "{page}");
        assert_eq!(written(40, long), "…long.package.with.modules.ClientSession\n  Bytes 1.2 KB\n");
    }

    #[test]
    fn a_table_that_would_break_a_word_of_its_head_is_a_list() {
        let written = |digits: usize| {
            let mut grid = Grid::new(60);
            grid.column("Generation", Align::Right).column("Looked at", Align::Right);
            grid.row(["1".to_string(), "9".repeat(digits)]);
            let mut out = Vec::new();
            grid.write(&mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let table = written(45);
        assert!(table.starts_with(" Generation "), "{table}");
        assert!(table.lines().all(|line| columns(line) <= 60), "{table}");
        assert_eq!(written(46), format!("Generation 1\n  Looked at {}\n", "9".repeat(46)));
    }

    fn written(width: usize, row: [String; 2]) -> String {
        let mut grid = Grid::new(width);
        grid.column("Type", Align::Name).column("Bytes", Align::Right);
        grid.row(row);
        let mut out = Vec::new();
        grid.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }
}
