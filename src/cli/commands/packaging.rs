//! Writes what a package of the command carries beside it: completions for a shell, and manual pages. Both come from the
//! definition of the command line, so that they say what `--help` says.

use clap::CommandFactory;

use crate::args::{Args, Completions, Man};
use crate::output;
use crate::status::{Failure, Outcome};

/// Writes the completions of a shell to standard output.
pub(crate) fn completions(command: &Completions) -> Result<Outcome, Failure> {
    // `generate` has no way to report that standard output is closed; a page in memory does.
    let mut page = Vec::new();
    clap_complete::generate(command.shell, &mut definition(), "refloop", &mut page);
    output::write(None, |out| out.write_all(&page)).map(|()| Outcome::Nothing)
}

/// Writes one manual page, in roff, to standard output.
pub(crate) fn man(command: &Man) -> Result<Outcome, Failure> {
    let mut page = definition();
    page.build();
    if let Some(name) = &command.command {
        let named = page.get_subcommands().find(|subcommand| subcommand.get_name() == name);
        page = named.cloned().ok_or_else(|| Failure::usage(format!("there is no command '{name}'")))?;
    }
    output::write(None, |out| clap_mangen::Man::new(page).render(out)).map(|()| Outcome::Nothing)
}

/// The command line, without the `help` command: its copy of each other command is no page of its own.
fn definition() -> clap::Command {
    Args::command().disable_help_subcommand(true)
}
