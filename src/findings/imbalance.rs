//! Reports anomalies in which the counts contradict the references: the log or the program is broken.

use super::{Finding, Owner, Ownership, Rule, Severity, fingerprint_of};
use crate::human::counted;
use crate::run::{Anomaly, Run};

pub const RULE: Rule = Rule {
    name: "imbalance",
    summary: "counts that contradict the references",
    explanation: include_str!("imbalance.md"),
    severity: Severity::Warning,
    find,
    sought: None,
};

fn find(run: &Run, ownership: &Ownership) -> Vec<Finding> {
    let broken = run.anomalies.iter().filter(|anomaly| anomaly.is_imbalance && anomaly.count > 0);
    broken.map(|anomaly| finding(anomaly, ownership)).collect()
}

fn finding(anomaly: &Anomaly, ownership: &Ownership) -> Finding {
    let types: Vec<String> = anomaly.types.iter().cloned().collect();
    let of = if types.is_empty() { String::new() } else { format!(", of {}", types.join(", ")) };
    let made = anomaly.stack.first().map(|frame| format!(", made at {}:{}", frame.path, frame.line));
    Finding {
        rule: RULE.name,
        severity: RULE.severity,
        fingerprint: fingerprint_of(RULE.name, anomaly.kind),
        subject: anomaly.kind.to_string(),
        message: format!(
            "{}: {}, {}{of}{}",
            anomaly.kind,
            anomaly.meaning,
            counted(anomaly.count, "time", "times"),
            made.unwrap_or_default()
        ),
        cause: None,
        stack: anomaly.stack.clone(),
        definitions: Vec::new(),
        owner: ownership.of_callers(&anomaly.stack).unwrap_or(Owner::Application),
        types,
        files: Vec::new(),
        count: anomaly.count,
        objects: 0,
        bytes: 0,
        bytes_at_peak: None,
        collected: 0,
        alive_at_exit: 0,
        advice: None,
    }
}
