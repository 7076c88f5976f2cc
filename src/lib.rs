//! Bytes become events, events become objects, objects become facts, facts become findings, findings become a page.
//!
//! Every arrow is a module, in this order; a module knows only the modules before it (`tests/program/tidy` holds that).
//!
//! From the path of a trace to its report:
//!
//! ```
//! use refloop::findings::{self, Ownership};
//! use refloop::report::{Report, ReportOptions};
//! use refloop::run::{self, Options, Run};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let trace = run::open("fixtures/recorded/shop.reftrace".as_ref(), &Options::default())?;
//! let run = Run::merge([trace]);
//! let ownership = Ownership::default();
//! let findings = findings::find(&run, &ownership);
//! let report = Report::new(&run, &findings, None, &ownership, &ReportOptions::default());
//! for row in &report.loops.rows {
//!     println!("{} × {}", row.count, row.path);
//! }
//! # assert_eq!(report.loops.rows[0].path, "Order.items[*] → Line.order → Order");
//! # Ok(())
//! # }
//! ```

pub mod files;
pub mod human;
mod page_table;
pub mod trace;

pub mod heap;

pub mod cycles;
pub mod interchange;
pub mod overhead;
pub mod retention;

pub mod growth;

pub mod whatif;

pub mod run;

pub mod findings;

pub mod report;

pub mod export;

pub mod recorder;
