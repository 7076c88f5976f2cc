//! Parses `refloop.toml`, or `[tool.refloop]` of `pyproject.toml`.
//!
//! An unknown key is an error that names the nearest known one; every error has its line.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Rule;
use super::suppress::{Suppression, TextGlob};

/// What a project says of its gate. Everything has a default; the command line goes on top.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Modules that are the application's wherever they are installed.
    pub own: Vec<String>,
    /// Only findings that belong to one of these modules count.
    pub only: Vec<String>,
    /// Packages and the standard library count too.
    pub all: bool,
    pub ignore_collected: bool,
    /// Containers that grow fail the build.
    pub growth: bool,
    pub strict: bool,
    /// Relative to the file that says so.
    pub baseline: Option<String>,
    pub limits: Limits,
    pub suppressions: Vec<Suppression>,
}

/// How much is let through. A limit that is not given allows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    pub max_loops: Option<u64>,
    /// Bytes of the loops with what they hold.
    pub max_bytes: Option<u64>,
    /// Findings of a rule, each counted as often as it occurs.
    pub per_rule: BTreeMap<String, u64>,
    /// Loops that have a member of this type.
    pub per_type: BTreeMap<String, u64>,
}

/// Why a configuration cannot be used: `refloop.toml:3: …`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}:{line}: {message}")]
pub struct ConfigError {
    pub file: String,
    pub line: usize,
    pub message: String,
}

const KEYS: &[&str] = &[
    "all",
    "baseline",
    "growth",
    "ignore-collected",
    "limits",
    "max-bytes",
    "max-loops",
    "only",
    "own",
    "strict",
    "suppress",
    "type-limits",
];
const SUPPRESSION_KEYS: &[&str] = &["expires", "module", "path", "reason", "rule", "site", "type"];

impl Config {
    /// Reads a whole file. `file` is its name in errors; a `pyproject.toml` without `[tool.refloop]` is `None`.
    pub fn parse(text: &str, file: &str, is_pyproject: bool) -> Result<Option<Config>, ConfigError> {
        let reader = Reader { text, file };
        let document = DeTable::parse(text).map_err(|error| {
            reader.error(
                error.span().map_or(0, |span| span.start),
                error.message().to_lowercase().trim_end_matches('.').to_string(),
            )
        })?;
        let Some(table) = (match is_pyproject {
            true => reader.tool_table(document.get_ref())?,
            false => Some(document.get_ref()),
        }) else {
            return Ok(None);
        };
        reader.config(table).map(Some)
    }
}

/// A number of bytes as people write it: `4096`, `64 KB`, `1.5MB`, `2GiB`. Units are powers of 1000; `Ki`, `Mi` of 1024.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some((number * unit).round() as u64)
}

type Value<'a> = Spanned<DeValue<'a>>;

/// The text that spans point into.
struct Reader<'t> {
    text: &'t str,
    file: &'t str,
}

impl Reader<'_> {
    fn error(&self, at: usize, message: String) -> ConfigError {
        let line = self.text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1;
        ConfigError { file: self.file.to_string(), line, message }
    }

    fn tool_table<'t, 'i>(&self, document: &'t DeTable<'i>) -> Result<Option<&'t DeTable<'i>>, ConfigError> {
        let Some(tool) = document.get("tool").and_then(|tool| tool.get_ref().as_table()) else { return Ok(None) };
        let Some(own) = tool.get("refloop") else { return Ok(None) };
        match own.get_ref().as_table() {
            Some(table) => Ok(Some(table)),
            None => Err(self.error(own.span().start, "tool.refloop must be a table".to_string())),
        }
    }

    fn config(&self, table: &DeTable<'_>) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "own" => config.own = self.patterns("own", value)?,
                "only" => config.only = self.patterns("only", value)?,
                "all" => config.all = self.flag("all", value)?,
                "growth" => config.growth = self.flag("growth", value)?,
                "ignore-collected" => config.ignore_collected = self.flag("ignore-collected", value)?,
                "strict" => config.strict = self.flag("strict", value)?,
                "baseline" => config.baseline = Some(self.text("baseline", value)?),
                "max-loops" => config.limits.max_loops = Some(self.number("max-loops", value)?),
                "max-bytes" => config.limits.max_bytes = Some(self.bytes("max-bytes", value)?),
                "limits" => config.limits.per_rule = self.limits("limits", value, true)?,
                "type-limits" => config.limits.per_type = self.limits("type-limits", value, false)?,
                "suppress" => config.suppressions = self.suppressions(value)?,
                unknown => return Err(self.error(key.span().start, unknown_key(unknown, KEYS))),
            }
        }
        Ok(config)
    }

    fn suppressions(&self, value: &Value<'_>) -> Result<Vec<Suppression>, ConfigError> {
        let tables = value.get_ref().as_array().ok_or_else(|| self.wrong("suppress", "an array of tables", value))?;
        tables.iter().map(|table| self.suppression(table)).collect()
    }

    fn suppression(&self, value: &Value<'_>) -> Result<Suppression, ConfigError> {
        let table = value.get_ref().as_table().ok_or_else(|| self.wrong("suppress", "an array of tables", value))?;
        let at = table.iter().map(|(key, _)| key.span().start).min().unwrap_or(value.span().start);
        let place = self.error(at, String::new());
        let mut found = Suppression {
            rule: None,
            path: None,
            type_name: None,
            module: None,
            site: None,
            reason: String::new(),
            expires: None,
            place: format!("{}:{}", place.file, place.line),
        };
        for (key, value) in table.iter() {
            match key.get_ref().as_ref() {
                "rule" => found.rule = Some(self.rule(value)?),
                "path" => found.path = Some(self.glob("path", value)?),
                "type" => found.type_name = Some(self.glob("type", value)?),
                "module" => found.module = Some(self.glob("module", value)?),
                "site" => found.site = Some(self.glob("site", value)?),
                "reason" => found.reason = self.text("reason", value)?,
                "expires" => found.expires = Some(self.date(value)?),
                unknown => return Err(self.error(key.span().start, unknown_key(unknown, SUPPRESSION_KEYS))),
            }
        }
        if found.reason.trim().is_empty() {
            return Err(self.error(at, "a suppression needs a reason".to_string()));
        }
        let says_what = [&found.path, &found.type_name, &found.module, &found.site].iter().any(|glob| glob.is_some());
        if !says_what && found.rule.is_none() {
            let message = "a suppression needs one of path, type, module, site and rule".to_string();
            return Err(self.error(at, message));
        }
        Ok(found)
    }

    fn limits(&self, key: &str, value: &Value<'_>, of_rules: bool) -> Result<BTreeMap<String, u64>, ConfigError> {
        let table = value.get_ref().as_table().ok_or_else(|| self.wrong(key, "a table", value))?;
        let mut limits = BTreeMap::new();
        for (name, value) in table.iter() {
            if of_rules && Rule::named(name.get_ref()).is_none() {
                return Err(self.error(name.span().start, unknown_rule(name.get_ref())));
            }
            limits.insert(name.get_ref().to_string(), self.number(name.get_ref(), value)?);
        }
        Ok(limits)
    }

    fn rule(&self, value: &Value<'_>) -> Result<String, ConfigError> {
        let name = self.text("rule", value)?;
        match Rule::named(&name) {
            Some(_) => Ok(name),
            None => Err(self.error(value.span().start, unknown_rule(&name))),
        }
    }

    fn glob(&self, key: &str, value: &Value<'_>) -> Result<TextGlob, ConfigError> {
        let pattern = self.text(key, value)?;
        TextGlob::new(&pattern).map_err(|error| self.error(value.span().start, error.kind().to_string()))
    }

    fn patterns(&self, key: &str, value: &Value<'_>) -> Result<Vec<String>, ConfigError> {
        let array = value.get_ref().as_array().ok_or_else(|| self.wrong(key, "an array of strings", value))?;
        let patterns = array.iter().map(|value| self.text(key, value)).collect::<Result<Vec<_>, _>>()?;
        match super::owner::module_globs(&patterns) {
            Ok(_) => Ok(patterns),
            Err(error) => Err(self.error(value.span().start, error.to_string())),
        }
    }

    fn flag(&self, key: &str, value: &Value<'_>) -> Result<bool, ConfigError> {
        value.get_ref().as_bool().ok_or_else(|| self.wrong(key, "true or false", value))
    }

    fn text(&self, key: &str, value: &Value<'_>) -> Result<String, ConfigError> {
        value.get_ref().as_str().map(str::to_string).ok_or_else(|| self.wrong(key, "a string", value))
    }

    fn number(&self, key: &str, value: &Value<'_>) -> Result<u64, ConfigError> {
        let number = value.get_ref().as_integer().and_then(|n| u64::from_str_radix(n.as_str(), n.radix()).ok());
        number.ok_or_else(|| self.wrong(key, "a number, 0 or more", value))
    }

    fn bytes(&self, key: &str, value: &Value<'_>) -> Result<u64, ConfigError> {
        let bytes = value.get_ref().as_str().map_or_else(|| self.number(key, value).ok(), parse_bytes);
        bytes.ok_or_else(|| self.wrong(key, "a number of bytes, such as 65536 or \"64 KB\"", value))
    }

    fn date(&self, value: &Value<'_>) -> Result<NaiveDate, ConfigError> {
        let parsed = match value.get_ref() {
            DeValue::Datetime(moment) => moment.date,
            DeValue::String(text) => text.parse::<toml::value::Datetime>().ok().and_then(|moment| moment.date),
            _ => None,
        };
        let date =
            parsed.and_then(|date| NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into()));
        date.ok_or_else(|| self.wrong("expires", "a date, such as 2027-03-01", value))
    }

    fn wrong(&self, key: &str, expected: &str, value: &Value<'_>) -> ConfigError {
        self.error(value.span().start, format!("{key} must be {expected}"))
    }
}

fn unknown_key(key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()) {
        Some(near) => format!("unknown key '{key}'; did you mean '{near}'?"),
        None => format!("unknown key '{key}'; known are {}", known.join(", ")),
    }
}

/// The sentence for a rule that does not exist.
pub fn unknown_rule(name: &str) -> String {
    let known = super::RULES.iter().map(|rule| rule.name);
    match nearest(name, known.clone()) {
        Some(near) => format!("unknown rule '{name}'; did you mean '{near}'?"),
        None => format!("unknown rule '{name}'; known are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// The known word that `word` is most likely meant to be.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.map(|candidate| (strsim::jaro_winkler(&word.replace('_', "-"), candidate), candidate));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.75).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> String {
        Config::parse(text, "refloop.toml", false).unwrap_err().to_string()
    }

    #[test]
    fn a_whole_configuration_is_read() {
        let text = r#"
            [tool.refloop]
            own = ["shop"]
            only = ["shop.models.*"]
            ignore-collected = true
            baseline = "known.txt"
            max-loops = 3
            max-bytes = "64 KB"
            [tool.refloop.limits]
            lost-reference = 2
            [tool.refloop.type-limits]
            "shop.Order" = 10
            [[tool.refloop.suppress]]
            path = "Order.items[*] → *"
            reason = "ticket 12"
            expires = 2027-03-01
        "#;
        let config = Config::parse(text, "pyproject.toml", true).unwrap().unwrap();
        assert_eq!((config.own, config.ignore_collected), (vec!["shop".to_string()], true));
        assert_eq!(config.limits.max_bytes, Some(64_000));
        assert_eq!(config.limits.per_type["shop.Order"], 10);
        assert_eq!(config.suppressions[0].expires.unwrap().to_string(), "2027-03-01");
        assert_eq!(config.suppressions[0].place, "pyproject.toml:14");
    }

    #[test]
    fn a_pyproject_without_our_table_says_nothing() {
        assert!(Config::parse("[project]\nname = 'x'\n", "pyproject.toml", true).unwrap().is_none());
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        assert_eq!(error_of("max_loop = 1"), "refloop.toml:1: unknown key 'max_loop'; did you mean 'max-loops'?");
        assert_eq!(
            error_of("\n[[suppress]]\npaht = 'x'\nreason = 'y'"),
            "refloop.toml:3: unknown key 'paht'; did you mean 'path'?"
        );
        assert!(error_of("zzz = 1").starts_with("refloop.toml:1: unknown key 'zzz'; known are all, baseline"));
    }

    #[test]
    fn what_is_written_wrongly_is_told_with_its_line() {
        assert_eq!(error_of("[[suppress]]\npath = 'x'"), "refloop.toml:2: a suppression needs a reason");
        assert_eq!(
            error_of("[[suppress]]\nreason = 'x'"),
            "refloop.toml:2: a suppression needs one of path, type, module, site and rule"
        );
        assert_eq!(error_of("\nmax-loops = -1"), "refloop.toml:2: max-loops must be a number, 0 or more");
        assert_eq!(error_of("own = 'x'"), "refloop.toml:1: own must be an array of strings");
        assert_eq!(
            error_of("[limits]\ncyclic-garbag = 1"),
            "refloop.toml:2: unknown rule 'cyclic-garbag'; did you mean 'cyclic-garbage'?"
        );
        assert_eq!(
            error_of("[[suppress]]\nreason='x'\npath='x'\nexpires='soon'"),
            "refloop.toml:4: expires must be a date, such as 2027-03-01"
        );
        assert!(error_of("own = [").starts_with("refloop.toml:1: "));
    }

    #[test]
    fn bytes_are_read_as_people_write_them() {
        let table =
            [("4096", Some(4096)), ("64 KB", Some(64_000)), ("1.5MiB", Some(1_572_864)), ("x", None), ("5 q", None)];
        for (text, bytes) in table {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
    }
}
