//! Lines of a page for people: pieces joined and wrapped, emphasis where colour is wanted.

/// Joins pieces with `separator`, beginning a new line, `indent` blanks in, where the next piece would pass `width`.
/// The first line is taken to begin at `indent` as well. A piece that is too long alone is not broken.
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
        text.push_str(piece);
        column += columns(piece);
    }
    text
}

/// The words of a sentence, wrapped.
pub fn wrap_words(sentence: &str, indent: usize, width: usize) -> String {
    let words: Vec<String> = sentence.split(' ').map(str::to_string).collect();
    wrap(&words, " ", indent, width)
}

/// Columns of a text on the terminal, as long as its characters are one wide.
pub fn columns(text: &str) -> usize {
    text.chars().count()
}

/// How text is set off.
#[derive(Debug, Clone, Copy)]
pub enum Style {
    Bold,
    Red,
    Green,
}

/// The text between the escapes of a style; as it is where colour is not wanted.
pub fn styled(text: &str, style: Style, color: bool) -> String {
    let code = match style {
        Style::Bold => "1",
        Style::Red => "1;31",
        Style::Green => "32",
    };
    match color {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_string(),
    }
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
}
