//! Compares the tracker with a naive model, on random heaps.

use std::fmt::Write;

use proptest::prelude::*;

use super::play;

proptest! {
    /// Everything that no root reaches is counted once, in one group; what a loop leads to, and nothing else.
    #[test]
    fn the_tracker_counts_what_a_naive_oracle_counts(
        n in 2usize..10,
        edges in prop::collection::vec((0usize..10, 0usize..10), 0..24),
        roots in prop::collection::vec(0usize..10, 0..3),
        snapshot_between in any::<bool>(),
    ) {
        let edges: Vec<_> = edges.into_iter().filter(|&(from, to)| from < n && to < n).collect();
        let mut script = "type 1 A flags=gc\n".to_string();
        (0..n).for_each(|i| writeln!(script, "alloc {:x} 1 {}", i + 1, 16 << i).unwrap());
        roots.iter().filter(|&&root| root < n).for_each(|root| writeln!(script, "incref {:x}", root + 1).unwrap());
        edges.iter().for_each(|(from, to)| writeln!(script, "ref {:x} {:x} .x", from + 1, to + 1).unwrap());
        if snapshot_between {
            script.push_str("gc start 0\ngc stop 0 0\n");
        }
        let mut alive: Vec<bool> =
            (0..n).map(|i| roots.contains(&i) || edges.iter().all(|&(_, to)| to != i)).collect();
        let mut reach = vec![vec![false; n]; n];
        edges.iter().for_each(|&(from, to)| reach[from][to] = true);
        for via in 0..n {
            for from in 0..n {
                for to in 0..n {
                    reach[from][to] |= reach[from][via] && reach[via][to];
                }
            }
        }
        let given = alive.clone();
        (0..n).for_each(|i| alive[i] |= (0..n).any(|from| given[from] && reach[from][i]));
        let garbage: Vec<usize> = (0..n).filter(|&i| !alive[i]).collect();
        let members = garbage.iter().filter(|&&i| reach[i][i]).count() as u64;
        let loops = garbage.iter().filter(|&&i| reach[i][i] && (0..i).all(|j| !(reach[i][j] && reach[j][i]))).count();
        let found = play(&script);
        prop_assert_eq!(found.objects, garbage.len() as u64);
        prop_assert_eq!(found.bytes, garbage.iter().map(|i| 16 << i).sum::<u64>());
        prop_assert_eq!(found.groups.iter().map(|group| group.objects).sum::<u64>(), members);
        prop_assert_eq!(found.groups.iter().map(|group| group.count).sum::<u64>(), loops as u64);
        let held: u64 = found.groups.iter().map(|group| group.held_objects).sum();
        prop_assert_eq!(held, garbage.len() as u64 - members);
        prop_assert_eq!(found.groups.iter().map(|group| group.bytes + group.held_bytes).sum::<u64>(), found.bytes);
    }
}
