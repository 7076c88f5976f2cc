//! Unpacks the embedded agent and its bootstrap into a folder of their own in the cache.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The agent; empty where it cannot be built.
const AGENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/_refloop.so"));
const BOOTSTRAP: &[u8] = include_bytes!("bootstrap/sitecustomize.py");

/// Whether this build can record at all.
pub(super) fn is_supported() -> bool {
    !AGENT.is_empty()
}

/// The agent as a file that stays, for a program that records itself.
///
/// # Errors
/// When this build has none, or no folder can be written.
pub fn unpack_agent() -> io::Result<PathBuf> {
    if !is_supported() {
        let reason = "this build of refloop cannot record: it needs 64-bit Linux";
        return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
    }
    let folder = match cache().map(|cache| cache.join("refloop").join(name())) {
        Some(folder) if fill(&folder).is_ok() => folder,
        _ => {
            let folder = tempfile::Builder::new().prefix("refloop-").tempdir()?.keep();
            fill(&folder)?;
            folder
        }
    };
    Ok(folder.join("_refloop.so"))
}

/// The folder with the agent: in the user's cache, or, where that cannot be written, in `temporary`.
///
/// What is there already is compared, and replaced where it differs: a broken file is never loaded.
pub(super) fn folder(temporary: &Path) -> io::Result<PathBuf> {
    let name = name();
    if let Some(cache) = cache() {
        let folder = cache.join("refloop").join(&name);
        if fill(&folder).is_ok() {
            return Ok(folder);
        }
    }
    let folder = temporary.join(name);
    fill(&folder)?;
    Ok(folder)
}

/// One folder for each build.
fn name() -> String {
    format!("{}-{:08x}{:08x}", env!("CARGO_PKG_VERSION"), crc32fast::hash(AGENT), crc32fast::hash(BOOTSTRAP))
}

fn cache() -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    let chosen = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).and_then(absolute);
    chosen.or_else(|| std::env::var_os("HOME").map(PathBuf::from).and_then(absolute).map(|home| home.join(".cache")))
}

fn fill(folder: &Path) -> io::Result<()> {
    create_private(folder)?;
    for (name, bytes) in [("_refloop.so", AGENT), ("sitecustomize.py", BOOTSTRAP)] {
        let path = folder.join(name);
        if fs::read(&path).is_ok_and(|there| there == bytes) {
            continue;
        }
        // A Python that starts meanwhile sees the old file or the new one.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut file, bytes)?;
        file.persist(&path)?;
    }
    Ok(())
}

/// Nobody else may put a file there that we would load.
fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_file_in_the_cache_is_replaced() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("agent");
        fill(&folder).unwrap();
        fs::write(folder.join("sitecustomize.py"), "broken").unwrap();
        fill(&folder).unwrap();
        assert_eq!(fs::read(folder.join("sitecustomize.py")).unwrap(), BOOTSTRAP);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }
}
