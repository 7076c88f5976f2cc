//! Keeps the header of the trace mapped, and writes into its blanks why the recording stopped where the file cannot be opened.
//!
//! A process that has given up its privileges, or has another root, opens its trace no more; neither does one whose trace
//! was moved. The mapping stays, and the kernel writes into it: where the file has become shorter, that is an error and no fault.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use crate::crc::crc32;
use crate::encode::{FILE_HEADER, MAGIC, VERSION, add_words};
use crate::memory::filled;
use crate::system;

/// The beginning of a file, up to its first block.
pub(crate) struct MappedHeader {
    /// By this mapping others see who writes the file, and the inode does not become another file's.
    address: *mut u8,
    /// What was written there.
    contents: Vec<u8>,
}

impl MappedHeader {
    /// Makes the beginning of a file with this header text.
    pub(crate) fn new(text: &str) -> io::Result<MappedHeader> {
        let mut contents = filled(0, FILE_HEADER + text.len());
        let Some((head, rest)) = contents.split_first_chunk_mut::<FILE_HEADER>() else {
            return Err(io::ErrorKind::OutOfMemory.into());
        };
        rest.copy_from_slice(text.as_bytes());
        head[..8].copy_from_slice(&MAGIC);
        head[8..12].copy_from_slice(&VERSION.to_le_bytes());
        head[12..16].copy_from_slice(&(text.len() as u32).to_le_bytes());
        head[16..].copy_from_slice(&crc32(text.as_bytes()).to_le_bytes());
        Ok(MappedHeader { address: std::ptr::null_mut(), contents })
    }

    /// The bytes of the file.
    pub(crate) fn contents(&self) -> &[u8] {
        &self.contents
    }

    /// Maps the file, which has these bytes.
    pub(crate) fn map(&mut self, file: &File) -> io::Result<()> {
        self.address = system::map_file(file.as_raw_fd(), self.contents.len())?;
        Ok(())
    }

    /// Adds words to the header, if it is still as it was written and there is room.
    pub(crate) fn add(&self, words: &str) {
        let length = self.contents.len();
        let mut there = filled(0, length);
        // SAFETY: the mapping is our own, and as long as what was written.
        if unsafe { !system::copy(self.address, there.as_mut_ptr(), there.len()) } || there != self.contents {
            return;
        }
        if let Some((head, text)) = there.split_first_chunk_mut::<FILE_HEADER>()
            && add_words(text, words)
        {
            head[16..].copy_from_slice(&crc32(text).to_le_bytes());
            // SAFETY: as above. What is not written is the header as it was.
            unsafe {
                system::copy(there.as_ptr(), self.address, length);
            }
        }
    }
}

impl Drop for MappedHeader {
    fn drop(&mut self) {
        if !self.address.is_null() {
            // SAFETY: nothing points into the mapping.
            unsafe {
                system::unmap(self.address, self.contents.len());
            }
        }
    }
}
