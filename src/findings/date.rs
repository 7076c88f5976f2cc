//! Represents a day, for suppressions that expire; the caller says which day today is.

use std::fmt;

use time::OffsetDateTime;

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    pub year: i64,
    pub month: u8,
    pub day: u8,
}

impl Date {
    /// The day, in UTC, of a number of seconds since 1970; the first or last day of 9,999 years where that is beyond.
    pub fn of_unix_seconds(seconds: i64) -> Date {
        let date = match OffsetDateTime::from_unix_timestamp(seconds) {
            Ok(moment) => moment.date(),
            Err(_) if seconds < 0 => time::Date::MIN,
            Err(_) => time::Date::MAX,
        };
        Date { year: date.year().into(), month: date.month().into(), day: date.day() }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_days_across_leap_years_and_before_1970() {
        let of = |seconds: i64| Date::of_unix_seconds(seconds).to_string();
        assert_eq!(of(0), "1970-01-01");
        assert_eq!(of(-1), "1969-12-31");
        assert_eq!(of(951_782_399), "2000-02-28");
        assert_eq!(of(951_782_400), "2000-02-29");
        assert_eq!(of(1_803_859_200), "2027-03-01");
        assert_eq!([of(i64::MIN), of(i64::MAX)], ["-9999-01-01", "9999-12-31"]);
    }
}
