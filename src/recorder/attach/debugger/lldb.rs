//! Makes the script for lldb, and reads what it prints. Its commands know no condition, but their expressions do.

use super::{Answer, FUNCTION, is_waiting, place_script};
use crate::recorder::attach::request::Request;
use crate::recorder::attach::target::Target;
use crate::recorder::attach::waiting::{Waiting, threads as all_threads};

const SCRIPT: &str = include_str!("../../bootstrap/attach.lldb");
/// The lines of the script that are repeated for each thread.
const EACH: [&str; 2] = ["# each thread\n", "# end\n"];
/// What is printed of an answer that is none.
const UNKNOWN: i32 = -9999;

/// # Errors
/// One clause.
pub(super) fn script(target: &Target, request: &Request, threads: &[Waiting]) -> Result<String, String> {
    let (address, length, script) = place_script(target, request, 0)?;
    let filled = [
        ("@PROCESS@", target.id.to_string()),
        ("@UNKNOWN@", UNKNOWN.to_string()),
        ("@WAITING@", is_waiting(threads)),
        ("@ROOM@", address.to_string()),
        ("@LENGTH@", length.to_string()),
        ("@AGENT@", literal(request.agent().as_bytes())),
        ("@NAME@", literal(FUNCTION.as_bytes())),
        ("@REQUEST@", literal(request.text().as_bytes())),
        ("@BYTES@", script.len().to_string()),
        ("@SCRIPT@", literal(&script)),
    ];
    let (before, rest) = SCRIPT.split_once(EACH[0]).unwrap_or((SCRIPT, ""));
    let (each, after) = rest.split_once(EACH[1]).unwrap_or(("", rest));
    // lldb numbers them from 1, in the order in which the system lists them.
    let all = all_threads(target.id);
    let numbers = { all.iter().zip(1..) }.filter(|(id, _)| threads.iter().any(|thread| thread.id == **id));
    let of_threads = numbers.map(|(_, number): (_, u32)| each.replace("@THREAD@", &number.to_string()));
    let text: String = std::iter::once(before.to_owned()).chain(of_threads).chain([after.to_owned()]).collect();
    Ok({ filled }.iter().fold(text, |text, (name, value)| text.replace(name, value)))
}

/// A script that calls a function in a process, and prints what it answers: the number of the process.
pub(super) fn trial(process: u32) -> String {
    format!(
        "settings set symbols.enable-external-lookup false\nprocess attach --pid {process}\n\
         expression --language c -- ((int (*)(void)) getpid)()\nprocess detach\nquit\n"
    )
}

/// What the script printed last.
pub(super) fn answer(said: &str) -> Option<Answer> {
    let printed =
        |name: &str| said.lines().find_map(|line| line.split_once(&format!(") $refloop_{name} = "))).map(|line| line.1);
    let number = |name| printed(name)?.parse().ok().filter(|&number: &i32| number != UNKNOWN);
    // An address, and the text that is there.
    let reason = printed("reason").and_then(|value| value.split_once(" \""));
    match (reason, number("loaded")) {
        (Some((_, reason)), _) => Some(Answer::NotLoaded(reason.trim_end_matches('"').to_owned())),
        (None, Some(error)) => Some(Answer::Loaded(error)),
        (None, None) => number("queued").map(Answer::Queued),
    }
}

/// Bytes as a text in C, on one line.
fn literal(bytes: &[u8]) -> String {
    let mut literal = String::from("\"");
    for &byte in bytes {
        match byte {
            b' '..=b'~' if !b"\"\\?@`".contains(&byte) => literal.push(char::from(byte)),
            _ => literal += &format!("\\{byte:03o}"),
        }
    }
    literal + "\""
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn a_text_in_c_has_one_line_and_no_end_within() {
        assert_eq!(literal("a\"b\\c\n?0ü\0".as_bytes()), r#""a\042b\134c\012\0770\303\274\000""#);
    }
}
