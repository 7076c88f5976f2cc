//! Decides which findings fail the build, and why the others do not.

use chrono::NaiveDate;
use globset::GlobSet;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::baseline::Baseline;
use super::config::{Config, Limits};
use super::owner::module_globs;
use super::suppress::{Shown, Suppression, TextGlob, modules_of};
use super::{Finding, Severity, growing_container};
use crate::cycles::Fingerprint;
use crate::human::{count, counted};

/// What is let through, and what is not.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    only: Option<GlobSet>,
    all: bool,
    ignore_collected: bool,
    /// What grows fails.
    growth: bool,
    strict: bool,
    limits: Limits,
    suppressions: Vec<Suppression>,
    shown: Shown,
    baseline: Option<Baseline>,
}

/// Why a finding fails the build, or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Fails,
    /// In the baseline.
    Known,
    /// Accepted, for this reason.
    Suppressed(String),
    /// Freed by the collector, and that is forgiven.
    Collected,
    /// Let go of by the program's end.
    AtExit,
    /// A package's or the standard library's.
    Foreign,
    /// Outside of what was asked for.
    NotAsked,
    /// Within a limit.
    Allowed,
    /// Only shown.
    Warning,
    /// Only shown, also where the gate is strict.
    Note,
}

/// The answer of the gate.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// One for each finding, in their order.
    pub standings: Vec<Standing>,
    pub failed: bool,
    /// Limits that were exceeded, one sentence each.
    pub exceeded: Vec<String>,
    /// Suppressions that matched nothing: their place and pattern.
    pub unused: Vec<String>,
    /// Suppressions whose last day is past: their place and that day. They match nothing any more.
    pub expired: Vec<String>,
    /// Baseline entries of which nothing is left.
    pub gone: Vec<(Fingerprint, String)>,
}

impl Gate {
    /// The gate of a configuration. Its patterns were checked when it was read.
    pub fn new(config: &Config, baseline: Option<Baseline>) -> Result<Gate, globset::Error> {
        Ok(Gate {
            only: (!config.only.is_empty()).then(|| module_globs(&config.only)).transpose()?,
            all: config.all,
            ignore_collected: config.ignore_collected,
            growth: config.growth,
            strict: config.strict,
            limits: config.limits.clone(),
            suppressions: config.suppressions.clone(),
            shown: Shown::default(),
            baseline,
        })
    }

    /// Lets suppressions name files as pages show them, beside as they were recorded.
    pub fn with_shown(self, shown: Shown) -> Gate {
        Gate { shown, ..self }
    }

    /// Judges each finding by the first of these that applies: what was asked for, whose it is, suppressions, the
    /// baseline, the collector, the program's end, its severity, the limits.
    pub fn judge(&self, findings: &[Finding], today: NaiveDate) -> Verdict {
        let mut used = vec![false; self.suppressions.len()];
        let mut verdict = Verdict {
            standings: findings.iter().map(|finding| self.standing(finding, today, &mut used)).collect(),
            ..Verdict::default()
        };
        apply_limits(&self.limits, findings, &mut verdict);
        for (suppression, used) in self.suppressions.iter().zip(used) {
            match suppression.expires.filter(|_| suppression.is_expired(today)) {
                Some(last) => verdict.expired.push(format!("{}: the suppression expired on {last}", suppression.place)),
                None if used => {}
                None => verdict.unused.push(format!("{}: the suppression matches nothing", suppression.place)),
            }
        }
        let gone = self.baseline.iter().flat_map(|baseline| baseline.gone(findings));
        verdict.gone = gone.map(|(fingerprint, text)| (fingerprint, text.to_string())).collect();
        let loose = !verdict.unused.is_empty() || !verdict.gone.is_empty();
        let loose = loose || verdict.standings.contains(&Standing::Warning);
        verdict.failed = verdict.standings.contains(&Standing::Fails) || self.strict && loose;
        verdict
    }

    fn standing(&self, finding: &Finding, today: NaiveDate, used: &mut [bool]) -> Standing {
        // Every suppression that matches is used, also where another reason comes first.
        let mut reason = None;
        for (suppression, used) in self.suppressions.iter().zip(used) {
            if !suppression.is_expired(today) && suppression.matches(finding, &self.shown) {
                *used = true;
                reason = reason.or(Some(suppression.reason.clone()));
            }
        }
        match () {
            () if self.only.as_ref().is_some_and(|only| !belongs(finding, only)) => Standing::NotAsked,
            () if self.only.is_none() && !self.all && !finding.owner.may_be_application() => Standing::Foreign,
            () if reason.is_some() => Standing::Suppressed(reason.unwrap_or_default()),
            () if self.baseline.as_ref().is_some_and(|known| known.contains(finding.fingerprint)) => Standing::Known,
            () if self.ignore_collected && finding.count > 0 && finding.is_collected() => Standing::Collected,
            () if finding.lived_until_exit() => Standing::AtExit,
            () if self.growth && finding.rule == growing_container::RULE.name => Standing::Fails,
            () if finding.severity == Severity::Warning => Standing::Warning,
            () if finding.severity == Severity::Note => Standing::Note,
            () => Standing::Fails,
        }
    }
}

/// Whether one of the finding's types, its innermost frame, or a file of it lies in a module that was asked for.
fn belongs(finding: &Finding, only: &GlobSet) -> bool {
    let types = finding.types.iter().any(|name| only.is_match(name) || modules_of(name).any(|m| only.is_match(m)));
    let site = finding.stack.first().map(|frame| frame.path.as_str());
    types || finding.files.iter().map(String::as_str).chain(site).any(|file| lies_in(file, only))
}

/// Whether the module of a file is asked for. Where a package begins in a path is not known, so every folder may.
fn lies_in(file: &str, only: &GlobSet) -> bool {
    let path = file.replace('\\', "/");
    let path = path.strip_suffix(".py").unwrap_or(&path);
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    (0..names.len()).any(|from| only.is_match(names[from..].join(".")))
}

/// Lets through what stays within its limit: first by type, then by rule, then as a whole.
fn apply_limits(limits: &Limits, findings: &[Finding], verdict: &mut Verdict) {
    for (pattern, &limit) in &limits.per_type {
        let Ok(glob) = TextGlob::new(pattern) else { continue };
        let of_type = |finding: &Finding| {
            finding.severity != Severity::Note && finding.types.iter().any(|name| glob.matches(name))
        };
        let what = [format!("loop with {pattern}"), format!("loops with {pattern}")];
        limit_count(limit, what, of_type, findings, verdict);
    }
    for (rule, &limit) in &limits.per_rule {
        let what = [format!("finding of {rule}"), format!("findings of {rule}")];
        limit_count(limit, what, |finding| finding.rule == rule, findings, verdict);
    }
    if limits.max_loops.is_none() && limits.max_bytes.is_none() {
        return;
    }
    let failing = |standings: &[Standing]| -> Vec<usize> {
        (0..standings.len()).filter(|&i| standings[i] == Standing::Fails).collect()
    };
    let open = failing(&verdict.standings);
    let loops: u64 = open.iter().map(|&i| findings[i].count).sum();
    let bytes: u64 = open.iter().map(|&i| findings[i].bytes).sum();
    let over = |n: u64, limit: Option<u64>| limit.is_some_and(|limit| n > limit);
    if over(loops, limits.max_loops) {
        let limit = limits.max_loops.unwrap_or_default();
        verdict.exceeded.push(format!("{}, at most {} allowed", counted(loops, "loop", "loops"), count(limit)));
    }
    if over(bytes, limits.max_bytes) {
        let limit = limits.max_bytes.unwrap_or_default();
        verdict.exceeded.push(format!(
            "{} in loops, at most {} allowed",
            counted(bytes, "byte", "bytes"),
            count(limit)
        ));
    }
    if !over(loops, limits.max_loops) && !over(bytes, limits.max_bytes) {
        open.into_iter().for_each(|i| verdict.standings[i] = Standing::Allowed);
    }
}

fn limit_count(
    limit: u64,
    [one, many]: [String; 2],
    concerns: impl Fn(&Finding) -> bool,
    findings: &[Finding],
    verdict: &mut Verdict,
) {
    let counts = |standing: &Standing| matches!(standing, Standing::Fails | Standing::Warning | Standing::Note);
    let open = |i: &usize| counts(&verdict.standings[*i]) && concerns(&findings[*i]);
    let open: Vec<usize> = (0..findings.len()).filter(open).collect();
    let n: u64 = open.iter().map(|&i| findings[i].count).sum();
    let standing = if n > limit { Standing::Fails } else { Standing::Allowed };
    if n > limit {
        verdict.exceeded.push(format!("{}, at most {} allowed", counted(n, &one, &many), count(limit)));
    }
    open.into_iter().for_each(|i| verdict.standings[i] = standing.clone());
}

/// A name, and the reason of a suppression.
impl Serialize for Standing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("Standing", 2)?;
        row.serialize_field("name", self.name())?;
        row.serialize_field("reason", &self.reason())?;
        row.end()
    }
}

impl Standing {
    /// The word that reports use.
    pub fn name(&self) -> &'static str {
        match self {
            Standing::Fails => "fails",
            Standing::Known => "known",
            Standing::Suppressed(_) => "suppressed",
            Standing::Collected => "collected",
            Standing::AtExit => "at-exit",
            Standing::Foreign => "foreign",
            Standing::NotAsked => "not-asked",
            Standing::Allowed => "allowed",
            Standing::Warning => "warning",
            Standing::Note => "note",
        }
    }

    /// Why it does not count, in the words of whoever suppressed it.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Standing::Suppressed(reason) => Some(reason),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::{Ownership, testing};
    use crate::run::Run;

    fn findings() -> Vec<Finding> {
        let groups = vec![testing::parent_and_child(), testing::of_the_library(), testing::of_itself()];
        let run = Run { garbage: testing::garbage(groups), has_stacks: true, ..Run::default() };
        crate::findings::find(&run, &Ownership::default())
    }

    const TODAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();

    fn verdict(config: &str) -> Verdict {
        let config = Config::parse(config, "refloop.toml", false).unwrap().unwrap();
        Gate::new(&config, None).unwrap().judge(&findings(), TODAY)
    }

    fn told(verdict: &Verdict) -> String {
        let names: Vec<&str> = verdict.standings.iter().map(Standing::name).collect();
        let notes: Vec<&String> = verdict.exceeded.iter().chain(&verdict.unused).chain(&verdict.expired).collect();
        format!("{} {names:?} {notes:?}", if verdict.failed { "red" } else { "green" })
    }

    #[test]
    fn the_applications_loops_fail_and_the_librarys_do_not() {
        assert_eq!(told(&verdict("")), r#"red ["fails", "foreign", "fails"] []"#);
        assert_eq!(told(&verdict("all = true")), r#"red ["fails", "fails", "fails"] []"#);
    }

    #[test]
    fn what_was_not_asked_for_does_not_count() {
        assert_eq!(told(&verdict("only = ['shop.*']")), r#"green ["not-asked", "not-asked", "not-asked"] []"#);
        // A type, and the file that made it.
        assert_eq!(told(&verdict("only = ['app']")), r#"red ["fails", "not-asked", "fails"] []"#);
        assert_eq!(told(&verdict("only = ['worker']")), r#"red ["not-asked", "not-asked", "fails"] []"#);
        assert_eq!(told(&verdict("only = ['enum']")), r#"red ["not-asked", "fails", "not-asked"] []"#);
    }

    #[test]
    fn a_suppression_needs_to_match_and_to_be_in_time() {
        let with = |lines: &str| told(&verdict(&format!("[[suppress]]\nreason = 'known'\n{lines}")));
        assert_eq!(with("path = 'Order.items[*] → *'"), r#"red ["suppressed", "foreign", "fails"] []"#);
        assert_eq!(with("module = 'app'"), r#"green ["suppressed", "foreign", "suppressed"] []"#);
        assert_eq!(with("site = 'start'"), r#"red ["fails", "foreign", "suppressed"] []"#);
        assert_eq!(
            with("path = 'Nothing'"),
            r#"red ["fails", "foreign", "fails"] ["refloop.toml:2: the suppression matches nothing"]"#
        );
        assert_eq!(
            with("module = 'app'\nexpires = 2026-05-31"),
            r#"red ["fails", "foreign", "fails"] ["refloop.toml:2: the suppression expired on 2026-05-31"]"#
        );
        assert_eq!(with("module = 'app'\nexpires = 2026-06-01"), r#"green ["suppressed", "foreign", "suppressed"] []"#);
    }

    #[test]
    fn a_site_is_matched_as_it_was_recorded_and_as_it_is_shown() {
        let config = |site: &str| format!("[[suppress]]\nreason = 'known'\nsite = '{site}'");
        let shown = Shown { roots: vec!["/elsewhere".into(), "/srv".into()], short: Some(|path| path) };
        for (site, alone, below_root) in [
            ("/srv/app.py:42 make_order", "suppressed", "suppressed"),
            ("app.py:42 make_order", "fails", "suppressed"),
            ("app.py:42", "fails", "suppressed"),
            ("app.py", "fails", "suppressed"),
            ("app.py:*", "fails", "suppressed"),
            ("make_order", "suppressed", "suppressed"),
            ("pp.py", "fails", "fails"),
            ("app.py:4", "fails", "fails"),
        ] {
            let config = Config::parse(&config(site), "refloop.toml", false).unwrap().unwrap();
            let gate = Gate::new(&config, None).unwrap();
            let first = |gate: &Gate| gate.judge(&findings(), TODAY).standings[0].name();
            assert_eq!([first(&gate), first(&gate.clone().with_shown(shown.clone()))], [alone, below_root], "{site}");
        }
    }

    #[test]
    fn a_strict_gate_fails_on_a_suppression_that_is_not_used() {
        let lines = "only = ['shop']\n[[suppress]]\nreason = 'known'\npath = 'Nothing'";
        assert!(!verdict(lines).failed);
        assert!(verdict(&format!("strict = true\n{lines}")).failed);
    }

    #[test]
    fn limits_let_through_what_stays_below_them() {
        assert_eq!(told(&verdict("max-loops = 621")), r#"green ["allowed", "foreign", "allowed"] []"#);
        assert_eq!(
            told(&verdict("max-loops = 620")),
            r#"red ["fails", "foreign", "fails"] ["621 loops, at most 620 allowed"]"#
        );
        assert_eq!(
            told(&verdict("max-loops = 9999\nmax-bytes = 5")),
            r#"red ["fails", "foreign", "fails"] ["1,989,200 bytes in loops, at most 5 allowed"]"#
        );
        assert_eq!(told(&verdict("[type-limits]\n'app.Order' = 620")), r#"red ["allowed", "foreign", "fails"] []"#);
        assert_eq!(
            told(&verdict("[limits]\ncyclic-garbage = 1")),
            r#"red ["fails", "foreign", "fails"] ["621 findings of cyclic-garbage, at most 1 allowed"]"#
        );
    }

    #[test]
    fn one_is_one() {
        let config = "[limits]\nlost-reference = 0\n[type-limits]\n'app.Worker' = 0";
        assert_eq!(verdict(config).exceeded, ["1 loop with app.Worker, at most 0 allowed"]);
    }

    #[test]
    fn a_group_is_forgiven_as_collected_only_when_all_of_it_was() {
        assert_eq!(told(&verdict("all = true\nignore-collected = true")), r#"red ["fails", "collected", "fails"] []"#);
    }

    #[test]
    fn a_group_is_forgiven_as_alive_until_the_end_only_when_all_of_it_was() {
        let gate = Gate::new(&Config::default(), None).unwrap();
        let with_alive = |alive: u64| {
            let mut findings = findings();
            findings.truncate(1);
            findings[0].alive_at_exit = alive;
            told(&gate.judge(&findings, TODAY))
        };
        assert_eq!(with_alive(620), r#"green ["at-exit"] []"#);
        assert_eq!(with_alive(619), r#"red ["fails"] []"#);
    }

    #[test]
    fn a_baseline_knows_by_fingerprint_and_names_what_is_gone() {
        let findings = findings();
        let mut text = Baseline::of(&findings[..1]).to_text();
        text.push_str("00000000000000aa cyclic-garbage Old.me → Old\n");
        let baseline = Baseline::parse(&text).unwrap();
        let verdict = Gate::new(&Config::default(), Some(baseline.clone())).unwrap().judge(&findings, TODAY);
        assert_eq!(told(&verdict), r#"red ["known", "foreign", "fails"] []"#);
        assert_eq!(verdict.gone, [(Fingerprint(0xaa), "cyclic-garbage Old.me → Old".to_string())]);
        assert_eq!(baseline.pruned(&findings), Baseline::of(&findings[..1]));
    }
}
