//! Reads the project's configuration, and puts the command line on top of it.

use std::fs;
use std::path::{Path, PathBuf};

use refloop::findings::config::Config;

use crate::args::{Check, Project};
use crate::status::Failure;

/// A configuration, and the directory that its paths start from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub config: Config,
    pub directory: PathBuf,
}

/// Reads the file named, or the nearest `refloop.toml` or `pyproject.toml` with `[tool.refloop]` from here upwards.
pub(crate) fn load(project: &Project) -> Result<Settings, Failure> {
    let mut settings = match &project.config {
        Some(file) => {
            read(file)?.ok_or_else(|| Failure::usage(format!("{}: no [tool.refloop] in it", file.display())))?
        }
        None => nearest()?.unwrap_or_default(),
    };
    settings.config.own.extend(project.own.iter().cloned());
    Ok(settings)
}

/// What `check` was told on its command line, over the configuration.
pub(crate) fn with_check(mut settings: Settings, check: &Check) -> Settings {
    let config = &mut settings.config;
    config.all |= check.all;
    config.strict |= check.strict;
    config.ignore_collected |= check.ignore_collected;
    config.growth |= check.growth;
    if !check.only.is_empty() {
        config.only.clone_from(&check.only);
    }
    config.limits.max_loops = check.max_loops.or(config.limits.max_loops);
    config.limits.max_bytes = check.max_bytes.or(config.limits.max_bytes);
    settings
}

fn nearest() -> Result<Option<Settings>, Failure> {
    let Ok(here) = std::env::current_dir() else { return Ok(None) };
    for directory in here.ancestors() {
        for name in ["refloop.toml", "pyproject.toml"] {
            let file = directory.join(name);
            if !file.is_file() {
                continue;
            }
            // In messages, as short as a person would name it.
            let shown = file.strip_prefix(&here).map(Path::to_path_buf).unwrap_or(file);
            if let Some(settings) = read(&shown)? {
                return Ok(Some(settings));
            }
        }
    }
    Ok(None)
}

fn read(file: &Path) -> Result<Option<Settings>, Failure> {
    let text = fs::read_to_string(file).map_err(|error| Failure::input(format!("{}: {error}", file.display())))?;
    let is_pyproject = file.file_name().is_some_and(|name| name == "pyproject.toml");
    let config = Config::parse(&text, &file.to_string_lossy(), is_pyproject).map_err(Failure::usage)?;
    let directory = file.parent().map(Path::to_path_buf).unwrap_or_default();
    Ok(config.map(|config| Settings { config, directory }))
}
