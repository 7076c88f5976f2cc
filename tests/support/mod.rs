//! Runs the built program and finds the interpreters that tests ask for.

pub(crate) mod pythons;
pub(crate) mod venv;

use std::path::PathBuf;
use std::process::Command;

/// The built program.
pub(crate) fn refloop() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refloop"));
    command.env_remove("NO_COLOR").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
