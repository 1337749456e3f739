//! The one test binary beside the unit tests: whole commands, golden cases, conformance suites, faults, and everything
//! that runs against real servers (`lab`). One binary, because each would link the whole engine again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops with the place and the value")]

mod arrows;
mod cli;
mod clients;
mod conformance;
mod fuzz;
mod gates;
mod hosts;
mod lab;
mod ssh;
