//! Keeps account of what is garbage now, in each group and in all, and of how long it lies about.

use super::clock::Clock;
use crate::cycles::garbage::{Amount, Lingered, SeenAt};

/// What is garbage now, and what was.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub clock: Clock,
    all: Account,
    /// By number of the group.
    groups: Vec<Account>,
    /// Groups of which something left since the time was told last: it lay there until some moment before the next time.
    left: Vec<u32>,
    /// Groups to which something came since the last look.
    came: Vec<u32>,
    /// The trace tells times.
    has_times: bool,
}

/// The account of one group, or of all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Account {
    pub now: Amount,
    pub peak: Amount,
    pub peak_at: SeenAt,
    lingered: Lingered,
    left_bytes: u64,
}

/// The events between which an object became garbage: after the first, and not after the second. The same in an exact log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Since {
    pub after: u64,
    pub by: u64,
}

impl Ledger {
    /// An object of a group is garbage; `first`: its loop was not until now.
    pub(super) fn enter(&mut self, group: u32, bytes: u64, first: bool) {
        if self.groups.len() <= group as usize {
            self.groups.resize(group as usize + 1, Account::default());
        }
        let one = Amount { loops: u64::from(first), objects: 1, bytes };
        self.groups[group as usize].now.add(&one);
        self.all.now.add(&one);
        if self.came.last() != Some(&group) {
            self.came.push(group);
        }
    }

    /// An object is garbage no more: it was until `until` at least, and is not now. `last`: its loop is none either.
    pub(super) fn leave(&mut self, group: u32, bytes: u64, last: bool, since: Since, until: u64) {
        let one = Amount { loops: u64::from(last), objects: 1, bytes };
        self.all.now.take(&one);
        let account = &mut self.groups[group as usize];
        account.now.take(&one);
        let times = |from: u64, to: u64| u128::from(bytes) * u128::from(to.saturating_sub(from));
        let (clock, lingered) = (&self.clock, &mut account.lingered);
        let at_least = times(clock.not_earlier(since.by), clock.not_later(until));
        let at_most = times(clock.not_later(since.after), clock.last());
        lingered.at_least = lingered.at_least.saturating_add(at_least);
        lingered.at_most = lingered.at_most.saturating_add(at_most);
        if account.left_bytes == 0 {
            self.left.push(group);
        }
        account.left_bytes = account.left_bytes.saturating_add(bytes);
    }

    /// The trace tells the time.
    pub(super) fn time(&mut self, event: u64, ns: u64) {
        let passed = ns.saturating_sub(self.clock.last());
        for group in self.left.drain(..) {
            let account = &mut self.groups[group as usize];
            let more = u128::from(std::mem::take(&mut account.left_bytes)) * u128::from(passed);
            account.lingered.at_most = account.lingered.at_most.saturating_add(more);
        }
        self.has_times = true;
        self.clock.push(event, ns);
    }

    /// A look is over: the most that was garbage at one time is known up to here.
    pub(super) fn look(&mut self, now: SeenAt) {
        self.all.look(now);
        for group in self.came.drain(..) {
            self.groups[group as usize].look(now);
        }
    }

    pub(super) fn all(&self) -> Account {
        self.all
    }

    /// The account of all, and that of each group.
    pub(super) fn accounts(&self) -> (Account, Vec<Account>) {
        (self.all, self.groups.clone())
    }

    /// How long what left a group lay about; `None` without times.
    pub(super) fn lingered(&self, group: u32) -> Option<Lingered> {
        let account = self.groups.get(group as usize).copied().unwrap_or_default();
        self.has_times.then_some(account.lingered)
    }

    /// The moments between which something happened, with the times that are told of them until now.
    pub(super) fn interval(&self, since: Since) -> (SeenAt, SeenAt) {
        let (from, to) = (self.clock.not_later(since.after), self.clock.not_earlier(since.by));
        // An exact log may not have told the time since.
        let is_known = self.has_times && (since.after < since.by || since.by <= self.clock.last_event());
        let at = |event, ns| SeenAt { event, ns: is_known.then_some(ns) };
        (at(since.after, from), at(since.by, to))
    }
}

impl Account {
    fn look(&mut self, now: SeenAt) {
        if self.now.is_more_than(&self.peak) {
            (self.peak, self.peak_at) = (self.now, now);
        }
    }
}
