//! Makes one test for each build of CPython, records programs, and asks what their traces show.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::pythons::{Python, find};
use crate::support::refloop;

/// Makes, of functions that take a [`Python`], a test for each build: `fn exact(python: &Python)` in `stacks/` becomes
/// `stacks::v3_8::exact`, `stacks::v3_9::exact` and so on. The list of builds stands here.
macro_rules! on_each_python {
    ($($test:ident),+ $(,)?) => { on_each_python! { @list @tests [$($test)+] } };
    (@list @$then:ident $($tests:tt)?) => {
        on_each_python! { @$then $($tests)? v3_8 v3_9 v3_10 v3_11 v3_12 v3_13 v3_13_debian v3_14 v3_15 system }
    };
    (@tests $tests:tt $($build:ident)+) => { $(on_each_python! { @build $build $tests })+ };
    (@build $build:ident [$($test:ident)+]) => {
        mod $build {
            $(
                #[test]
                fn $test() {
                    if let Some(python) = crate::support::pythons::find(stringify!($build)) {
                        super::$test(&python);
                    }
                }
            )+
        }
    };
    (@names $($build:ident)+) => { &[$(stringify!($build)),+] };
}

/// All builds; `support/pythons.rs` says what their names mean.
pub(crate) const BUILDS: &[&str] = on_each_python!(@list @names);

/// The builds at hand.
pub(crate) fn at_hand() -> Vec<Python> {
    BUILDS.iter().filter_map(|build| find(build)).collect()
}

/// Records a program, which must succeed, and gives what it wrote.
pub(crate) fn record(python: &Path, options: &[&str], trace: &Path, program: &Path, arguments: &[&str]) -> Output {
    let mut command = refloop();
    command.args(["record", "-q"]).args(options).arg("-o").arg(trace).arg("--").arg(python).arg(program);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// What a command says of a trace, as JSON.
pub(crate) fn report(command: &str, trace: &Path) -> Value {
    let output = refloop().args([command, "-q", "--format", "json"]).arg(trace).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}
