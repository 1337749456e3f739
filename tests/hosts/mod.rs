//! The providers that work over SSH, against real hosts.

mod driver;
mod k3s;
mod ssh;
