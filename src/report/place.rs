//! Writes a place of the program: a file, a line, a function.

use std::path::Path;

use super::{FrameRow, MadeRow, RenderOptions};

impl FrameRow {
    /// What stands for a stack that is not known, such as where the interpreter made something.
    pub const NOT_KNOWN: &str = "(not known)";
    /// What stands for the stack of what was there as a recorder was attached.
    pub const BEFORE: &str = "(made before the recording began)";

    /// What stands for the stack that these have not.
    pub fn instead(of: &MadeRow) -> &'static str {
        if of.before { FrameRow::BEFORE } else { FrameRow::NOT_KNOWN }
    }

    /// `app.py:42 make_order`, `python3.13/functools.py:1037 __get__`.
    pub fn short_place(&self) -> String {
        place(short(&self.path), self.line, &self.function)
    }

    /// The same with the whole path, for programs.
    pub fn place(&self) -> String {
        place(&self.path, self.line, &self.function)
    }

    /// [`FrameRow::short_place`] for a terminal, on which the place opens the file, where the page has links.
    pub(super) fn linked_place(&self, page: &RenderOptions) -> String {
        let place = position(short(&self.path), self.line);
        match page.links.filter(|_| self.is_in_a_file()) {
            Some(root) => format!("{} {}", link(&place, &root.join(&self.path), self.line), self.function),
            None => format!("{place} {}", self.function),
        }
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

/// Text that opens a file (OSC 8). The line is the fragment, as terminals that look at it have it.
fn link(text: &str, file: &Path, line: u32) -> String {
    let path = percent_encoded(&file.to_string_lossy());
    let line = if line > 0 { format!("#{line}") } else { String::new() };
    format!("\x1b]8;;file://{path}{line}\x1b\\{text}\x1b]8;;\x1b\\")
}

/// A path in a URI: everything but RFC 3986's plain characters is `%XX`.
pub(super) fn percent_encoded(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => encoded.push(byte as char),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn place(path: &str, line: u32, function: &str) -> String {
    format!("{} {function}", position(path, line))
}

/// `app.py:42`; the file alone where the line is not known.
fn position(path: &str, line: u32) -> String {
    match line {
        0 => path.to_string(),
        line => format!("{path}:{line}"),
    }
}

/// The module of the standard library that a file is of: `asyncio` for `/usr/lib/python3.13/asyncio/base_events.py`.
pub(super) fn library_module(path: &str) -> &str {
    let name =
        path.strip_prefix("<frozen ").unwrap_or_else(|| short(path).split_once('/').map_or(path, |(_, file)| file));
    name.split(['/', '.', '>']).next().unwrap_or(name)
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
    fn a_place_opens_its_file_where_the_page_has_links() {
        let frame = FrameRow { path: "a b/app.py".to_string(), line: 42, function: "main".to_string(), package: None };
        let page = RenderOptions { links: Some(Path::new("/srv")), ..RenderOptions::default() };
        let told = frame.linked_place(&page).replace('\x1b', "^");
        assert_eq!(told, "^]8;;file:///srv/a%20b/app.py#42^\\a b/app.py:42^]8;;^\\ main");
        assert_eq!(frame.linked_place(&RenderOptions::default()), "a b/app.py:42 main");
        let frozen = FrameRow { path: "<frozen runpy>".to_string(), ..frame };
        assert_eq!(frozen.linked_place(&page), "<frozen runpy>:42 main");
    }

    #[test]
    fn the_library_s_modules_are_called_as_they_are_imported() {
        let paths = ["/usr/lib/python3.13/asyncio/base_events.py", "/usr/lib/python3.13/enum.py", "<frozen runpy>"];
        assert_eq!(paths.map(library_module), ["asyncio", "enum", "runpy"]);
        assert_eq!(library_module("<frozen importlib._bootstrap>"), "importlib");
    }

    #[test]
    fn paths_of_an_installation_are_short_and_say_whose_they_are() {
        assert_eq!(short("/opt/py/lib/python3.13/json/decoder.py"), "python3.13/json/decoder.py");
        assert_eq!(short("/venv/lib/python3.12/site-packages/six.py"), "site-packages/six.py");
        assert_eq!(short("/home/me/python3.tools/x.py"), "/home/me/python3.tools/x.py");
        assert_eq!(short("shop/models.py"), "shop/models.py");
    }
}
