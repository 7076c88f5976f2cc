//! Makes what is handed to the agent in another process: the request, and the script that brings it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::recorder::launch::handed_on;
use crate::recorder::outcome::Outcome;

/// A folder with what the agent and this process tell each other.
pub(super) struct Request {
    place: PathBuf,
    /// Whose the files are, where that is another.
    owner: Option<(u32, u32)>,
    agent: String,
    text: String,
}

impl Request {
    /// # Errors
    /// When the folder cannot be written, or a path cannot be handed on.
    pub(super) fn new(
        place: &Path,
        agent: &Path,
        owner: Option<(u32, u32)>,
        lines: &[String],
    ) -> Result<Request, String> {
        let mut text = lines.join("\n");
        for file in ["claim", "status"] {
            text += &format!("\n{file}={}", handed_on(&place.join(file))?);
        }
        let request = Request { place: place.to_owned(), owner, agent: handed_on(agent)?.to_owned(), text };
        request.file("claim", b"").map_err(|error| super::words(&error))?;
        Ok(request)
    }

    /// The file of the agent, in the view of the other process.
    pub(super) fn agent(&self) -> &str {
        &self.agent
    }

    /// What the agent is told.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Python that loads the agent and hands it the request. It binds no name, and no error leaves it.
    pub(super) fn script(&self, room: Option<(u64, u64)>) -> String {
        let mut text = self.text.clone();
        if let Some((address, length)) = room {
            text += &format!("\nroom={address} {length}");
        }
        let status = literal(&self.place.join("status").to_string_lossy());
        format!(
            "try:\n    __import__('_imp').create_dynamic(type(__import__('sys').implementation)(name='_refloop_attach', \
             origin={agent}, request={text}))\n\
             except KeyboardInterrupt:\n    __import__('_thread').interrupt_main()\n\
             except BaseException:\n    __import__('_io').open({status}, 'a').write('refused\\t0\\tthe agent could not be loaded: %s\\n' % \
             (__import__('sys').exc_info()[1],))\n",
            agent = literal(&self.agent),
            text = literal(&text),
        )
    }

    /// A file with this content, for whoever brings the request.
    pub(super) fn file(&self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        let path = self.place.join(name);
        fs::write(&path, content)?;
        if let Some(owner) = self.owner {
            give(&path, owner)?;
        }
        Ok(path)
    }

    /// Whether the agent has begun.
    pub(super) fn is_claimed(&self) -> bool {
        !self.place.join("claim").exists()
    }

    /// Takes the request back; false where the agent was quicker.
    pub(super) fn take_back(&self) -> bool {
        fs::remove_file(self.place.join("claim")).is_ok()
    }

    /// What the agent has said so far.
    pub(super) fn outcome(&self) -> Outcome {
        Outcome::read(&self.place.join("status"))
    }
}

/// Gives a file or a folder to a user and a group.
pub(super) fn give(path: &Path, (user, group): (u32, u32)) -> io::Result<()> {
    std::os::unix::fs::chown(path, Some(user), Some(group))
}

/// A text as Python source.
fn literal(text: &str) -> String {
    let mut literal = String::from("'");
    for c in text.chars() {
        match c {
            ' '..='~' if c != '\'' && c != '\\' => literal.push(c),
            _ => literal += &format!("\\U{:08x}", u32::from(c)),
        }
    }
    literal + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_ascii_in_a_script() {
        assert_eq!(literal("a'b\\c\nü"), "'a\\U00000027b\\U0000005cc\\U0000000a\\U000000fc'");
    }

    #[test]
    fn a_request_is_taken_back_or_claimed_and_never_both() {
        let place = tempfile::tempdir().unwrap();
        let request = Request::new(place.path(), Path::new("/a/_refloop.so"), None, &["output=/t".into()]).unwrap();
        assert!(!request.is_claimed() && request.take_back() && !request.take_back());
        assert!(request.is_claimed());
        assert!(request.script(Some((4096, 8192))).contains("room=4096 8192"));
    }
}
