//! Writes a place of the program: a file, a line, a function.

use super::FrameRow;

impl FrameRow {
    /// What stands for a stack that is not known: the interpreter made it, or it was there before the recording.
    pub const NOT_KNOWN: &str = "(not known)";

    /// `app.py:42 make_order`, `python3.13/functools.py:1037 __get__`.
    pub fn short_place(&self) -> String {
        place(short(&self.path), self.line, &self.function)
    }

    /// The same with the whole path, for programs.
    pub fn place(&self) -> String {
        place(&self.path, self.line, &self.function)
    }

    /// A frame of pytest, or of what calls its hooks.
    pub fn is_of_a_test_runner(&self) -> bool {
        ["/_pytest/", "/pluggy/"].iter().any(|folder| self.path.contains(folder))
    }

    /// The file of an import machinery or of typed-in code, `<frozen …>`, is none that a page can link to.
    pub fn is_in_a_file(&self) -> bool {
        !self.path.starts_with('<')
    }
}

fn place(path: &str, line: u32, function: &str) -> String {
    match line {
        0 => format!("{path} {function}"),
        line => format!("{path}:{line} {function}"),
    }
}

/// A path without the folders in which Python is installed: `python3.13/json/decoder.py`, `site-packages/six.py`.
pub fn short(path: &str) -> &str {
    for packages in ["/site-packages/", "/dist-packages/"] {
        if let Some(at) = path.rfind(packages) {
            return &path[at + 1..];
        }
    }
    let is_library = |at: &usize| path[..*at].ends_with("/lib") || path[..*at].ends_with("/lib64");
    let mut folders = path.match_indices("/python3.").map(|(at, _)| at).filter(is_library);
    folders.next().map_or(path, |at| &path[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_an_installation_are_short_and_say_whose_they_are() {
        assert_eq!(short("/opt/py/lib/python3.13/json/decoder.py"), "python3.13/json/decoder.py");
        assert_eq!(short("/venv/lib/python3.12/site-packages/six.py"), "site-packages/six.py");
        assert_eq!(short("/home/me/python3.tools/x.py"), "/home/me/python3.tools/x.py");
        assert_eq!(short("shop/models.py"), "shop/models.py");
    }
}
