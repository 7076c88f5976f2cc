//! Defines what the command line may say.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use refloop::export;
use refloop::findings::RULES;
use refloop::findings::config::parse_bytes;
use refloop::findings::pattern::PATTERNS;
use refloop::report::{FORMATS, Form, collector};
use refloop::whatif::Change;
use refloop::whatif::collector::Setting;

use crate::commands::attach::{AttachArgs, DetachArgs};
use crate::commands::record::RecordArgs;

/// Find reference loops that reference counting alone cannot free, memory that grows, and what `__slots__` would save.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Record a Python program: its objects, their references, and the garbage of each collection
    Record(Box<RecordArgs>),
    /// Record a Python program that runs already, without a restart
    Attach(AttachArgs),
    /// End a recording that refloop attach began, and take all of it out of the program
    Detach(DetachArgs),
    /// Summary, leaked loops, types: the main job. Ends with 0, whatever it finds
    Analyze(Report),
    /// The gate for CI: the same findings, short. Exit with 1 if any finding fails it
    Check(Box<Check>),
    /// The table of loops, in full
    Loops(Report),
    /// The table of types, in full
    Types(Types),
    /// What __slots__ would give back, class by class
    Slots(Slots),
    /// Why objects are alive: by which paths from a root, and what would go with them
    Why(Why),
    /// What would die by the count alone if a reference were weak, or what another setting of the collector would do
    Whatif(WhatIf),
    /// What is new, gone, grown from one run to another
    Diff(Diff),
    /// From one form of a trace into another, or its last heap into a file of another program
    Convert(Convert),
    /// What many traces tell, as tables of Parquet files for a query engine
    Export(Export),
    /// The page of a rule
    Explain(Explain),
    /// Completions for a shell, on standard output
    Completions(Completions),
    /// The manual page, in roff, on standard output
    Man(Man),
}

/// Where the traces are.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Traces {
    /// Traces, directories of traces, or - for standard input
    #[arg(required = true, value_name = "TRACE")]
    pub traces: Vec<PathBuf>,
}

/// How a page looks, and where it goes.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Page {
    /// How to write it
    #[arg(long, value_name = "FORMAT", default_value = FORMATS[0].name(), value_parser = format_names())]
    pub format: String,
    /// Where to write it; the file appears whole or not at all
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What comes first
    #[arg(long, value_name = "KEY", value_enum, default_value_t)]
    pub sort: Sort,
    /// Every frame of a stack: none is left out, and those of packages are not folded
    #[arg(long)]
    pub full_stacks: bool,
    /// Rows of each table; 0 shows all. 20 for analyze on a page for people, all otherwise
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
    #[command(flatten)]
    pub messages: Messages,
}

/// Colour, and how much is said on stderr.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Messages {
    /// When to use colour; NO_COLOR and FORCE_COLOR are honoured
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub color: Color,
    /// No progress, no warnings
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Says how long it took, and lists what `check` only counts
    #[arg(short, long)]
    pub verbose: bool,
}

/// Where the project's configuration is, and what goes on top of it.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Project {
    /// refloop.toml or pyproject.toml; else the nearest one from here upwards
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A module that is the application's, wherever it is installed
    #[arg(long, value_name = "MODULE")]
    pub own: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Report {
    #[command(flatten)]
    pub traces: Traces,
    #[command(flatten)]
    pub page: Page,
    #[command(flatten)]
    pub project: Project,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Types {
    #[command(flatten)]
    pub report: Report,
    /// One row for each module instead of each type
    #[arg(long, value_name = "WHAT", value_enum)]
    pub by: Option<By>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    Module,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Slots {
    #[command(flatten)]
    pub report: Report,
    /// Estimate for a different CPython version
    #[arg(long, value_name = "VERSION")]
    pub python: Option<String>,
    /// Leave out classes that save less
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub min_saving: Option<u64>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Check {
    #[command(flatten)]
    pub traces: Traces,
    #[command(flatten)]
    pub page: Page,
    #[command(flatten)]
    pub project: Project,
    /// Loops of packages and of the standard library count too
    #[arg(long)]
    pub all: bool,
    /// Only findings with a member, a class or a line in this module count
    #[arg(long, value_name = "MODULE")]
    pub only: Vec<String>,
    /// Loops that the collector freed during the run do not count
    #[arg(long)]
    pub ignore_collected: bool,
    /// Containers that keep growing from look to look at the heap fail the build
    #[arg(long)]
    pub growth: bool,
    /// Fail only above this many loops
    #[arg(long, value_name = "N")]
    pub max_loops: Option<u64>,
    /// Fail only above this many bytes in loops, such as 64KB
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub max_bytes: Option<u64>,
    /// Findings in this file are known and do not count; refloop-baseline.txt, if it is there, unless named
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write what is found to the baseline, refloop-baseline.txt unless named, and pass
    #[arg(long)]
    pub write_baseline: bool,
    /// Drop from the baseline what no longer occurs
    #[arg(long, conflicts_with = "write_baseline")]
    pub prune: bool,
    /// The traces are of processes that still run, and looked for garbage when they were asked to
    #[arg(long, hide = true)]
    pub running: bool,
    /// Fail on warnings too: unused suppressions, baseline entries that are gone, an inconsistent trace
    #[arg(long)]
    pub strict: bool,
}

/// How the answer to one question is written, and where to.
#[derive(Debug, ClapArgs)]
pub(crate) struct Answer {
    /// How to write it
    #[arg(long, value_name = "FORMAT", default_value = Form::NAMES[0], value_parser = form())]
    pub format: Form,
    /// Where to write it; the file appears whole or not at all
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[group(id = "target", required = true, multiple = false, args = ["type_name", "object", "top"])]
pub(crate) struct Why {
    /// A trace, or - for standard input
    pub trace: PathBuf,
    /// Objects of this type, by its full name, or by the last part where one class has it: app.Order, Order
    #[arg(long = "type", value_name = "TYPE")]
    pub type_name: Option<String>,
    /// The object with this tag, in hexadecimal
    #[arg(long, value_name = "TAG", value_parser = tag)]
    pub object: Option<u64>,
    /// What keeps most memory alive, by retained size from the roots down
    #[arg(long)]
    pub top: bool,
    #[command(flatten)]
    pub answer: Answer,
    #[command(flatten)]
    pub messages: Messages,
}

#[derive(Debug, ClapArgs)]
#[group(id = "change", required = true, multiple = true, args = ["weak", "drop_local", "gc", "python"])]
pub(crate) struct WhatIf {
    #[command(flatten)]
    pub traces: Traces,
    /// A reference to make weak, as reports name it: Line.order, Order.items[*], closure variable x. All are made together
    #[arg(long, value_name = "REFERENCE", value_parser = Change::parse)]
    pub weak: Vec<Change>,
    /// A local variable that its function deletes at its end: handle.error
    #[arg(long, value_name = "FUNCTION.NAME", value_parser = Change::parse_local)]
    pub drop_local: Vec<Change>,
    /// A setting of the collector: thresholds such as 700,10,10, or off, or freeze-at and the name of a mark. Each is tried
    /// for itself
    #[arg(long, value_name = "SETTING", value_parser = Setting::parse, conflicts_with_all = ["weak", "drop_local"])]
    pub gc: Vec<Setting>,
    /// The collector of another CPython, 3.12: with each of the settings, or with its own
    #[arg(long, value_name = "VERSION", value_parser = Setting::of_version, conflicts_with_all = ["weak", "drop_local"])]
    pub python: Vec<Setting>,
    /// Name the cheapest setting under which no more garbage lies there at once, such as 10MB
    #[arg(long, value_name = "BYTES", value_parser = bytes, conflicts_with_all = ["weak", "drop_local"])]
    pub garbage_limit: Option<u64>,
    /// How to write it; html is a page for a browser that shows the garbage over time under each setting of the collector
    #[arg(long, value_name = "FORMAT", default_value = collector::Form::NAMES[0], value_parser = collector_form())]
    pub format: collector::Form,
    /// Where to write it; the file appears whole or not at all
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub messages: Messages,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Diff {
    /// The run before: a trace, or a directory of traces
    pub old: PathBuf,
    /// The run after
    pub new: PathBuf,
    #[command(flatten)]
    pub answer: Answer,
    /// Rows of each table; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// End with 1 if the application has loops of a kind that was not there before; those of packages and the standard
    /// library are only shown
    #[arg(long)]
    pub fail_on_new: bool,
    #[command(flatten)]
    pub project: Project,
    #[command(flatten)]
    pub messages: Messages,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Convert {
    /// A trace, or - for standard input
    pub input: PathBuf,
    /// The file to write, or - for standard output
    pub output: PathBuf,
    /// The form to write; the other one of the two of a trace, unless named
    #[arg(long, value_name = "FORM", value_parser = trace_format_names())]
    pub to: Option<String>,
    /// Leave out the arguments of the command, the name of the host, and the text keys of dicts that name no attribute
    #[arg(long)]
    pub strip: bool,
    /// Pack with zstd, at this level: --zstd=19
    #[arg(long, value_name = "LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "3", value_parser = clap::value_parser!(i32).range(1..=19))]
    pub zstd: Option<i32>,
    #[command(flatten)]
    pub messages: Messages,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Explain {
    /// The rule, or the shape of a loop
    #[arg(value_parser = topics())]
    pub topic: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Completions {
    pub shell: clap_complete::Shell,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Man {
    /// The page of one command, such as check; that of refloop itself, unless named
    pub command: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Export {
    /// Traces, or directories of traces
    #[arg(required = true, value_name = "TRACE")]
    pub traces: Vec<PathBuf>,
    /// The folder of the tables. Traces that are in it already are left out
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// How to write them
    #[arg(long, value_name = "FORMAT", default_value = export::FORMATS[0], value_parser = PossibleValuesParser::new(export::FORMATS))]
    pub format: String,
    /// The service that the traces are of; else each has the name of its program
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// The host that the traces are of; else each has the one that it names
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// The day that the traces are of, such as 2026-06-01; else each has the day on which its recording began
    #[arg(long, value_name = "DATE", value_parser = |text: &str| text.parse::<NaiveDate>().map_err(|_| "expected a date, such as 2026-06-01"))]
    pub day: Option<NaiveDate>,
    #[command(flatten)]
    pub project: Project,
    #[command(flatten)]
    pub messages: Messages,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    /// Most bytes first
    #[default]
    Bytes,
    /// Most loops or live instances first
    Count,
    /// Most objects, or instances ever, first
    Objects,
    /// By path or type name
    Name,
    /// Loops by when they were first seen, types by their peak
    Time,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    #[default]
    Auto,
    Always,
    Never,
}

fn format_names() -> PossibleValuesParser {
    FORMATS
        .iter()
        .map(|format| clap::builder::PossibleValue::new(format.name()).help(format.about()))
        .collect::<Vec<_>>()
        .into()
}

fn form() -> impl TypedValueParser<Value = Form> {
    PossibleValuesParser::new(Form::NAMES).try_map(|name| Form::named(&name).ok_or("no such form"))
}

fn collector_form() -> impl TypedValueParser<Value = collector::Form> {
    PossibleValuesParser::new(collector::Form::NAMES)
        .try_map(|name| collector::Form::named(&name).ok_or("no such form"))
}

fn trace_format_names() -> PossibleValuesParser {
    let value = |name, help| clap::builder::PossibleValue::new(name).help(help);
    let traces = refloop::trace::formats::FORMATS.iter().filter(|format| format.writer().is_some());
    let traces = traces.map(|format| value(format.name(), format.description()));
    let graphs = refloop::interchange::FORMATS.iter().map(|format| value(format.name(), format.description()));
    traces.chain(graphs).collect::<Vec<_>>().into()
}

fn topics() -> PossibleValuesParser {
    let value = |name, help| clap::builder::PossibleValue::new(name).help(help);
    let rules = RULES.iter().map(|rule| value(rule.name, rule.summary));
    rules.chain(PATTERNS.iter().map(|pattern| value(pattern.topic, pattern.name))).collect::<Vec<_>>().into()
}

fn bytes(text: &str) -> Result<u64, String> {
    parse_bytes(text).ok_or_else(|| "expected a number of bytes, such as 65536 or 64KB".to_string())
}

fn tag(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u64::from_str_radix(digits, 16).map_err(|_| "expected a hexadecimal number, such as 7f3a10".to_string())
}
