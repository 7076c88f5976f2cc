//! Records inside the program: a shared object that CPython loads as the extension module `_refloop`.
//!
//! In go the program's allocations and its heap, out comes a trace in the binary form. It is built by `build.rs` apart
//! from the rest, with nothing but `std`, and embedded in the command. All of it but a thread that waits (`clock`) runs under
//! the interpreter's lock.

#![allow(unsafe_code)]
#![deny(clippy::undocumented_unsafe_blocks)]

mod address_map;
mod allocator;
mod arena;
mod armed;
mod attach;
mod attached;
mod begin;
mod builtin_module;
mod canary;
mod checkpoint;
mod clock;
mod collector;
mod condemned;
mod copied;
mod copy;
mod cpython;
mod crc;
mod descriptions;
#[path = "../../trace/formats/binary/encode.rs"]
#[allow(dead_code)] // The converter writes records that the agent does not.
mod encode;
mod exit;
mod exit_marks;
mod forks;
mod global;
mod header;
mod interpreters;
mod layouts;
mod live_table;
mod log;
mod maps;
mod memory;
mod module;
mod named_code;
mod object_guess;
mod options;
mod output;
mod own_memory;
mod process;
mod python;
mod recorder;
mod regain;
mod replaced;
mod runtime;
mod scan;
mod signals;
mod sink;
mod stacks;
mod system;
mod termination;
mod thread;
mod trial;
mod walk;
