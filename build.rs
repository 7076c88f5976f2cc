//! Builds the recording agent, a shared object that the recorded Python loads, and leaves it in `OUT_DIR` to be
//! embedded in the command.
//!
//! Cargo cannot embed one artifact of a package in another, so the compiler is called here. The agent uses `std` alone.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const AGENT: &str = "src/recorder/agent";
const ENCODER: &str = "src/trace/formats/binary/encode.rs";

fn main() {
    for path in [AGENT, ENCODER, "build.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let output = PathBuf::from(variable("OUT_DIR")).join("_refloop.so");
    let target = variable("TARGET");
    let supported = variable("CARGO_CFG_TARGET_OS") == "linux" && variable("CARGO_CFG_TARGET_POINTER_WIDTH") == "64";
    if !supported {
        // The launcher says that this platform cannot record.
        write_nothing(&output);
        return;
    }
    // A static command still records the ordinary Python of the machine, if the compiler can build for that.
    let agent_target = target.replace("-linux-musl", "-linux-gnu");
    match compile(&agent_target, &output) {
        Ok(()) => {}
        Err(reason) if agent_target != target => {
            println!("cargo::warning=no recording agent for {agent_target}: {reason}");
            write_nothing(&output);
        }
        Err(reason) => panic!("the recording agent does not compile: {reason}"),
    }
}

fn compile(target: &str, output: &Path) -> Result<(), String> {
    let mut rustc = Command::new(variable("RUSTC"));
    rustc
        .args(["--crate-name", "refloop_agent", "--crate-type", "cdylib", "--edition", "2024", "--target", target])
        .args(["-C", "opt-level=3", "-C", "panic=abort", "-C", "codegen-units=1", "-C", "strip=symbols"])
        .arg(format!("{AGENT}/lib.rs"))
        .arg("-o")
        .arg(output);
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.arg("-C").arg(format!("linker={linker}"));
    }
    let done = rustc.output().map_err(|error| error.to_string())?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
}

fn write_nothing(output: &Path) {
    std::fs::write(output, b"").expect("OUT_DIR can be written");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}
