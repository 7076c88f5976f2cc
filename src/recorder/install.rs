//! Unpacks the embedded agent and its bootstrap into a folder of their own in the cache.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The agent; empty where it cannot be built.
const AGENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/_refloop.so"));
const BOOTSTRAP: &[u8] = include_bytes!("bootstrap/sitecustomize.py");
/// Where a Python keeps what it compiled of the files beside.
const COMPILED: &str = "__pycache__";

/// Whether this build can record at all.
///
/// # Errors
/// One clause that says why not.
pub(super) fn supported() -> Result<(), &'static str> {
    if AGENT.is_empty() { Err("this build of refloop cannot record: it needs 64-bit Linux") } else { Ok(()) }
}

/// The agent as a file that stays, for a program that records itself.
///
/// # Errors
/// When this build has none, or no folder can be written.
pub fn unpack_agent() -> io::Result<PathBuf> {
    supported().map_err(|reason| io::Error::new(io::ErrorKind::Unsupported, reason))?;
    let folder = match cache().map(|cache| cache.join("refloop").join(name())) {
        Some(folder) => fill(&folder),
        None => Err(io::ErrorKind::NotFound.into()),
    };
    let folder =
        folder.or_else(|_| fill(&tempfile::Builder::new().prefix("refloop-").tempdir()?.keep().join("agent")))?;
    Ok(folder.join("_refloop.so"))
}

/// The folder with the agent: in the user's cache, or, where that cannot be written or others can write there too, in
/// `temporary`. An error where neither is safe.
///
/// What is there already is compared, and replaced where it differs: a broken file is never loaded.
pub(super) fn folder(temporary: &Path) -> io::Result<PathBuf> {
    let name = name();
    if let Some(cache) = cache() {
        let folder = fill(&cache.join("refloop").join(&name));
        if folder.is_ok() {
            return folder;
        }
    }
    folder_in(temporary)
}

/// The same, in `temporary` in any case.
pub(super) fn folder_in(temporary: &Path) -> io::Result<PathBuf> {
    fill(&temporary.join(name()))
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

/// Puts the agent's two files into the folder, and nothing else but what Pythons compiled of the bootstrap, which without it
/// each would do anew as it starts; gives the folder's real path.
///
/// # Errors
/// When it cannot be written, or somebody else can write to it or to a folder on the way to it.
fn fill(folder: &Path) -> io::Result<PathBuf> {
    create_private(folder)?;
    // Without links, so that none can be turned to another place later.
    let folder = folder.canonicalize()?;
    private::check_folder(&folder)?;
    let files = [("_refloop.so", AGENT), ("sitecustomize.py", BOOTSTRAP)];
    let compiled = folder.join(COMPILED);
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_kept = files.iter().any(|(file, _)| name == *file)
            || name == COMPILED && entry.file_type()?.is_dir() && private::check_folder(&compiled).is_ok();
        if !is_kept {
            remove(&entry)?;
        }
    }
    create_private(&compiled)?;
    for entry in fs::read_dir(&compiled)? {
        let entry = entry?;
        if !is_bootstrap(&entry.file_name()) || !private::is_own_file(&entry.path()) {
            remove(&entry)?;
        }
    }
    for (name, bytes) in files {
        let path = folder.join(name);
        if private::is_own_file(&path) && fs::read(&path).is_ok_and(|there| there == bytes) {
            continue;
        }
        for entry in fs::read_dir(&compiled)? {
            // What was compiled of another file.
            remove(&entry?)?;
        }
        // A Python that starts meanwhile sees the old file or the new one. Made one folder higher, where another launcher
        // does not clear it away.
        let mut file = tempfile::NamedTempFile::new_in(folder.parent().unwrap_or(&folder))?;
        io::Write::write_all(&mut file, bytes)?;
        file.persist(&path)?;
    }
    Ok(folder)
}

/// `sitecustomize.cpython-313.pyc`, of any CPython and with any optimization.
fn is_bootstrap(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with("sitecustomize.") && name.ends_with(".pyc"))
}

/// Removes what is not the agent's: a module here would be run by the recorded program.
fn remove(entry: &fs::DirEntry) -> io::Result<()> {
    let removed =
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Nobody else may put a file there that we would load.
fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Says who can write to a place, from its owner and its mode.
#[cfg(unix)]
#[allow(unsafe_code)]
mod private {
    use std::fs::Metadata;
    use std::io;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    unsafe extern "C" {
        safe fn geteuid() -> u32;
    }

    const OTHERS_WRITE: u32 = 0o022;
    /// In such a folder, as `/tmp`, only the owner of an entry can rename or remove it.
    const STICKY: u32 = 0o1000;

    /// Whether only this user, and the system's own, can change what is in the folder. Its path must have no links.
    pub(super) fn check_folder(folder: &Path) -> io::Result<()> {
        // In a container without rights the system's folders belong to a number that stands for the real root.
        let system = Path::new("/").metadata()?.uid();
        for place in folder.ancestors() {
            let there = place.symlink_metadata()?;
            let others = if place == folder {
                there.uid() != geteuid() || there.mode() & OTHERS_WRITE != 0
            } else {
                let strange = ![geteuid(), 0, system].contains(&there.uid());
                strange || there.mode() & OTHERS_WRITE != 0 && there.mode() & STICKY == 0
            };
            if others {
                return Err(io::Error::other(format!("others can write to {}", place.display())));
            }
        }
        Ok(())
    }

    /// Whether it is a file, no link, that only this user can write.
    pub(super) fn is_own_file(path: &Path) -> bool {
        let own = |there: Metadata| there.is_file() && there.uid() == geteuid() && there.mode() & OTHERS_WRITE == 0;
        path.symlink_metadata().is_ok_and(own)
    }
}

#[cfg(not(unix))]
mod private {
    use std::path::Path;

    pub(super) fn check_folder(_folder: &Path) -> std::io::Result<()> {
        Ok(())
    }

    pub(super) fn is_own_file(path: &Path) -> bool {
        path.is_file()
    }
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
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
    }

    #[test]
    fn what_a_python_compiled_stays_as_long_as_the_file_that_it_is_of() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("agent");
        let compiled = folder.join("__pycache__");
        let names = || fs::read_dir(&compiled).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
        fill(&folder).unwrap();
        for name in ["sitecustomize.cpython-313.pyc", "random.cpython-313.pyc", "sitecustomize.py"] {
            fs::write(compiled.join(name), "made by a Python").unwrap();
        }
        fill(&folder).unwrap();
        assert_eq!(names(), ["sitecustomize.cpython-313.pyc"]);
        fs::write(folder.join("sitecustomize.py"), "broken").unwrap();
        fill(&folder).unwrap();
        assert!(names().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn what_was_laid_beside_the_agent_is_taken_away() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("agent");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("random.py"), "laid here").unwrap();
        let elsewhere = place.path().join("elsewhere");
        let others = place.path().join("others");
        fs::create_dir(&others).unwrap();
        fs::write(others.join("sitecustomize.cpython-311.pyc"), "laid here").unwrap();
        std::os::unix::fs::symlink(&others, folder.join("__pycache__")).unwrap();
        fs::write(&elsewhere, BOOTSTRAP).unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder.join("sitecustomize.py")).unwrap();
        fill(&folder).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
        assert_eq!(fs::read_dir(folder.join("__pycache__")).unwrap().count(), 0);
        assert_eq!(fs::read_dir(&others).unwrap().count(), 1);
        assert!(folder.join("sitecustomize.py").symlink_metadata().unwrap().is_file());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_can_write_is_not_used_wherever_it_is_on_the_way() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        let (cache, folder) = (place.path().join("cache"), place.path().join("cache/agent"));
        fs::create_dir_all(&folder).unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        set(&cache, 0o777);
        let refused = fill(&folder).unwrap_err().to_string();
        assert_eq!(refused, format!("others can write to {}", cache.canonicalize().unwrap().display()));
        // A link into it is no way around.
        let link = place.path().join("link");
        std::os::unix::fs::symlink(&cache, &link).unwrap();
        assert!(fill(&link.join("agent")).is_err());
        set(&cache, 0o1777);
        set(&folder, 0o700);
        assert_eq!(fill(&link.join("agent")).unwrap(), folder.canonicalize().unwrap());
        set(&folder, 0o775);
        assert!(fill(&folder).is_err());
    }
}
