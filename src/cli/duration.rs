//! Reads times of the command line: `60`, `60s`, `500ms`, `5m`, `1h`.

use std::time::Duration;

/// A time that is more than none; a number alone is one of seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().map_err(|_| "not a time, such as 500ms, 30s or 5m".to_owned())?;
    let seconds = match unit {
        "" | "s" => 1.0,
        "ms" => 1e-3,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("{unit} is no unit of time: ms, s, m, h")),
    };
    let duration = Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("must be more than 0".into()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_time_has_a_unit_or_is_in_seconds() {
        let of = |text| duration(text).map(|duration| duration.as_millis());
        assert_eq!(
            [of("60"), of("60s"), of("1.5s"), of("500ms"), of("5m"), of("1h")].map(Result::unwrap),
            [60_000, 60_000, 1500, 500, 300_000, 3_600_000]
        );
        for wrong in ["", "s", "-1", "0", "1d", "nan", "1e300h"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
