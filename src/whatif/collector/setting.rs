//! Names a setting of the collector, as `gc.set_threshold`, `gc.disable` and `gc.freeze` would make it: `700,10,10`, `off`,
//! `freeze-at loaded`.

use std::fmt;

use super::rules::Rules;

/// What is set. What is not said is as the version has it, or as it was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setting {
    pub thresholds: Option<[u64; 3]>,
    /// No collection begins by itself.
    pub off: bool,
    /// `gc.freeze()` where the phase of this name begins.
    pub freeze_at: Option<String>,
    /// The collector of another version, and how that was called.
    pub rules: Option<(String, &'static Rules)>,
}

/// Thresholds of the older generations, where they are not said.
const OLDER: u64 = 10;

impl Setting {
    /// `700,10,10`, `700`, `off` or `freeze-at MARK`, or several with blanks between; the mark comes last.
    pub fn parse(text: &str) -> Result<Setting, String> {
        let mut setting = Setting::default();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (word, behind) = rest.split_once(' ').unwrap_or((rest, ""));
            rest = behind.trim_start();
            match word {
                "freeze-at" if !rest.is_empty() => setting.freeze_at = Some(std::mem::take(&mut rest).to_string()),
                "off" if setting.thresholds.is_none() => setting.off = true,
                numbers if !setting.off && setting.thresholds.is_none() => {
                    setting.thresholds = Some(thresholds(numbers).ok_or_else(|| expected(text))?);
                }
                _ => return Err(expected(text)),
            }
        }
        if setting == Setting::default() { Err(expected(text)) } else { Ok(setting) }
    }

    /// The collector of a version with its defaults, `3.12`.
    pub fn of_version(version: &str) -> Result<Setting, String> {
        let rules = Rules::of(version).ok_or_else(|| format!("{version}: {}", unknown(version)))?;
        Ok(Setting { rules: Some((version.to_string(), rules)), ..Setting::default() })
    }
}

/// Why there are no rules of a version.
pub(super) fn unknown(version: &str) -> &'static str {
    match version.strip_prefix("cpython-").unwrap_or(version).starts_with("3.14.") {
        true => "how the incremental collector of CPython 3.14.0 to 3.14.4 chooses its objects is not known",
        false => "the collectors of CPython 3.8 to 3.15 are known",
    }
}

fn thresholds(text: &str) -> Option<[u64; 3]> {
    let mut thresholds = [0, OLDER, OLDER];
    let mut numbers = text.split(',');
    for threshold in &mut thresholds {
        match numbers.next() {
            // CPython keeps it in an `int`.
            Some(number) => *threshold = number.parse::<u32>().ok().filter(|&number| number <= i32::MAX as u32)?.into(),
            None => break,
        }
    }
    numbers.next().is_none().then_some(thresholds)
}

fn expected(text: &str) -> String {
    format!("{text}: expected thresholds such as 700,10,10, or off, or freeze-at and the name of a mark")
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thresholds = self.thresholds.map(|[young, middle, old]| format!("{young},{middle},{old}"));
        let off = self.off.then(|| "off".to_string());
        let freeze = self.freeze_at.as_ref().map(|label| format!("freeze-at {label}"));
        let version = self.rules.as_ref().map(|(version, _)| format!("Python {version}"));
        let words: Vec<String> = [version, off, thresholds, freeze].into_iter().flatten().collect();
        if words.is_empty() { write!(f, "as recorded") } else { write!(f, "{}", words.join(" ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::Setting;

    #[test]
    fn settings_are_read_as_they_are_written() {
        for text in ["700,10,10", "off", "freeze-at all loaded", "5000,5,0 freeze-at x", "off freeze-at x"] {
            assert_eq!(Setting::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Setting::parse(" 97 ").unwrap().thresholds, Some([97, 10, 10]));
        assert_eq!(Setting::of_version("3.12").unwrap().to_string(), "Python 3.12");
        for text in ["", "on", "1,2,3,4", "-1", "700,", "off 700", "700 off", "freeze-at", "2147483648"] {
            assert!(Setting::parse(text).is_err(), "{text}");
        }
        assert!(Setting::of_version("3.14.2").unwrap_err().contains("incremental"));
        assert!(Setting::of_version("3.7").is_err());
    }
}
