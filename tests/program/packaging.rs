//! Completions and manual pages, which packages of the command carry, and the types that the Python package carries.

use assert_cmd::Command;

fn refloop(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_refloop")).args(args).unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that `--help` lists.
fn commands() -> Vec<String> {
    let help = refloop(&["--help"]);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A line that goes on with a description is indented further.
    let lines = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn each_command_has_a_manual_page_that_the_main_page_names() {
    let main = refloop(&["man"]);
    assert!(main.contains(".TH refloop 1"), "{main}");
    let commands = commands();
    assert!(commands.len() > 10, "{commands:?}");
    for command in &commands {
        assert!(main.contains(&format!("refloop\\-{command}(1)")), "{command}: {main}");
        let page = refloop(&["man", command]);
        assert!(page.contains(&format!(".TH refloop-{command} 1")), "{page}");
        assert!(page.contains(&format!("\\fBrefloop {command}\\fR")), "{page}");
    }
    assert!(!main.contains("refloop\\-help"), "{main}");
}

#[test]
fn a_hidden_option_is_on_no_page() {
    let page = refloop(&["man", "record"]).replace("\\-", "-");
    assert!(page.contains("--stack-depth"), "{page}");
    assert!(!page.contains("--print-agent"), "{page}");
}

#[test]
fn each_shell_completes_each_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let completions = refloop(&["completions", shell]);
        for command in commands() {
            assert!(completions.contains(&command), "{shell} {command}");
        }
    }
}

#[test]
fn a_page_of_no_command_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_refloop")).args(["man", "nothing"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: there is no command 'nothing'\n");
}

/// Bash itself is asked what it would offer.
#[test]
fn bash_offers_the_options_of_check() {
    let offer = "COMP_WORDS=(refloop check --ba); COMP_CWORD=2; _refloop refloop --ba check; echo \"${COMPREPLY[*]}\"";
    let script = format!("{}\n{offer}", refloop(&["completions", "bash"]));
    let output = Command::new("bash").args(["--norc", "-c", &script]).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "--baseline");
}

#[test]
fn the_types_of_a_report_are_those_of_its_schema() {
    let packaging = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging");
    let output = Command::new("python3")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(packaging)
        .args(["-c", "import report_types as types; print(types.text(), end='')"])
        .unwrap();
    let types = include_str!("../../python/refloop/_report.py");
    assert!(String::from_utf8_lossy(&output.stdout) == types, "not up to date: python packaging/report_types.py");
}
