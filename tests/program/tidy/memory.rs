//! Holds that what the recorder keeps grows only where it asks for memory and may be refused.

use super::source::sources;

const AGENT: &str = "src/recorder/agent/";

/// Where memory is asked for, and what runs only as a recording begins or ends.
const MAY_GROW: [&str; 11] = [
    "memory.rs",
    "attach.rs",
    "attached.rs",
    "begin.rs",
    "copied.rs",
    "module.rs",
    "process.rs",
    "options.rs",
    "cpython/free_lists.rs",
    "cpython/versions.rs",
    "cpython/debug_offsets.rs",
];

/// What `std` grows without asking: where it is refused, the process ends. Small texts come from the reserve.
const GROWS: [&str; 16] = [
    ".push(",
    ".push_str(",
    ".push_back(",
    ".extend(",
    ".extend_from_slice(",
    ".append(",
    ".collect()",
    ".collect::<",
    ".to_vec()",
    ".concat()",
    ".join(",
    ".repeat(",
    ".resize(",
    "vec![",
    "Box::new",
    "with_capacity(",
];

/// Words for asking first, on one of the lines before.
const ASKS: [&str; 2] = ["ask(", "try_reserve"];
const LINES_BEFORE: usize = 4;

#[test]
fn the_recorder_asks_before_it_grows() {
    let mut wrong = Vec::new();
    for source in sources(&["src/recorder/agent"]) {
        let within = source.name.strip_prefix(AGENT).unwrap_or(&source.name);
        if MAY_GROW.contains(&within) || within.ends_with("tests.rs") {
            continue;
        }
        let lines: Vec<(usize, &str)> = source.code().take_while(|(_, line)| !line.contains("#[cfg(test)]")).collect();
        for (place, &(number, line)) in lines.iter().enumerate() {
            let before = lines[place.saturating_sub(LINES_BEFORE)..=place].iter().map(|(_, line)| *line);
            if grows(line) && !{ before }.any(|line| ASKS.iter().any(|word| line.contains(word))) {
                wrong.push(format!("{}:{number}: grows without asking: {line}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn growth_without_asking_is_found() {
    for line in [
        "self.nodes.push(node);",
        "let names: Vec<usize> = all.iter().copied().collect();",
        "let open = vec![(value, 0)];",
        "out.extend_from_slice(text);",
        "steps: Box::new([NO_STEP; STEPS]),",
    ] {
        assert!(grows(line), "{line}");
    }
    for line in ["self.nodes.add(node);", "let names: Vec<usize> = all.iter().copied().gather();"] {
        assert!(!grows(line), "{line}");
    }
}

fn grows(line: &str) -> bool {
    GROWS.iter().any(|word| line.contains(word))
}
