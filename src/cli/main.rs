//! Runs the `refloop` command.

mod args;
mod commands;
mod duration;
mod inputs;
mod output;
mod progress;
mod replay;
mod settings;
mod status;

use clap::Parser;

use args::{Args, Command};
use status::{Failure, Outcome};

/// A report is millions of short texts: what they take of the system's allocator is a third of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let args = Args::parse();
    status::exit(perform(args))
}

fn perform(args: Args) -> Result<Outcome, Failure> {
    match args.command {
        Command::Attach(command) => commands::attach::attach(&command),
        Command::Detach(command) => commands::attach::detach(&command),
        Command::Analyze(command) => commands::report::analyze(&command),
        Command::Check(command) => commands::check::check(&command),
        Command::Loops(command) => commands::report::loops(&command),
        Command::Types(command) => commands::report::types(&command),
        Command::Slots(command) => commands::report::slots(&command),
        Command::Why(command) => commands::why::why(&command),
        Command::Whatif(command) => commands::whatif::whatif(&command),
        Command::Diff(command) => commands::diff::diff(&command),
        Command::Convert(command) => commands::convert::convert(&command),
        Command::Export(command) => commands::export::export(&command),
        Command::Explain(command) => commands::explain::explain(&command),
        Command::Completions(command) => commands::packaging::completions(&command),
        Command::Man(command) => commands::packaging::man(&command),
        Command::Record(command) => commands::record::record(&command),
    }
}
