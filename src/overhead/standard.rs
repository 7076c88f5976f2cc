//! Decides whether a module is the standard library's.

use std::collections::HashSet;
use std::sync::LazyLock;

/// `sys.stdlib_module_names` of CPython 3.8 to 3.15 together.
static MODULES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("stdlib.txt").lines().filter(|line| !line.starts_with('#')).collect());

/// Is it a module of the standard library, in a package of it, or something that such a module defines?
pub fn is_standard_module(name: &str) -> bool {
    MODULES.contains(name.split('.').next().unwrap_or_default())
}
