//! Reads one value of a dump: what it is, its count, and the references that its kind counts.
//!
//! Which pointers are counted is what `_outrefs` of `Devel::MAT::SV` 0.51 calls strong, but for four: of a glob `egv`, and of a
//! package the current linearisation beside all of them, which Perl does not count (`gv.c`, `mro_core.c` of Perl 5.36);
//! the lists of weak references to a value, and the package that it is blessed into, which lead to no loop.

use super::super::cursor::Problem;
use super::super::reader::Pending;
use super::super::sites::Place;
use super::layout::Shape;
use super::read::Reader;
use crate::trace::Slot;

/// What a kind of value is called.
const KINDS: [&str; 18] = [
    "", "GLOB", "SCALAR", "REF", "ARRAY", "HASH", "STASH", "CODE", "IO", "LVALUE", "REGEXP", "FORMAT", "INVLIST",
    "UNDEF", "BOOL", "BOOL", "OBJECT", "CLASS",
];

/// A C structure of an extension.
const STRUCTURE: u8 = 0x7f;

/// The fields of a value, or of what stands behind one.
struct Fields {
    bytes: Vec<u8>,
    pointers: Vec<u64>,
    texts: Vec<Vec<u8>>,
}

impl Fields {
    fn pointer(&self, place: usize) -> u64 {
        self.pointers.get(place).copied().unwrap_or(0)
    }

    fn text(&self, place: usize) -> &[u8] {
        self.texts.get(place).map_or(&[], |text| text)
    }

    fn byte(&self, place: usize) -> u8 {
        self.bytes.get(place).copied().unwrap_or(0)
    }
}

impl Reader {
    pub(super) fn value(&mut self, kind: u8, out: &mut Pending) -> Result<(), Problem> {
        let common = self.layout.value(0);
        let start = self.layout.pointer + 4 + self.layout.number;
        if common.bytes < start || common.pointers == 0 {
            return Err(("value", "an address, a count, a size and a package in the fields of all values").into());
        }
        let (address, count, bytes) = (self.pointer()?, self.cursor.int()?, self.number()?);
        self.cursor.skip((common.bytes - start) as u64)?;
        let package = self.pointer()?;
        self.skip(Shape { bytes: 0, pointers: common.pointers - 1, texts: common.texts })?;
        let name = KINDS.get(usize::from(kind)).copied().unwrap_or("(unknown)");
        if kind != STRUCTURE && !self.graph.value(address, (name.as_bytes(), package), (bytes, count), out) {
            return Err(("value", "each value once").into());
        }
        match kind {
            STRUCTURE => self.structure_value(address, count, bytes, out),
            // Their texts are the program's data, and may be long.
            2 => self.scalar(address),
            _ => {
                let fields = self.fields(self.layout.value(kind))?;
                self.references(kind, address, package != 0, &fields, out)
            }
        }
    }

    fn references(
        &mut self,
        kind: u8,
        address: u64,
        is_blessed: bool,
        fields: &Fields,
        out: &mut Pending,
    ) -> Result<(), Problem> {
        match kind {
            1 => self.glob(address, fields, out),
            3 => {
                let is_weak = fields.byte(0) & 1 != 0;
                self.graph.refer(address, if is_weak { 0 } else { fields.pointer(0) }, Slot::UNNAMED);
                self.graph.refer(address, fields.pointer(1), Slot::UNNAMED);
            }
            4 | 16 => return self.elements(address, fields),
            5 => return self.entries(address, fields, is_blessed, out),
            6 => return self.package(address, fields, out),
            7 => return self.code(address, fields, out),
            8 => {
                for (place, name) in [".top", ".format", ".bottom"].into_iter().enumerate() {
                    let slot = self.graph.names.slot(name.as_bytes(), out);
                    self.graph.refer(address, fields.pointer(place), slot);
                }
            }
            9 => {
                let slot = self.graph.names.slot(b".target", out);
                self.graph.refer(address, fields.pointer(0), slot);
            }
            17 => {
                self.package(address, fields, out)?;
                return self.class_fields();
            }
            _ => {}
        }
        Ok(())
    }

    /// A glob whose `egv` is another one has its insides from that: `*a = *b`.
    fn glob(&mut self, address: u64, fields: &Fields, out: &mut Pending) {
        self.graph.name(address, fields.text(0), out);
        let owner = fields.pointer(5);
        let slots = [(1, ".SCALAR"), (2, ".ARRAY"), (3, ".HASH"), (4, ".CODE"), (6, ".IO"), (7, ".FORMAT")];
        for (place, name) in slots {
            let slot = self.graph.names.slot(name.as_bytes(), out);
            if owner == 0 || owner == address {
                self.graph.refer(address, fields.pointer(place), slot);
            } else {
                self.graph.refer_shared(owner, address, fields.pointer(place), slot);
            }
        }
    }

    fn scalar(&mut self, address: u64) -> Result<(), Problem> {
        let shape = self.layout.value(2);
        self.cursor.skip(shape.bytes as u64)?;
        for _ in 0..shape.pointers {
            let package = self.pointer()?;
            self.graph.refer(address, package, Slot::UNNAMED);
        }
        self.skip(Shape { texts: shape.texts, ..Shape::default() })
    }

    /// An array that is not real, such as `@_`, counts nothing.
    fn elements(&mut self, address: u64, fields: &Fields) -> Result<(), Problem> {
        let n = self.first_number(fields)?;
        if fields.byte(self.layout.number) & 1 != 0 {
            return self.skip_pointers(n);
        }
        for index in 0..n {
            let to = self.pointer()?;
            self.graph.refer(address, to, Slot::index(index));
        }
        Ok(())
    }

    /// A key of an object is an attribute.
    fn entries(&mut self, address: u64, fields: &Fields, is_blessed: bool, out: &mut Pending) -> Result<(), Problem> {
        for _ in 0..self.first_number(fields)? {
            let (key, to) = (self.text()?, self.pointer()?);
            let name = if is_blessed { [b".", &key[..]].concat() } else { [b"['", &key[..], b"']"].concat() };
            let slot = self.graph.names.slot(&name, out);
            self.graph.refer(address, to, slot);
        }
        Ok(())
    }

    fn package(&mut self, address: u64, fields: &Fields, out: &mut Pending) -> Result<(), Problem> {
        self.graph.name(address, fields.text(0), out);
        self.graph.package(address, fields.text(0).to_vec());
        let all = fields.pointer(1);
        let current = if all == 0 { fields.pointer(2) } else { 0 };
        for to in [all, current, fields.pointer(3), fields.pointer(4), fields.pointer(5)] {
            self.graph.refer(address, to, Slot::UNNAMED);
        }
        self.entries(address, fields, false, out)
    }

    fn code(&mut self, address: u64, fields: &Fields, out: &mut Pending) -> Result<(), Problem> {
        const WEAK_OUTSIDE: u8 = 0x08;
        const OWNS_GLOB: u8 = 0x10;
        let (line, flags) = (self.first_number(fields)?, fields.byte(self.layout.number));
        let [_, glob, outside, padlist, constant] = [0, 1, 2, 3, 4].map(|place| fields.pointer(place));
        let kept = [
            (if flags & OWNS_GLOB != 0 { glob } else { 0 }, ".glob"),
            (if flags & WEAK_OUTSIDE == 0 { outside } else { 0 }, ".outside"),
            (padlist, ".padlist"),
            (constant, ".constant"),
        ];
        for (to, name) in kept {
            let slot = self.graph.names.slot(name.as_bytes(), out);
            self.graph.refer(address, to, slot);
        }
        if !fields.text(1).is_empty() {
            self.graph.name(address, fields.text(1), out);
        }
        if !fields.text(0).is_empty() {
            let line = u32::try_from(line).unwrap_or(0);
            let place = Place { path: fields.text(0).into(), line, function: fields.text(1).into() };
            self.graph.code(address, place, out);
        }
        self.code_parts(address, out)
    }

    /// Constants, globs and variables of a sub. With threads the first two are in its pad, and told by their places.
    fn code_parts(&mut self, address: u64, out: &mut Pending) -> Result<(), Problem> {
        loop {
            match self.cursor.byte()? {
                0 => return Ok(()),
                1 | 3 => {
                    let to = self.pointer()?;
                    self.graph.refer(address, if self.layout.has_threads { 0 } else { to }, Slot::UNNAMED);
                }
                2 | 4 => {
                    self.number()?;
                }
                5 => {
                    let (place, name) = (self.number()?, self.text()?);
                    self.pointer()?;
                    if !name.is_empty() {
                        self.graph.variable(address, place, &name, out);
                    }
                }
                6 => {
                    self.cursor.skip(2 * self.layout.number as u64)?;
                    self.pointer()?;
                }
                7 => {
                    let names = self.pointer()?;
                    self.graph.refer(address, names, Slot::UNNAMED);
                }
                8 => {
                    self.number()?;
                    let pad = self.pointer()?;
                    self.graph.pad(pad, address);
                    let slot = self.graph.names.slot(b".pad", out);
                    self.graph.refer(address, pad, slot);
                }
                9 => {
                    self.number()?;
                    self.cursor.byte()?;
                }
                10 => {
                    self.cursor.skip(2 * self.layout.number as u64)?;
                    self.pointer()?;
                }
                _ => return Err(("sub", "parts of the kinds 1 to 10").into()),
            }
        }
    }

    fn class_fields(&mut self) -> Result<(), Problem> {
        loop {
            match self.cursor.byte()? {
                0 => return Ok(()),
                1 => {
                    self.number()?;
                    self.skip_text()?;
                }
                _ => return Err(("class", "parts of the kind 1").into()),
            }
        }
    }

    /// What an extension has beside its values. Whether it counts what it points to is its own affair, so it refers to
    /// nothing here, and is taken for alive. In place of a count it has the number of its definition.
    fn structure_value(&mut self, address: u64, id: u32, bytes: u64, out: &mut Pending) -> Result<(), Problem> {
        let definition = self.structures.remove(&u64::from(id));
        let (name, fields) = definition.ok_or(("structure", "a definition above it"))?;
        for field in &fields {
            let length = match field {
                0 => self.layout.pointer,
                1 | 2 => 1,
                3 => 4,
                4 => self.layout.number,
                _ => return Err(("structure", "fields of the types 0 to 4").into()),
            };
            self.cursor.skip(length as u64)?;
        }
        if !self.graph.value(address, (&name, 0), (bytes, 0), out) {
            return Err(("value", "each value once").into());
        }
        self.graph.root(address, b"structure of an extension", out);
        self.structures.insert(u64::from(id), (name, fields));
        Ok(())
    }

    /// Magic of a value. Notes of an extension, and values that a block will restore, have counts that nothing here explains.
    pub(super) fn extension(&mut self, kind: u8, out: &mut Pending) -> Result<(), Problem> {
        const REFCOUNTED: u8 = 1;
        let shape = self.layout.extensions.get(usize::from(kind - 0x80)).copied();
        let shape = shape.ok_or(("extension", "a kind that the header has"))?;
        let address = self.pointer()?;
        let fields = self.fields(shape)?;
        // `<` is the list of weak references to the value.
        if kind == 0x80 && fields.byte(0) != b'<' {
            let is_counted = fields.byte(1) & REFCOUNTED != 0;
            let slot = self.graph.names.slot(b".magic", out);
            self.graph.refer(address, if is_counted { fields.pointer(0) } else { 0 }, slot);
            self.graph.refer(address, fields.pointer(1), slot);
        }
        Ok(())
    }

    fn fields(&mut self, shape: Shape) -> Result<Fields, Problem> {
        let bytes = self.cursor.some(shape.bytes)?;
        let pointers = (0..shape.pointers).map(|_| self.pointer()).collect::<Result<_, _>>()?;
        let texts = (0..shape.texts).map(|_| self.text()).collect::<Result<_, _>>()?;
        Ok(Fields { bytes, pointers, texts })
    }

    /// The number that the bytes of a value begin with: elements, entries, or a line.
    fn first_number(&self, fields: &Fields) -> Result<u64, Problem> {
        let order = self.cursor.order;
        let number = match self.layout.number {
            8 => fields.bytes.first_chunk().map(|bytes| order.long(*bytes)),
            _ => fields.bytes.first_chunk().map(|bytes| u64::from(order.int(*bytes))),
        };
        Ok(number.ok_or(("value", "a number in its fields"))?)
    }
}
