//! Adds words to the header of a file, where room was left for them: blanks at the end of the header text.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::HEADER_LIMIT;
use super::encode::{FILE_HEADER, MAGIC, add_words};

/// Adds `words` to the header of a file that says `of`. Answers whether it did: not where the file says something else, or
/// has no room. The rest of the file may be written meanwhile.
///
/// # Errors
/// Where the file cannot be read or written.
pub fn add_to_header(file: &File, of: &str, words: &str) -> io::Result<bool> {
    let mut head = [0; FILE_HEADER];
    file.read_exact_at(&mut head, 0)?;
    let length = u32::from_le_bytes([head[12], head[13], head[14], head[15]]) as usize;
    if !head.starts_with(&MAGIC) || length > HEADER_LIMIT {
        return Ok(false);
    }
    let mut text = vec![0; length];
    file.read_exact_at(&mut text, FILE_HEADER as u64)?;
    let is_meant = text.split(|byte| *byte == b' ').any(|word| word == of.as_bytes());
    if !is_meant || !add_words(&mut text, words) {
        return Ok(false);
    }
    let checksum = crc32fast::hash(&text).to_le_bytes();
    file.write_all_at(&[&checksum[..], &text].concat(), FILE_HEADER as u64 - 4)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::add_to_header;
    use crate::trace::open;
    use std::fs::File;
    use std::io::Write;

    #[test]
    fn words_are_added_where_there_is_room_and_to_the_file_that_is_meant() {
        let path = std::env::temp_dir().join(format!("refloop-amend-{}", std::process::id()));
        let text = format!("reftrace 1 runtime=x references=none pid=7{}", " ".repeat(20));
        let mut bytes = super::MAGIC.to_vec();
        for word in [1, text.len() as u32, crc32fast::hash(text.as_bytes())] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(text.as_bytes());
        File::create(&path).unwrap().write_all(&bytes).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        assert!(!add_to_header(&file, "pid=8", "exit=2").unwrap());
        assert!(!add_to_header(&file, "pid=7", "exit=2 of=a_program_that_says_much").unwrap());
        assert!(add_to_header(&file, "pid=7", "exit=2").unwrap());
        assert!(add_to_header(&file, "pid=7", "seconds=0.1").unwrap());
        assert!(!add_to_header(&file, "pid=7", "more=1").unwrap());
        let said = |key: &str, value: &str| (key.to_string(), value.to_string());
        let header = open(&path).unwrap().header().clone();
        assert_eq!(header.extra, [said("pid", "7"), said("exit", "2"), said("seconds", "0.1")]);
        std::fs::remove_file(path).unwrap();
    }
}
