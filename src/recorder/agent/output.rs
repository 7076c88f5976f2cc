//! Writes records to a file, through a window of it in memory, so that whatever ends the process, the kernel has all whole
//! records. In go encoded records, out comes the binary form that `docs/formats/binary.md` describes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{Ordering, fence};

use crate::crc::crc32;
use crate::encode::{BLOCK_HEADER, BLOCK_MAGIC, BLOCK_OPEN, BLOCK_RAW, MAGIC, SHORT, VERSION};
use crate::system;

/// A block that has more is sealed.
const BLOCK_TARGET: usize = 256 << 10;
/// What may be added to a block at once.
const RECORD_LIMIT: usize = 192 << 10;
/// Windows begin small, so that a short process takes little of the disk, and double up to the largest.
const FIRST_WINDOW: usize = 1 << 20;
const LARGEST_WINDOW: usize = 64 << 20;
const PAGE: u64 = 1 << 16;

/// The file that is being written.
///
/// It is open only while a window is mapped: the program finds no descriptor that it has not opened, and when it closes
/// all it can find, no file of its own takes the place of this one.
pub(crate) struct Output {
    path: PathBuf,
    /// Device and inode: whatever has the name later must be this file.
    identity: (u64, u64),
    /// Where the window begins in the file.
    offset: u64,
    window: *mut u8,
    length: usize,
    /// Start of the open block in the window.
    block: usize,
    /// Where the next record goes in the window.
    next: usize,
    /// Records in the open block.
    records: u32,
}

impl Output {
    /// Begins the file with its header text.
    pub(crate) fn begin(file: &File, path: PathBuf, header: &str) -> io::Result<Output> {
        let window = system::map_file(file.as_raw_fd(), 0, FIRST_WINDOW)?;
        let metadata = file.metadata()?;
        let identity = (metadata.dev(), metadata.ino());
        let mut output =
            Output { path, identity, offset: 0, window, length: FIRST_WINDOW, block: 0, next: 0, records: 0 };
        output.put(&MAGIC);
        output.put(&VERSION.to_le_bytes());
        output.put(&(header.len() as u32).to_le_bytes());
        output.put(&crc32(header.as_bytes()).to_le_bytes());
        output.put(header.as_bytes());
        output.open_block();
        Ok(output)
    }

    /// Makes room for a record of at most `length` bytes. True when a block begins with it.
    #[inline]
    pub(crate) fn reserve(&mut self, length: usize) -> io::Result<bool> {
        if self.next + length - self.block <= BLOCK_TARGET { Ok(false) } else { self.turn(length) }
    }

    /// Adds so many records that are short together, with zeros behind them. `reserve` made room.
    #[inline]
    pub(crate) fn write_short(&mut self, bytes: &[u8; SHORT], length: usize, records: u32) {
        let (words, _) = bytes.as_chunks::<8>();
        let [first, second] = [words[0], words[1]].map(u64::from_ne_bytes);
        // SAFETY: there is room for more than these bytes. The word with the first byte is written last.
        unsafe {
            let place = self.window.add(self.next);
            place.add(8).cast::<u64>().write_unaligned(second);
            fence(Ordering::Release);
            place.cast::<u64>().write_unaligned(first);
        }
        self.next += length;
        self.records += records;
    }

    /// Adds so many records in two parts, for which there is room: the first byte last, so that a reader meets whole
    /// records.
    #[inline]
    pub(crate) fn write(&mut self, head: &[u8], text: &[u8], records: u32) {
        // SAFETY: `reserve` made room for both parts in the window.
        unsafe {
            let record = self.window.add(self.next);
            std::ptr::copy_nonoverlapping(text.as_ptr(), record.add(head.len()), text.len());
            std::ptr::copy_nonoverlapping(head.as_ptr().add(1), record.add(1), head.len() - 1);
            fence(Ordering::Release);
            record.write_volatile(head[0]);
        }
        self.next += head.len() + text.len();
        self.records += records;
    }

    /// Bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        self.offset + self.next as u64
    }

    /// Seals the last block and cuts off what was mapped and not used.
    pub(crate) fn finish(mut self) {
        let end = if self.records == 0 { self.offset + self.block as u64 } else { self.written() };
        self.seal();
        // A file that cannot be cut has zeros at its end, which the form allows.
        let _ = self.open().and_then(|file| file.set_len(end));
    }

    /// Lets go of a file that a parent process goes on writing.
    pub(crate) fn abandon(self) {
        drop(self);
    }

    /// Opens the file again, if it is still the one that has the name.
    fn open(&self) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        let metadata = file.metadata()?;
        if (metadata.dev(), metadata.ino()) == self.identity {
            Ok(file)
        } else {
            Err(io::Error::other("the trace was replaced by another file"))
        }
    }

    #[cold]
    fn turn(&mut self, length: usize) -> io::Result<bool> {
        if self.records == 0 {
            return Ok(false);
        }
        self.seal();
        self.block = self.next;
        self.records = 0;
        debug_assert!(length <= RECORD_LIMIT);
        if self.next + BLOCK_HEADER + BLOCK_TARGET + RECORD_LIMIT > self.length {
            let position = self.written();
            let offset = position / PAGE * PAGE;
            let larger = (self.length * 2).min(LARGEST_WINDOW);
            let window = system::map_file(self.open()?.as_raw_fd(), offset, larger)?;
            // SAFETY: nothing but this struct points into the old window.
            unsafe {
                system::unmap(self.window, self.length);
            }
            self.window = window;
            self.length = larger;
            self.offset = offset;
            self.next = (position - offset) as usize;
        }
        self.open_block();
        Ok(true)
    }

    fn open_block(&mut self) {
        self.block = self.next;
        self.records = 0;
        // Its words are zero as the file is there.
        self.put(&BLOCK_MAGIC);
        self.put(&[BLOCK_OPEN]);
        self.next = self.block + BLOCK_HEADER;
    }

    fn seal(&mut self) {
        if self.records == 0 {
            return;
        }
        let stored = self.next - self.block - BLOCK_HEADER;
        // SAFETY: the open block is in the window.
        unsafe {
            let header = self.window.add(self.block);
            let crc = crc32(std::slice::from_raw_parts(header.add(BLOCK_HEADER), stored));
            for (place, word) in [stored as u32, stored as u32, self.records, crc].into_iter().enumerate() {
                header.add(8 + 4 * place).cast::<[u8; 4]>().write(word.to_le_bytes());
            }
            fence(Ordering::Release);
            header.add(4).write_volatile(BLOCK_RAW);
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        // SAFETY: the callers put headers only, for which the window has room.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.window.add(self.next), bytes.len());
        }
        self.next += bytes.len();
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // SAFETY: nothing but this struct points into the window.
        unsafe {
            system::unmap(self.window, self.length);
        }
    }
}
