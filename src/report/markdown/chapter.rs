//! Fits the chapters of a page into the room that it has.

use std::io::{self, Write};

use crate::human::count;

/// Characters of a comment on a pull request, and so of a page.
pub(super) const MOST: usize = 65_536;

/// Rows that each chapter keeps as long as it can, however long those before it are.
const KEPT: usize = 10;

/// Characters of the line that says how many rows were left out.
const NOTE: usize = 80;

/// A part of the page: what begins it, and rows of which the last may be left out.
#[derive(Debug, Default)]
pub(super) struct Chapter {
    pub head: String,
    pub rows: Vec<String>,
    /// What the rows are, in the plural, and how many the report itself left out.
    pub what: &'static str,
    pub omitted: u64,
}

impl Chapter {
    fn least(&self) -> usize {
        let rows: usize = self.rows.iter().take(KEPT).map(|row| row.chars().count()).sum();
        self.head.chars().count() + rows + NOTE
    }
}

/// Writes the chapters in `room` characters. The earlier ones come first, but none takes the first rows of a later one.
pub(super) fn write(chapters: &[Chapter], room: usize, out: &mut dyn Write) -> io::Result<()> {
    let (mut left, mut all) = (room.saturating_sub(chapters.iter().map(Chapter::least).sum()), room);
    for chapter in chapters {
        let around = chapter.head.chars().count() + NOTE;
        let own = (chapter.least() + left).min(all);
        let mut of_rows = own.saturating_sub(around);
        write!(out, "{}", chapter.head)?;
        let fits = |row: &&String| {
            let length = row.chars().count();
            let fits = length <= of_rows;
            of_rows -= if fits { length } else { 0 };
            fits
        };
        let written: Vec<&String> = chapter.rows.iter().take_while(fits).collect();
        written.iter().try_for_each(|row| write!(out, "{row}"))?;
        all = all.saturating_sub(own - of_rows);
        left = of_rows;
        let without = (chapter.rows.len() - written.len()) as u64;
        match without + chapter.omitted {
            0 => {}
            more if without == 0 => writeln!(out, "\n… and {} more {}", count(more), chapter.what)?,
            more => writeln!(out, "\n… and {} more {}, for which the page has no room", count(more), chapter.what)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(lengths: &[(usize, usize)], room: usize) -> String {
        let chapters: Vec<Chapter> = lengths
            .iter()
            .map(|&(rows, length)| Chapter {
                head: "# head\n".to_string(),
                rows: vec!["ä".repeat(length - 1) + "\n"; rows],
                what: "rows",
                omitted: 0,
            })
            .collect();
        let mut out = Vec::new();
        write(&chapters, room, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_fits_is_there_and_of_the_rest_is_said_how_much_there_is() {
        assert!(!page(&[(100, 50), (100, 50)], MOST).contains('…'));
        let long = page(&[(5_000, 100), (20, 50), (3_000, 40)], MOST);
        assert!((MOST - 500..=MOST).contains(&long.chars().count()), "{}", long.chars().count());
        let notes: Vec<&str> = long.lines().filter(|line| line.starts_with('…')).collect();
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(long.matches(&format!("{}\n", "ä".repeat(39))).count() >= KEPT);
    }

    #[test]
    fn a_row_that_is_longer_than_the_page_is_left_out() {
        let long = page(&[(3, 2 * MOST)], MOST);
        assert_eq!(long, "# head\n\n… and 3 more rows, for which the page has no room\n");
    }
}
