//! Takes a trace through the whole house: all analyses, the findings and the gate, and every page in every form.

use std::io;
use std::path::Path;

use chrono::NaiveDate;
use refloop::findings::config::Config;
use refloop::findings::gate::Gate;
use refloop::findings::{self, Ownership};
use refloop::interchange;
use refloop::report::{self, RenderOptions, Report, ReportOptions, View};
use refloop::run::{self, Extras, Options, Run, TraceRun};
use refloop::trace::open_bytes;

/// Every table that a page can be asked for.
pub const VIEWS: [View; 5] = [View::Analyze, View::Loops, View::Types, View::Slots, View::Check];

/// All that a trace of these bytes leaves behind; `None` where not even its header can be read.
pub fn replayed(bytes: Vec<u8>) -> Option<TraceRun> {
    let mut events = open_bytes(bytes).ok()?;
    let options = Options { extras: Extras { retained: true, makers: true }, ..Options::default() };
    Some(run::replay(Path::new("fuzz.reftrace"), events.as_mut(), &options, &mut |_| {}))
}

/// The report of runs that are put together.
pub fn report(traces: impl IntoIterator<Item = TraceRun>) -> Report {
    let run = Run::merge(traces);
    let ownership = Ownership::default();
    let findings = findings::find(&run, &ownership);
    let gate = Gate::new(&Config::default(), None).expect("a gate without patterns");
    let verdict = gate.judge(&findings, NaiveDate::MAX);
    Report::new(&run, &findings, Some(&verdict), &ownership, &ReportOptions::default())
}

/// Writes every page in every form.
pub fn write(report: &Report, width: usize) {
    for format in report::FORMATS {
        for view in VIEWS.into_iter().filter(|&view| format.shows(view)) {
            let odd = width % 2 == 1;
            let links = odd.then_some(Path::new("/app"));
            let page = RenderOptions { view, width, color: odd, verbose: odd, full_stacks: width % 3 == 0, links };
            format.write(report, &page, &mut io::sink()).expect("a sink takes everything");
        }
    }
}

/// Writes the last graph of a trace for every other program that has a form of its own.
#[allow(dead_code)] // One of the targets is about other things.
pub fn interchange(bytes: &[u8]) {
    for format in interchange::FORMATS {
        let Ok(mut events) = open_bytes(bytes.to_vec()) else { return };
        let mut writer = Writer(*format);
        refloop::heap::replay(events.as_mut(), &mut writer, &mut |_| {});
    }
}

struct Writer(&'static dyn interchange::GraphFormat);

impl refloop::heap::Observer for Writer {
    fn on_snapshot(
        &mut self,
        heap: &mut refloop::heap::Heap,
        graph: &refloop::heap::HeapGraph,
        _: refloop::heap::SnapshotKind,
    ) {
        self.0.write(heap, graph, &mut io::sink()).expect("a sink takes everything");
    }
}
