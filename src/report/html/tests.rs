//! Tests how large a page gets. What it does in a browser is tested in `tests/program/browser`.

use super::*;
use crate::report::FrameRow;
use crate::report::testing::report;

#[test]
fn a_page_is_less_than_3_mb_whatever_the_names_and_says_what_it_left_out() {
    let mut large = report(Some(""));
    let row = large.loops.rows[0].clone();
    let kind = large.types.rows[0].clone();
    let hostile = "<&>".repeat(40);
    large.loops.rows.clear();
    for nth in 0..5_000 {
        let mut row = row.clone();
        row.fingerprint = format!("{nth:016x}");
        row.path = format!("{hostile}{nth}");
        let frame = FrameRow { path: hostile.clone(), line: nth, function: hostile.clone(), package: None };
        row.site = vec![frame; 3];
        large.loops.rows.push(row);
        large.types.rows.push(crate::report::TypeRow { type_name: format!("{hostile}{nth}"), ..kind.clone() });
    }
    large.inputs[0].path = "<".repeat(1_000_000);
    let mut page = Vec::new();
    Html.write(&large, &RenderOptions::default(), &mut page).unwrap();
    assert!((2_000_000..3_000_000).contains(&page.len()), "{}", page.len());
    let data = data::of(&large);
    for (table, all) in [("loops", 5_000), ("details", 5_000), ("types", 5_002), ("inputs", 1)] {
        let rows = data[table]["rows"].as_array().unwrap().len();
        assert_eq!(rows as u64 + data[table]["left_out"].as_u64().unwrap(), all, "{table}");
    }
}
