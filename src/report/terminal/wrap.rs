//! Wraps the lines of a page for people, and sets words off where colour is wanted.

/// Joins pieces with `separator`, beginning a new line, `indent` blanks in, where the next piece would pass `width`.
/// The first line is taken to begin at `indent` as well. A piece that is too long for a line is broken at its commas or
/// blanks; a word is not.
pub fn wrap(pieces: &[String], separator: &str, indent: usize, width: usize) -> String {
    let mut text = String::new();
    let mut column = indent;
    for (i, piece) in pieces.iter().enumerate() {
        // A comma stays on the line that it ends.
        let comma = usize::from(separator == ", " && i + 1 < pieces.len());
        let separator = if i == 0 { "" } else { separator };
        if i > 0 && column + columns(separator) + columns(piece) + comma > width {
            // Arrows belong to what follows; dots and commas only stand between.
            let kept = separator.trim_start().trim_start_matches(['·', ',', ' ']);
            text.push_str(&format!("{}\n{}{kept}", if separator == ", " { "," } else { "" }, " ".repeat(indent)));
            column = indent + columns(kept);
        } else {
            text.push_str(separator);
            column += columns(separator);
        }
        if column + columns(piece) + comma <= width {
            text.push_str(piece);
            column += columns(piece);
        } else {
            let broken = broken(piece, column, width.saturating_sub(comma));
            column = broken.rsplit_once('\n').map_or(column + columns(&broken), |(_, last)| columns(last));
            text.push_str(&broken);
        }
    }
    text
}

/// A piece on several lines, of which the others begin below the first: at its commas where the lines are short enough
/// then, else at its blanks.
fn broken(piece: &str, indent: usize, width: usize) -> String {
    let clauses: Vec<String> = piece.split_inclusive(", ").map(|clause| clause.trim_end().to_string()).collect();
    let fit = clauses.iter().all(|clause| indent + columns(clause) <= width);
    let parts = if fit { clauses } else { words(piece) };
    let mut text = String::new();
    let mut column = indent;
    for (i, part) in parts.iter().enumerate() {
        if i > 0 && column + 1 + columns(part) > width {
            text.push_str(&format!("\n{}", " ".repeat(indent)));
            column = indent;
        } else if i > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(part);
        column += columns(part);
    }
    text
}

/// The words of a piece; `2 × 3` and what stands two blanks apart stay together.
fn words(piece: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in piece.split(' ') {
        match words.last_mut() {
            Some(last) if word.is_empty() || word == "×" || last.ends_with([' ', '×']) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_string()),
        }
    }
    words
}

/// The words of a sentence, wrapped.
pub fn wrap_words(sentence: &str, indent: usize, width: usize) -> String {
    let words: Vec<String> = sentence.split(' ').map(str::to_string).collect();
    wrap(&words, " ", indent, width)
}

/// The path of a loop, broken at its arrows.
pub fn wrap_path(path: &str, indent: usize, width: usize) -> String {
    let steps: Vec<String> = path.split(" → ").map(str::to_string).collect();
    wrap(&steps, " → ", indent, width)
}

/// Columns of a text on the terminal, as long as its characters are one wide. Styles and addresses of links take none.
pub fn columns(text: &str) -> usize {
    let mut pieces = text.split('\x1b');
    let plain = pieces.next().map_or(0, |piece| piece.chars().count());
    let escaped = pieces.map(|piece| match piece.chars().next() {
        // A link, up to the escape that ends it.
        Some(']') => 0,
        Some('\\') => piece.chars().count() - 1,
        _ => piece.split_once('m').map_or(0, |(_, rest)| rest.chars().count()),
    });
    plain + escaped.sum::<usize>()
}

/// How text is set off.
#[derive(Debug, Clone, Copy)]
pub enum Style {
    Bold,
    Red,
    Green,
    Yellow,
    Cyan,
}

/// The text between the escapes of a style; as it is where colour is not wanted.
pub fn styled(text: &str, style: Style, color: bool) -> String {
    let code = match style {
        Style::Bold => "1",
        Style::Red => "1;31",
        Style::Green => "32",
        Style::Yellow => "33",
        Style::Cyan => "36",
    };
    match color {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_string(),
    }
}

/// The text with its numbers set off, each with its unit.
pub fn with_numbers(text: &str, color: bool) -> String {
    const UNITS: [&str; 11] = ["B", "KB", "MB", "GB", "TB", "PB", "ns", "µs", "ms", "s", "%"];
    if !color {
        return text.to_string();
    }
    let words: Vec<&str> = text.split(' ').collect();
    let is_number = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_digit()) && word.chars().all(|c| c.is_ascii_digit() || ",.".contains(c))
    };
    let mut written: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(&word) = words.get(at) {
        let (bare, comma) = word.strip_suffix(',').map_or((word, ""), |bare| (bare, ","));
        let unit = words.get(at + 1).filter(|unit| comma.is_empty() && UNITS.contains(&unit.trim_end_matches(',')));
        at += 1;
        written.push(match (is_number(bare), unit) {
            (false, _) => word.to_string(),
            (true, None) => format!("{}{comma}", styled(bare, Style::Cyan, color)),
            (true, Some(unit)) => {
                at += 1;
                let bare_unit = unit.trim_end_matches(',');
                format!("{}{}", styled(&format!("{bare} {bare_unit}"), Style::Cyan, color), &unit[bare_unit.len()..])
            }
        });
    }
    written.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_between_pieces_only() {
        let pieces = ["Order.items[*]", "Line.order", "Order"].map(str::to_string);
        assert_eq!(wrap(&pieces, " → ", 4, 80), "Order.items[*] → Line.order → Order");
        assert_eq!(wrap(&pieces, " → ", 4, 24), "Order.items[*]\n    → Line.order → Order");
        assert_eq!(wrap_words("one two", 0, 3), "one\ntwo");
        let types = ["1 × a", "2 × b", "3 × c"].map(str::to_string);
        assert_eq!(wrap(&types, ", ", 0, 12), "1 × a,\n2 × b, 3 × c");
        assert_eq!(wrap(&types, ", ", 0, 13), "1 × a, 2 × b,\n3 × c");
    }

    #[test]
    fn a_piece_that_is_too_long_is_broken_at_its_commas_or_blanks() {
        let amount = ["3f9c0a11  12 × 3 objects, 4.7 KB with what they hold".to_string(), "freed".to_string()];
        let whole = amount.join(" · ");
        assert_eq!(wrap(&amount, " · ", 5, 5 + columns(&whole)), whole);
        assert_eq!(wrap(&amount, " · ", 5, 57), amount.join("\n     "));
        assert_eq!(wrap(&amount, " · ", 5, 56), "3f9c0a11  12 × 3 objects,\n     4.7 KB with what they hold · freed");
        let narrow = "3f9c0a11  12 × 3\n     objects, 4.7 KB\n     with what they\n     hold · freed";
        assert_eq!(wrap(&amount, " · ", 5, 22), narrow);
        let frames = ["app.py:1 f".to_string(), "a/long/path.py:12 function".to_string()];
        assert_eq!(wrap(&frames, " ← ", 4, 26), "app.py:1 f\n    ← a/long/path.py:12\n      function");
        assert_eq!(wrap(&["unbreakable".to_string()], " ", 4, 8), "unbreakable");
    }

    #[test]
    fn a_style_takes_no_columns() {
        assert_eq!([columns(&styled("weak → ref", Style::Red, true)), columns("weak → ref")], [10, 10]);
        let link = "\x1b]8;;file:///srv/app.py#3\x1b\\app.py:3\x1b]8;;\x1b\\ main";
        assert_eq!(columns(link), "app.py:3 main".len());
    }

    #[test]
    fn numbers_are_set_off_with_their_units() {
        let set_off = with_numbers("3f9c0a11  1,240 × 2 objects, 1.9 MB, in 3", true);
        assert_eq!(
            set_off.replace("\x1b[36m", "<").replace("\x1b[0m", ">"),
            "3f9c0a11  <1,240> × <2> objects, <1.9 MB>, in <3>"
        );
        assert_eq!(with_numbers("12 objects", false), "12 objects");
    }
}
