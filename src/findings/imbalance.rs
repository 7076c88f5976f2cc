//! Reports anomalies in which the counts contradict the references: the log or the program is broken.

use super::{Finding, Owner, Ownership, Rule, Severity, fingerprint_of};
use crate::human::counted;
use crate::run::Run;

pub const RULE: Rule = Rule {
    name: "imbalance",
    summary: "counts that contradict the references",
    explanation: include_str!("imbalance.md"),
    severity: Severity::Warning,
    find,
    sought: None,
};

fn find(run: &Run, _: &Ownership) -> Vec<Finding> {
    let broken = run.anomalies.iter().filter(|anomaly| anomaly.is_imbalance && anomaly.count > 0);
    broken
        .map(|anomaly| Finding {
            rule: RULE.name,
            severity: RULE.severity,
            fingerprint: fingerprint_of(RULE.name, anomaly.kind),
            subject: anomaly.kind.to_string(),
            message: format!("{}: {}, {}", anomaly.kind, anomaly.meaning, counted(anomaly.count, "time", "times")),
            cause: None,
            stack: Vec::new(),
            definitions: Vec::new(),
            owner: Owner::Application,
            types: Vec::new(),
            files: Vec::new(),
            count: anomaly.count,
            objects: 0,
            bytes: 0,
            bytes_at_peak: None,
            collected: 0,
            advice: None,
        })
        .collect()
}
