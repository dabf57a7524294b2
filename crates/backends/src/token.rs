//! Names that nobody can guess.

use mps_core::{Error, Result};

/// `N` random bytes as lower-case hex.
pub(crate) fn random_hex<const N: usize>() -> Result<String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::internal("cannot get random bytes").because(e.to_string()))?;
    Ok(hex::encode(bytes))
}
