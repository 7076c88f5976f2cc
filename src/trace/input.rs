//! Opens a path, standard input or bytes as an [`Input`]: a window on the unread bytes that moves forward.
//!
//! A file or a pipe is read in pieces, and so is what zstd or gzip packed (known by their first bytes, never by a name):
//! the window is refilled, and what was passed is forgotten, so memory does not grow with the log. Nothing is mapped into
//! memory: a file that somebody makes shorter meanwhile is an error, and no signal.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use super::{ErrorKind, Position, TraceError};

/// How much a refill asks for at once, in bytes.
const PIECE: usize = 256 << 10;
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Bytes that are read once, front to back.
pub struct Input {
    /// As the user wrote it, for messages; `-` is standard input.
    name: PathBuf,
    bytes: Vec<u8>,
    /// The window: what of `bytes` is there and not passed yet.
    start: usize,
    end: usize,
    /// Input bytes that went before `bytes`.
    forgotten: u64,
    length: Option<u64>,
    /// Where a refill comes from; `None` when the window is all there is.
    rest: Option<Box<dyn Read + Send>>,
    cut: bool,
}

impl Input {
    /// Opens a file, a pipe, or with `-` standard input. Errors carry the path: it cannot be opened, it is a directory,
    /// it is empty, or it is packed and the packing is damaged.
    pub fn open(path: &Path) -> Result<Input, TraceError> {
        Self::open_unnamed(path)
            .and_then(Input::unpacked)
            .map(|input| Input { name: path.to_owned(), ..input })
            .map_err(|error| error.in_file(path))
    }

    /// Reads from memory, packed or not.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Input, TraceError> {
        let end = bytes.len();
        Input { length: Some(end as u64), end, ..Self::new(bytes, None) }.unpacked()
    }

    /// Reads from a stream of which nothing is known, packed or not.
    pub fn from_stream(stream: impl Read + Send + 'static) -> Result<Input, TraceError> {
        Self::new(Vec::new(), Some(Box::new(stream))).unpacked()
    }

    /// The unread bytes at hand. [`Input::refill`] may bring more.
    #[inline]
    pub fn window(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Passes the first `n` bytes of the window; no more than there are.
    #[inline]
    pub fn advance(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
    }

    /// Makes the window longer; `false` when the input has no more.
    pub fn refill(&mut self) -> Result<bool, TraceError> {
        let (Some(rest), bytes) = (&mut self.rest, &mut self.bytes) else { return Ok(false) };
        if self.start > 0 {
            bytes.copy_within(self.start..self.end, 0);
            self.forgotten += self.start as u64;
            self.end -= self.start;
            self.start = 0;
        }
        bytes.resize(bytes.len().max(self.end + PIECE), 0);
        let read = loop {
            match rest.read(&mut bytes[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A packed stream that stops short: whoever wrote it was killed. What came before it is sound.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.cut = true;
                    break 0;
                }
                Err(error) => {
                    self.rest = None;
                    let end = self.forgotten + self.end as u64;
                    return Err(self.error(Position { line: None, byte: end }, ErrorKind::Io(error)));
                }
                Ok(read) => break read,
            }
        };
        self.end += read;
        if read == 0 {
            self.rest = None;
            let end = self.forgotten + self.end as u64;
            if self.length.is_some_and(|length| end < length) {
                let shorter = io::Error::other("the file became shorter while it was read");
                return Err(self.error(Position { line: None, byte: end }, ErrorKind::Io(shorter)));
            }
        }
        Ok(read > 0)
    }

    /// Refills until the window has `n` bytes, or the input ends; says whether it has them.
    #[inline]
    pub fn reach(&mut self, n: usize) -> Result<bool, TraceError> {
        while self.window().len() < n {
            if !self.refill()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Unpacked bytes before the window.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.forgotten + self.start as u64
    }

    /// How long the input is, in unpacked bytes, where that is known beforehand.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether a packed input stopped in the middle of its packing. Known once the window cannot be refilled.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// An error about this input.
    pub fn error(&self, position: Position, kind: ErrorKind) -> TraceError {
        TraceError::at(position, kind).in_file(&self.name)
    }

    fn new(bytes: Vec<u8>, rest: Option<Box<dyn Read + Send>>) -> Input {
        Input { name: PathBuf::new(), bytes, start: 0, end: 0, forgotten: 0, length: None, rest, cut: false }
    }

    fn open_unnamed(path: &Path) -> Result<Input, TraceError> {
        if path == Path::new("-") {
            return Ok(Self::new(Vec::new(), Some(Box::new(io::stdin()))));
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
        }
        let length = metadata.is_file().then_some(metadata.len());
        Ok(Input { length, ..Self::new(Vec::new(), Some(Box::new(file))) })
    }

    /// Looks at the first bytes, and reads through a decoder where they are a packing's.
    fn unpacked(mut self) -> Result<Input, TraceError> {
        self.reach(ZSTD_MAGIC.len())?;
        let window = self.window();
        if window.is_empty() {
            return Err(TraceError::new(ErrorKind::Empty));
        }
        let (zstd, gzip) = (window.starts_with(&ZSTD_MAGIC), window.starts_with(&GZIP_MAGIC));
        if !zstd && !gzip {
            return Ok(self);
        }
        self.bytes.truncate(self.end);
        let rest = self.rest.unwrap_or_else(|| Box::new(io::empty()));
        let packed = Cursor::new(self.bytes).chain(rest);
        let unpacked: Box<dyn Read + Send> = if zstd {
            Box::new(zstd::Decoder::new(packed)?)
        } else {
            Box::new(flate2::read::MultiGzDecoder::new(packed))
        };
        let mut input = Self::new(Vec::new(), Some(unpacked));
        if !input.reach(1)? {
            let expected = format!("more than the beginning of its {} stream", if zstd { "zstd" } else { "gzip" });
            let cut = ErrorKind::Malformed { record: "file", expected };
            return Err(TraceError::new(if input.cut { cut } else { ErrorKind::Empty }));
        }
        Ok(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Gives one byte at a time, the worst that a pipe can do.
    struct Drip(Cursor<Vec<u8>>);

    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = buffer.len().min(1);
            self.0.read(&mut buffer[..n])
        }
    }

    fn rest_of(mut input: Input) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let window = input.window();
            all.extend_from_slice(window);
            let n = window.len();
            input.advance(n);
            if !input.refill().unwrap() {
                return all;
            }
        }
    }

    fn long_text() -> Vec<u8> {
        (0..200_000u32).flat_map(|i| format!("alloc {i:x} 1 48\n").into_bytes()).collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_packed_input_reads_like_the_plain_one() {
        let text = long_text();
        let packed = [zstd::encode_all(&text[..], 1).unwrap(), gzip(&text), text.clone()];
        for bytes in packed {
            assert!(rest_of(Input::from_bytes(bytes.clone()).unwrap()) == text);
            assert!(rest_of(Input::from_stream(Cursor::new(bytes)).unwrap()) == text);
        }
    }

    #[test]
    fn a_pipe_that_drips_is_told_from_its_first_bytes_all_the_same() {
        let packed = zstd::encode_all(&b"reftrace 1 runtime=x\n"[..], 1).unwrap();
        assert_eq!(rest_of(Input::from_stream(Drip(Cursor::new(packed))).unwrap()), b"reftrace 1 runtime=x\n");
    }

    #[test]
    fn the_window_of_a_stream_stays_small() {
        let text = long_text();
        let mut input = Input::from_stream(Cursor::new(zstd::encode_all(&text[..], 1).unwrap())).unwrap();
        let mut longest = 0;
        while input.reach(100).unwrap() {
            longest = longest.max(input.window().len());
            input.advance(100);
        }
        assert!(longest < 2 * PIECE, "{longest} bytes in the window");
        assert_eq!(input.offset() + input.window().len() as u64, text.len() as u64);
    }

    #[test]
    fn a_packing_that_stops_short_gives_what_came_before() {
        let text = long_text();
        for mut packed in [zstd::encode_all(&text[..], 1).unwrap(), gzip(&text)] {
            packed.truncate(packed.len() / 2);
            let mut input = Input::from_bytes(packed).unwrap();
            while input.refill().unwrap() {}
            assert!(input.is_cut());
            assert!(text.starts_with(input.window()) && input.window().len() > 1000);
        }
    }

    #[test]
    fn a_file_knows_its_length_and_says_when_it_becomes_shorter() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"reftrace").unwrap();
        let input = Input::open(file.path()).unwrap();
        assert_eq!((input.length(), input.window()), (Some(8), &b"reftrace"[..]));
        file.write_all(&vec![b'x'; 3 * PIECE]).unwrap();
        let mut input = Input::open(file.path()).unwrap();
        file.as_file().set_len(2 * PIECE as u64).unwrap();
        let error = loop {
            match input.refill() {
                Ok(more) => assert!(more, "the end of a file that became shorter is no end"),
                Err(error) => break error,
            }
        };
        let text = error.to_string();
        assert!(text.ends_with("byte 524288: the file became shorter while it was read"), "{text}");
    }

    #[test]
    fn what_cannot_be_opened_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let message = |name: &str| {
            let error = Input::open(&folder.path().join(name)).map(|_| ()).unwrap_err().to_string();
            error.replace(&folder.path().display().to_string(), "FOLDER")
        };
        std::fs::write(folder.path().join("empty"), "").unwrap();
        std::fs::write(folder.path().join("packed"), zstd::encode_all(&b""[..], 1).unwrap()).unwrap();
        assert_eq!(message("missing"), "FOLDER/missing: No such file or directory (os error 2)");
        assert_eq!(message("empty"), "FOLDER/empty: the file is empty");
        assert_eq!(message("packed"), "FOLDER/packed: the file is empty");
        assert_eq!(message(""), "FOLDER/: is a directory");
    }
}
