//! Writes records to a file, block by block, as `docs/formats/binary.md` describes them.
//!
//! A block is made in memory of the recorder's own and written with a system call. Nothing is written through a mapping by the
//! processor: who makes the file shorter meanwhile gets an error written here, and not a fault into the program.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

use crate::crc::crc32;
use crate::encode::{BLOCK_HEADER, BLOCK_MAGIC, BLOCK_OPEN, BLOCK_RAW, SHORT};
use crate::header::MappedHeader;
use crate::system;

/// A block that has more is sealed. What has been written since the last call of [`Output::flush`] is lost with a process
/// that is killed, at most so much.
const BLOCK_TARGET: usize = 64 << 10;
/// What may be added to a block at once.
const RECORD_LIMIT: usize = 192 << 10;
const ROOM: usize = BLOCK_HEADER + BLOCK_TARGET + RECORD_LIMIT;

/// The file that is being written.
///
/// It is open only while a block is written: the program finds no descriptor that it has not opened, and when it closes
/// all it can find, no file of its own takes the place of this one.
pub(crate) struct Output {
    path: PathBuf,
    /// Device and inode: whatever has the name later must be this file.
    identity: (u64, u64),
    header: MappedHeader,
    /// Where the open block begins in the file.
    offset: u64,
    /// The open block, header and all; always [`ROOM`] bytes.
    block: Vec<u8>,
    /// Where the next record goes in the block.
    next: usize,
    /// Bytes of the block that are in the file.
    flushed: usize,
    /// Records in the open block.
    records: u32,
}

impl Output {
    /// Begins the file with its header text.
    pub(crate) fn begin(file: &File, path: PathBuf, header: &str) -> io::Result<Output> {
        let mut block = Vec::new();
        block.try_reserve_exact(ROOM)?;
        block.resize(ROOM, 0);
        let mut header = MappedHeader::new(header)?;
        let offset = header.contents().len() as u64;
        system::may_write(offset)?;
        file.write_all_at(header.contents(), 0)?;
        header.map(file)?;
        let metadata = file.metadata()?;
        let identity = (metadata.dev(), metadata.ino());
        let mut output = Output { path, identity, header, offset, block, next: 0, flushed: 0, records: 0 };
        output.open_block();
        Ok(output)
    }

    /// Makes room for a record of at most `length` bytes. True when a block begins with it.
    #[inline]
    pub(crate) fn reserve(&mut self, length: usize) -> io::Result<bool> {
        if self.next + length <= BLOCK_TARGET { Ok(false) } else { self.turn(length) }
    }

    /// Adds so many records that are short together, with zeros behind them. `reserve` made room.
    #[inline]
    pub(crate) fn write_short(&mut self, bytes: &[u8; SHORT], length: usize, records: u32) {
        // SAFETY: there is room for more than these bytes.
        unsafe {
            self.block.as_mut_ptr().add(self.next).cast::<[u8; SHORT]>().write(*bytes);
        }
        self.next += length;
        self.records += records;
    }

    /// Adds so many records in two parts, for which `reserve` made room.
    #[inline]
    pub(crate) fn write(&mut self, head: &[u8], text: &[u8], records: u32) {
        let record = &mut self.block[self.next..][..head.len() + text.len()];
        record[..head.len()].copy_from_slice(head);
        record[head.len()..].copy_from_slice(text);
        self.next += record.len();
        self.records += records;
    }

    /// Bytes of the trace so far, in the file or not.
    pub(crate) fn written(&self) -> u64 {
        self.offset + if self.records == 0 { 0 } else { self.next as u64 }
    }

    /// Device and inode of the file.
    pub(crate) fn identity(&self) -> (u64, u64) {
        self.identity
    }

    /// Writes what there is, so that it is in the file whatever becomes of the process.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.records == 0 || self.flushed == self.next {
            return Ok(());
        }
        let file = self.open()?;
        self.store(&file, self.flushed)?;
        self.flushed = self.next;
        Ok(())
    }

    /// Seals the last block.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        if self.records == 0 { Ok(()) } else { self.seal() }
    }

    /// Ends the file with this record, behind what is in it as it should be: what could not be written takes no more room.
    pub(crate) fn break_off(&mut self, head: &[u8], text: &[u8]) -> io::Result<()> {
        let (file, length) = self.reopen()?;
        if length < self.offset + self.flushed as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match self.flushed {
            0 => self.open_block(),
            flushed => self.next = flushed,
        }
        self.write(head, text, 1);
        self.store(&file, self.flushed)?;
        file.set_len(self.offset + self.next as u64)
    }

    /// Adds words to the header of the file, whether it can be opened or not.
    pub(crate) fn add_to_header(&self, words: &str) {
        self.header.add(words);
    }

    /// Opens the file again, if it is still the one that has the name, and as it was left.
    fn open(&self) -> io::Result<File> {
        let (file, length) = self.reopen()?;
        let expected = self.offset + self.flushed as u64;
        if length == expected {
            return Ok(file);
        }
        let is_shorter = length < expected;
        let problem =
            if is_shorter { "another program made the trace shorter" } else { "another program wrote into the trace" };
        Err(io::Error::other(problem))
    }

    /// Opens the file again, if it is still the one that has the name, and says how long it is.
    fn reopen(&self) -> io::Result<(File, u64)> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        let metadata = file.metadata()?;
        match (metadata.dev(), metadata.ino()) == self.identity {
            true => Ok((file, metadata.len())),
            false => Err(io::Error::other("the trace was replaced by another file")),
        }
    }

    /// Writes the block from this byte on.
    fn store(&self, file: &File, from: usize) -> io::Result<()> {
        system::may_write(self.offset + self.next as u64)?;
        file.write_all_at(&self.block[from..self.next], self.offset + from as u64)
    }

    #[cold]
    fn turn(&mut self, length: usize) -> io::Result<bool> {
        debug_assert!(length <= RECORD_LIMIT);
        if self.records == 0 {
            return Ok(false);
        }
        self.seal()?;
        self.open_block();
        Ok(true)
    }

    fn open_block(&mut self) {
        self.block[..BLOCK_HEADER].fill(0);
        self.block[..BLOCK_MAGIC.len()].copy_from_slice(&BLOCK_MAGIC);
        self.block[BLOCK_MAGIC.len()] = BLOCK_OPEN;
        (self.next, self.flushed, self.records) = (BLOCK_HEADER, 0, 0);
    }

    /// Writes the rest of the block, and then that it is whole.
    fn seal(&mut self) -> io::Result<()> {
        let file = self.open()?;
        let stored = self.next - BLOCK_HEADER;
        if self.flushed > 0 {
            self.store(&file, self.flushed)?;
            self.flushed = self.next;
        }
        let crc = crc32(&self.block[BLOCK_HEADER..self.next]);
        for (place, word) in [stored as u32, stored as u32, self.records, crc].into_iter().enumerate() {
            self.block[8 + 4 * place..][..4].copy_from_slice(&word.to_le_bytes());
        }
        self.block[BLOCK_MAGIC.len()] = BLOCK_RAW;
        if self.flushed > 0 {
            file.write_all_at(&self.block[..BLOCK_HEADER], self.offset)?;
        } else {
            self.store(&file, 0)?;
        }
        self.offset += self.next as u64;
        (self.next, self.flushed, self.records) = (0, 0, 0);
        Ok(())
    }
}
