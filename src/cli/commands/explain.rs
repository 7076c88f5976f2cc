//! Runs `explain`: prints the page of a rule.

use refloop::findings::Rule;

use crate::args;
use crate::output;
use crate::status::{Failure, Outcome};

pub(crate) fn explain(command: &args::Explain) -> Result<Outcome, Failure> {
    let rule = Rule::named(&command.rule);
    let rule = rule.ok_or_else(|| Failure::usage(refloop::findings::config::unknown_rule(&command.rule)))?;
    output::write(None, |out| out.write_all(rule.explanation.as_bytes()))?;
    Ok(Outcome::Nothing)
}
