//! Reads the header of a dump: how long numbers are, and how many bytes, pointers and texts each kind of value has.

use super::super::cursor::{Cursor, Problem};

/// How a dump is laid out.
pub(super) struct Layout {
    /// Bytes of a pointer, and of a number: 4 or 8.
    pub pointer: usize,
    pub number: usize,
    /// Constants of a sub are in its pad.
    pub has_threads: bool,
    /// `5.36.0`
    pub perl: String,
    /// By kind; of the first all values have the fields.
    pub values: Vec<Shape>,
    /// What may stand behind a value, from kind 128 on.
    pub extensions: Vec<Shape>,
    pub contexts: Option<Vec<Shape>>,
}

/// Of what a kind of value consists: bytes first, then pointers, then texts.
#[derive(Clone, Copy, Default)]
pub(super) struct Shape {
    pub bytes: usize,
    pub pointers: usize,
    pub texts: usize,
}

impl Layout {
    /// Behind the magic. Versions 0.1 to 0.5 of the format (`doc/format.txt` of Devel::MAT::Dumper 0.46).
    pub(super) fn read(cursor: &mut Cursor) -> Result<Layout, Problem> {
        let flags = cursor.byte()?;
        let length = |flag| if flags & flag != 0 { 8 } else { 4 };
        if flags & !0x1f != 0 || cursor.byte()? != 0 {
            return Err(("header", "known flags, and a zero").into());
        }
        let (major, minor) = (cursor.byte()?, cursor.byte()?);
        if major != 0 || !(1..=5).contains(&minor) {
            return Err(("version", "version 0.1 to 0.5 of the format").into());
        }
        let perl = cursor.int()?;
        let perl = format!("{}.{}.{}", perl >> 24, perl >> 16 & 0xff, perl & 0xffff);
        let values = shapes(cursor)?;
        if values.is_empty() {
            return Err(("header", "the fields that all values have").into());
        }
        // Before, there was one extension: two bytes and two pointers of magic.
        let magic = Shape { bytes: 2, pointers: 2, texts: 0 };
        let extensions = if minor >= 4 { shapes(cursor)? } else { vec![magic] };
        let contexts = if minor >= 2 { Some(shapes(cursor)?) } else { None };
        let has_threads = flags & 0x10 != 0;
        Ok(Layout { pointer: length(4), number: length(2), has_threads, perl, values, extensions, contexts })
    }

    /// The shape of a value of this kind beyond what all have; nothing where the header has none.
    pub(super) fn value(&self, kind: u8) -> Shape {
        self.values.get(usize::from(kind)).copied().unwrap_or_default()
    }
}

fn shapes(cursor: &mut Cursor) -> Result<Vec<Shape>, Problem> {
    let mut shapes = Vec::new();
    for _ in 0..cursor.byte()? {
        let mut next = || cursor.byte().map(usize::from);
        shapes.push(Shape { bytes: next()?, pointers: next()?, texts: next()? });
    }
    Ok(shapes)
}
