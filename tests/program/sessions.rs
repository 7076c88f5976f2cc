//! Commands as data: each file of `tests/program/sessions` is a session at the terminal, and what it must print.

#[test]
fn commands_print_what_is_written_down() {
    let cases = trycmd::TestCases::new();
    cases.case("tests/program/sessions/*.trycmd").env("NO_COLOR", "1").env("COLUMNS", "80");
    cases.run();
}
