//! The program: hands its arguments to the command line and exits with its code.

use std::process::ExitCode;

/// Plans and states are made of very many small values.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    infra::cli::main()
}
