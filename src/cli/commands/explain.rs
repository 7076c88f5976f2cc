//! Runs `explain`: prints the page of a rule, or of a shape that loops have.

use refloop::findings::{Pattern, Rule};

use crate::args;
use crate::output;
use crate::status::{Failure, Outcome};

pub(crate) fn explain(command: &args::Explain) -> Result<Outcome, Failure> {
    let of_rule = Rule::named(&command.topic).map(|rule| rule.explanation);
    let page = of_rule.or_else(|| Pattern::of_topic(&command.topic).map(|pattern| pattern.page));
    let page = page.ok_or_else(|| Failure::usage(refloop::findings::config::unknown_rule(&command.topic)))?;
    output::write(None, |out| out.write_all(page.as_bytes()))?;
    Ok(Outcome::Nothing)
}
