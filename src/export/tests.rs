//! Reads tables back.

use std::fs::File;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::*;
use crate::report::testing::report;
use crate::run::{Extent, Input};

fn origin(id: &str) -> Origin {
    Origin { id: id.to_owned(), started: None, day: None, service: Some("shop".to_owned()), host: None }
}

/// Writes the tables of these reports, and reads one column of one.
fn column(reports: &[(&str, Report)], table: &str, name: &str) -> (usize, Vec<Field>) {
    let place = tempfile::tempdir().unwrap();
    let origins: Vec<Origin> = reports.iter().map(|(id, _)| origin(id)).collect();
    let partition = origins[0].partition();
    let mut tables = Tables::create(place.path(), &partition, origins.iter()).unwrap();
    for (origin, (_, report)) in origins.iter().zip(reports) {
        tables.add(origin, report).unwrap();
    }
    assert!(known(place.path()).unwrap().is_empty(), "what is not whole is not there");
    tables.finish().unwrap();
    let ids: HashSet<String> = reports.iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(known(place.path()).unwrap(), ids);
    let folder = place.path().join(table).join(partition.folder());
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let reader = SerializedFileReader::new(File::open(&files[0]).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().into_columns());
    let cells = rows.flat_map(|row| row.into_iter().filter(|(column, _)| column == name).map(|(_, cell)| cell));
    (reader.num_row_groups(), cells.collect())
}

#[test]
fn a_trace_is_a_row_group_of_each_table() {
    let one = report(None);
    let fingerprints: Vec<Field> = one.loops.rows.iter().map(|row| Field::Str(row.fingerprint.clone())).collect();
    let two = [("1", one), ("2", report(None))];
    assert_eq!(column(&two, "loops", "fingerprint"), (2, [fingerprints.clone(), fingerprints].concat()));
}

#[test]
fn what_is_not_known_is_null() {
    let blind = Report { inputs: vec![Input::default()], ..Report::default() };
    let seen = Input { known: Extent::End, ..Input::default() };
    let clean = Report { inputs: vec![seen], ..Report::default() };
    let both = [("1", blind), ("2", clean)];
    assert_eq!(column(&both, "traces", "loops"), (2, vec![Field::Null, Field::Long(0)]));
    assert_eq!(column(&both, "traces", "live_objects"), (2, vec![Field::Null, Field::Null]));
    assert_eq!(column(&both, "loops", "fingerprint"), (0, vec![]));
}
