//! Who calls: the signature is found, its time and its key are checked, and it is verified.
//!
//! The order decides which code a wrong call gets: malformed, then stale, then unknown, then forged, then not
//! activated. TC3 has no nonce: the same request sent twice within the window of time is legal, and clients
//! that poll do it.

use mps_wire::auth::Claim;
use mps_wire::{ApiError, codes};

use crate::app::App;
use crate::dispatch::Caller;
use crate::error;
use crate::incoming::Incoming;

/// Verifies the signature of a request.
pub(crate) async fn verify(app: &App, incoming: &Incoming) -> Result<Caller, ApiError> {
    let header = |name: &str| incoming.header(name);
    let claim = Claim::find(&incoming.message(&header), incoming.fields())?;
    if incoming.common("x-tc-token", "Token").is_some() {
        return Err(codes::auth_failure_token_failure(
            "this server gives out no temporary credentials; send the request without a token",
        ));
    }
    claim.check_time(app.clock.now_ms().div_euclid(1_000))?;
    let key = app.keys.find(claim.secret_id()).await.map_err(error::answer)?;
    let key = key.ok_or_else(|| {
        codes::auth_failure_secret_id_not_found(
            "the SecretId is unknown or disabled; `mps keys list` shows yours",
        )
    })?;
    let message = incoming.message(&header);
    match &claim {
        Claim::Tc3(tc3) => tc3.verify(&message, &key.signing_key(tc3.date))?,
        Claim::V1(v1) => v1.verify(&message, incoming.fields(), &key.secret)?,
    }
    if !key.is_activated {
        return Err(codes::failed_operation_invalid_mps_user(format!(
            "the service is not activated for account {}",
            key.account
        )));
    }
    Ok(Caller { account: key.account })
}
