//! The `palisade` program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    palisade::cli::run(std::env::args_os(), palisade::host::env::Env::of_process())
}
