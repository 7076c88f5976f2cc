//! Writes numbers for people: thousands apart, bytes and times in units.

/// `1,204,331`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.9 MB`: powers of 1000, two or three digits that count; below 1000 exact.
pub fn bytes(n: u64) -> String {
    let mut value = n as f64;
    for unit in ["B", "KB", "MB", "GB", "TB", "PB"] {
        // 999.95 would be written as 1,000.0.
        if value < 999.95 || unit == "PB" {
            return match unit {
                "B" => format!("{n} B"),
                unit => format!("{} {unit}", fraction(value, 1)),
            };
        }
        value /= 1000.0;
    }
    format!("{n} B")
}

/// The same within a sentence, or `size not known`.
pub fn size(n: Option<u64>) -> String {
    n.map_or_else(|| "size not known".to_owned(), bytes)
}

/// The same in a table, or `not known`.
pub fn bytes_or_unknown(n: Option<u64>) -> String {
    or_unknown(n, bytes)
}

/// A number of a table as it is written, or `not known`.
pub fn or_unknown(n: Option<u64>, written: fn(u64) -> String) -> String {
    n.map_or_else(|| "not known".to_owned(), written)
}

/// `96.0`, `1,930.7`: bytes of one object in the mean; `12.3 KB` where the tenths say nothing.
pub fn bytes_each(mean: f64) -> String {
    if mean < 9_999.95 { fraction(mean, 1) } else { bytes(mean.round() as u64) }
}

/// `1,930.7`: so many digits behind the point.
fn fraction(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let whole = text.split('.').next().unwrap_or_default();
    match whole.parse() {
        Ok(n) => count(n) + &text[whole.len()..],
        Err(_) => text,
    }
}

/// `25.8 %`; `<0.1 %` of something that there is.
pub fn percent(share: f64, n: u64) -> String {
    if share < 0.05 && n > 0 { "<0.1 %".to_owned() } else { format!("{share:.1} %") }
}

/// `12.0 ms` of nanoseconds.
pub fn duration(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{:.1} µs", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        _ => format!("{} s", fraction(ns as f64 / 1e9, 2)),
    }
}

/// `1 loop`, `1,240 loops`.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// `1 loop`, `1 to 3 loops`.
pub fn counted_between(least: u64, most: u64, one: &str, many: &str) -> String {
    if least == most { counted(most, one, many) } else { format!("{} to {}", count(least), counted(most, one, many)) }
}

/// A quotient that is nearly always whole: `2`, or `2.4`.
pub fn ratio(value: f64) -> String {
    fraction(value, if value.fract() == 0.0 { 0 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([count(0), count(999), count(1_000), count(1_204_331)], ["0", "999", "1,000", "1,204,331"]);
        assert_eq!([bytes(0), bytes(999), bytes(1_000), bytes(1_949_999)], ["0 B", "999 B", "1.0 KB", "1.9 MB"]);
        assert_eq!(bytes(999_960), "1.0 MB");
        assert_eq!(bytes(u64::MAX), "18,446.7 PB");
        assert_eq!([duration(999), duration(11_500_000), duration(3_400_000_000)], ["999 ns", "11.5 ms", "3.40 s"]);
        assert_eq!(duration(4_000_120_000_000), "4,000.12 s");
        assert_eq!([ratio(2.0), ratio(2.37), ratio(1112.0), ratio(-1.0)], ["2", "2.4", "1,112", "-1"]);
        assert_eq!([96.0, 1_930.66, 9_260_176.0].map(bytes_each), ["96.0", "1,930.7", "9.3 MB"]);
        assert_eq!([percent(25.84, 9), percent(0.01, 9), percent(0.0, 0)], ["25.8 %", "<0.1 %", "0.0 %"]);
    }
}
