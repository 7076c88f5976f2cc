//! Tells traces apart, and where each of them comes from: the day, the service, the host.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use sha2::{Digest, Sha256};

use crate::trace::Header;

/// Which trace it is, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// 16 hexadecimal digits of the SHA-256 of the file: the same trace has the same wherever it lies.
    pub id: String,
    /// When the recording began, in UTC. What is not known here and below is `None`.
    pub started: Option<NaiveDateTime>,
    pub day: Option<NaiveDate>,
    pub service: Option<String>,
    pub host: Option<String>,
}

/// Traces of one day and one service lie together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition {
    pub day: Option<NaiveDate>,
    pub service: Option<String>,
}

impl Origin {
    /// What the file at `path` says of itself in its header.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn of(path: &Path, header: &Header) -> io::Result<Origin> {
        let seconds = header.word("started").and_then(|seconds| seconds.parse().ok());
        let started = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).map(|moment| moment.naive_utc());
        Ok(Origin {
            id: digest(&hash(path)?),
            started,
            day: started.map(|started| started.date()),
            service: header.word("argv").and_then(program),
            host: header.word("host").map(str::to_owned),
        })
    }

    pub fn partition(&self) -> Partition {
        Partition { day: self.day, service: self.service.clone() }
    }
}

/// The start of a hash, as names have it.
pub(super) fn digest(hash: &[u8]) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn hash(path: &Path) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            return Ok(hash.finalize().into());
        }
        hash.update(bytes);
        let n = bytes.len();
        file.consume(n);
    }
}

/// The name of the program in a command: `app` of `python -X dev /srv/app.py …`, `shop` of `python -m shop.main`.
fn program(command: &str) -> Option<String> {
    let word = command.split(' ').rfind(|word| *word != "…" && !word.is_empty())?;
    if word.starts_with('-') {
        return None;
    }
    let name = Path::new(word).file_name()?.to_str()?;
    let name = name.strip_suffix(".py").unwrap_or(name);
    name.split('.').next().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// What Hive has in the place of a value that is not known.
const NOT_KNOWN: &str = "__HIVE_DEFAULT_PARTITION__";

impl Partition {
    /// `day=2026-06-01/service=shop`.
    pub fn folder(&self) -> PathBuf {
        let day = self.day.map_or_else(|| NOT_KNOWN.to_owned(), |day| day.to_string());
        let service = self.service.as_deref().map_or_else(|| NOT_KNOWN.to_owned(), escaped);
        Path::new(&format!("day={day}")).join(format!("service={service}"))
    }
}

/// A value as the name of a folder: what may not stand in one is `%XX`, as Hive has it.
fn escaped(value: &str) -> String {
    let mut name = String::new();
    for c in value.chars() {
        match c {
            '"'
            | '#'
            | '%'
            | '\''
            | '*'
            | '/'
            | ':'
            | '='
            | '?'
            | '\\'
            | '{'
            | '['
            | ']'
            | '^'
            | '\0'..='\x1f'
            | '\x7f' => {
                name += &format!("%{:02X}", u32::from(c));
            }
            c => name.push(c),
        }
    }
    if name.is_empty() { NOT_KNOWN.to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_called_as_its_program() {
        let programs = [
            ("python -X dev /srv/app.py …", Some("app")),
            ("/usr/bin/python3 -m shop.main", Some("shop")),
            ("python3 /opt/venv/bin/gunicorn …", Some("gunicorn")),
            ("python -c …", None),
            ("python …", Some("python")),
            ("", None),
        ];
        for (command, expected) in programs {
            assert_eq!(program(command).as_deref(), expected, "{command}");
        }
    }

    #[test]
    fn a_partition_is_a_path_of_folders_whatever_the_service_is_called() {
        let day = NaiveDate::from_ymd_opt(2026, 6, 1);
        let folder = |day, service: Option<&str>| {
            let partition = Partition { day, service: service.map(str::to_owned) };
            partition.folder().to_string_lossy().into_owned()
        };
        assert_eq!(folder(day, Some("shop")), "day=2026-06-01/service=shop");
        assert_eq!(folder(day, Some("../a=b c")), "day=2026-06-01/service=..%2Fa%3Db c");
        assert_eq!(folder(None, None), "day=__HIVE_DEFAULT_PARTITION__/service=__HIVE_DEFAULT_PARTITION__");
    }
}
