//! Makes the header of a trace from a byte: who wrote it, and how much of it is there.

/// Each kind of trace that the replay tells from others.
pub fn line(choice: u8) -> String {
    let references = match choice & 3 {
        0 => "events",
        1 => "events frees=implied",
        2 => "checkpoints",
        _ => ["uncounted", "none"][usize::from(choice >> 2 & 1)],
    };
    let births = ["all", "survivors", "garbage"][usize::from(choice >> 3) % 3];
    format!("reftrace 1 runtime=cpython-3.{}.0 references={references} births={births}\n", 8 + (choice >> 5))
}
