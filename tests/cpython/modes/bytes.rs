//! The bytes of garbage that was recorded without births, held against those that were asked of the allocator.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::recorded;
use crate::support::pythons::Python;

/// Bytes of the loops of each path, and with what they hold.
fn bytes(python: &Python, folder: &Path, mode: &str, program: &str) -> BTreeMap<String, [u64; 2]> {
    let (_, report) = recorded(python, folder, mode, program);
    let number = |row: &Value, key: &str| row[key].as_u64().unwrap();
    // Classes that are garbage hold what the standard library has computed.
    let rows = report["loops"].as_array().unwrap().iter().filter(|row| row["path"].as_str().unwrap().contains(".me"));
    rows.map(|row| (row["path"].to_string(), ["bytes", "total_bytes"].map(|key| number(row, key)))).collect()
}

pub(super) fn bytes_are_the_same_in_each_mode_or_at_least_so_many(python: &Python) {
    // `Many` comes to the last room of its class's table. What arithmetic has left of an `int` stands in a block for more.
    let program = "import datetime, gc\ngc.disable()\n\
        class Few: pass\nclass Many: pass\nclass Text(str): pass\nclass Bytes(bytes): pass\nclass Number: pass\n\
        class Early: x = y = z = None\n\
        class Late:\n    def set(self): self.late = self.later = None\n\
        def loop(made):\n    made.me = made\n    made.when = [datetime.datetime(2020, 1, 1), datetime.time(12)]\n    return made\n\
        utc = datetime.timezone.utc\nside = 1 << 30\n\
        for n in range(3):\n    \
            loop(Few()).zone = datetime.datetime(2020, 1, n + 1, tzinfo=utc), datetime.time(n, tzinfo=utc)\n    \
            loop(Text('text'))\n    loop(Bytes(b'bytes'))\n    loop(Late())\n    loop(Number()).n = side * side\n    \
            gc.collect()\n\
        for n in range(60):\n    many = loop(Many())\n    if n < 3: setattr(many, 'a%d' % n, n)\n\
        early = [loop(Early()) for _ in range(4)]\nearly[0].x = early[2].y = early[1].z = early\ndel early, many\n";
    let folder = tempfile::tempdir().unwrap();
    let asked = bytes(python, folder.path(), "survivors", program);
    assert!(asked.len() >= 7, "{python}: {asked:?}");
    for mode in ["none", "leaks"] {
        let shown = bytes(python, folder.path(), mode, program);
        assert!(asked.keys().eq(shown.keys()), "{python} {mode}: {asked:?}, {shown:?}");
        for ((path, &asked), shown) in asked.iter().zip(shown.values()) {
            let missing = match path.as_str() {
                "\"Many.me → Many\"" => [16, 16],
                "\"Number.me → Number\"" => [0, 3 * 4],
                _ => [0, 0],
            };
            let is_near = |part: usize| (asked[part] - missing[part]..=asked[part]).contains(&shown[part]);
            assert!(is_near(0) && is_near(1), "{python} {mode}: {shown:?} instead of {asked:?}: {path}");
        }
    }
}
