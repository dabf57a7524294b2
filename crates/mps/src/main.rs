//! The one binary of Freedom MPS.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The launcher of sandboxed programs must stay single-threaded and quick: nothing may run before it.
    if std::env::args_os().nth(1).is_some_and(|first| first == "__exec") {
        return mps::cli::exec::run();
    }
    mps::cli::run()
}
