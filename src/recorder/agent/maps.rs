//! Reads what the kernel says of this process's address space.

/// A part of the address space.
pub(crate) struct Mapping<'a> {
    pub range: (usize, usize),
    pub is_readable: bool,
    pub is_writable: bool,
    pub is_shared: bool,
    /// The first word of what it is of: a file, or `[heap]`.
    pub name: Option<&'a str>,
}

/// One line for each mapping, by address; empty where there is no `/proc`.
pub(crate) fn read() -> String {
    std::fs::read_to_string("/proc/self/maps").unwrap_or_default()
}

/// `start-end permissions offset device inode name`
pub(crate) fn parse(line: &str) -> Option<Mapping<'_>> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let &[read, write, _, sharing] = words.next()?.as_bytes() else { return None };
    Some(Mapping {
        range: (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?),
        is_readable: read == b'r',
        is_writable: write == b'w',
        is_shared: sharing == b's',
        name: words.nth(3),
    })
}
