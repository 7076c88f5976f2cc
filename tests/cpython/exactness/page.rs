//! What a page says of the loops of a trace, whichever objects that trace holds.

use std::collections::BTreeMap;
use std::path::Path;

use refloop::findings::{self, Ownership};
use refloop::report::{LoopRow, Report, ReportOptions};
use refloop::run::{self, Options, Run};

/// The loops by fingerprint.
#[derive(Debug, Clone)]
pub(super) struct Page(BTreeMap<String, Said>);

/// What is the same in each mode.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    path: String,
    count: u64,
    objects: u64,
    gc_objects: u64,
    collected: u64,
    cut: Option<String>,
    owner: String,
    types: u64,
    bytes: u64,
}

impl Page {
    pub(super) fn of(trace: &Path) -> Page {
        let run = Run::merge([run::open(trace, &Options::default()).unwrap()]);
        let ownership = Ownership::default();
        let findings = findings::find(&run, &ownership);
        let report = Report::new(&run, &findings, None, &ownership, &ReportOptions::default());
        Page(report.loops.rows.iter().map(|row| (row.fingerprint.clone(), Said::of(row))).collect())
    }

    /// How it differs from what a trace with all births and stacks says. Without them it may be not known whose a loop is,
    /// which then fails as the application's does, and the bytes are at least what is told: of each class one instance may
    /// have up to 16 more. Another answer is a fault.
    pub(super) fn difference(&self, other: &Page) -> Option<String> {
        let is_like = |(one, two): (&Said, &Said)| {
            let is_told = one.owner == two.owner || one.owner == "not known";
            let is_near = (one.bytes..=one.bytes + 16 * one.types).contains(&two.bytes);
            is_told && is_near && *one == Said { owner: one.owner.clone(), bytes: one.bytes, ..two.clone() }
        };
        let is_same = self.0.keys().eq(other.0.keys()) && self.0.values().zip(other.0.values()).all(is_like);
        (!is_same).then(|| format!("{:#?}\ninstead of {:#?}", self.0, other.0))
    }
}

impl Said {
    fn of(row: &LoopRow) -> Said {
        Said {
            path: row.path.clone(),
            count: row.count,
            objects: row.objects,
            gc_objects: row.gc_objects,
            collected: row.collected,
            cut: row.cut.as_ref().map(|cut| cut.reference.clone()),
            owner: row.owner.to_string(),
            types: row.types.members.len() as u64,
            bytes: row.bytes.unwrap_or_default(),
        }
    }
}
