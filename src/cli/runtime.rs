//! The async runtime: made once for each command that talks to a service.

use std::future::Future;

use crate::cli::error::{Doing as _, Result};

/// Runs the future to its end.
///
/// # Errors
/// When the runtime cannot be made, or what the future returns.
pub fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .doing("cannot start the runtime")?;
    runtime.block_on(future)
}
