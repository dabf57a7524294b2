//! How much of the server one account may take: sizes of requests, and calls a second.
//!
//! Calls are counted for each account and action apart, as the cloud does, so that a client that polls does
//! not keep itself from submitting. Counting uses a monotonic clock: it survives a change of the wall clock.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use mps_wire::{ApiError, codes};

/// Sizes, times and rates; plain values from the configuration.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Calls a second of one account to one action, with as many at once; 0 means no limit. Of the cloud's own
    /// limits (20 or 100) a server of one's own needs neither, so the default only stops a runaway loop.
    pub requests_per_second: u32,
    /// Requests being read or answered at the same time; more are told to come back.
    pub requests_at_once: usize,
    /// Tasks of one account that wait or run; 0 means no limit.
    pub tasks_per_account: u64,
    /// Bytes of a body signed by TC3.
    pub request_bytes: usize,
    /// Bytes of a form signed the older way.
    pub form_bytes: usize,
    /// Bytes of the query of a GET request.
    pub query_bytes: usize,
    /// How long the body of a request may take to arrive.
    pub body_timeout: Duration,
    /// How long a call may wait for the media tools to be examined just after the start.
    pub tools_timeout: Duration,
    /// How long `DescribeMediaMetaData` may look into a file; four times that with `Mode` `slow`.
    pub probe_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: 50_000,
            requests_at_once: 1_024,
            tasks_per_account: 0,
            request_bytes: 10 << 20,
            form_bytes: 1 << 20,
            query_bytes: 32 << 10,
            body_timeout: Duration::from_secs(30),
            tools_timeout: Duration::from_secs(20),
            probe_timeout: Duration::from_secs(30),
        }
    }
}

/// Counts calls by account and action.
pub(crate) struct Rates {
    limiter: Option<DefaultKeyedRateLimiter<(i64, &'static str)>>,
    checks: AtomicU32,
}

/// After how many checks the accounts that are quiet by now are forgotten.
const FORGET_EVERY: u32 = 1 << 16;

impl Rates {
    pub(crate) fn new(per_second: u32) -> Self {
        let limiter = NonZeroU32::new(per_second).map(|n| RateLimiter::keyed(Quota::per_second(n)));
        Self { limiter, checks: AtomicU32::new(0) }
    }

    /// Counts one call; an error when the account made too many to this action.
    pub(crate) fn check(&self, account: i64, action: &'static str) -> Result<(), ApiError> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.checks.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            limiter.retain_recent();
        }
        limiter.check_key(&(account, action)).map_err(|_| {
            codes::request_limit_exceeded(format!(
                "too many calls of {action} a second from account {account}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_beyond_the_rate_is_refused_with_the_apis_code() {
        let rates = Rates::new(3);
        let refused = (0..10).filter(|_| rates.check(1, "DescribeTasks").is_err()).count();
        assert!((6..=7).contains(&refused), "{refused} of 10 refused");
        assert_eq!(rates.check(1, "DescribeTasks").unwrap_err().code, "RequestLimitExceeded");
    }

    #[test]
    fn accounts_and_actions_are_counted_apart() {
        let rates = Rates::new(1);
        for (account, action) in [(1, "DescribeTasks"), (2, "DescribeTasks"), (1, "ProcessMedia")] {
            assert!(rates.check(account, action).is_ok());
        }
    }

    #[test]
    fn zero_means_no_limit() {
        let rates = Rates::new(0);
        assert!((0..1_000).all(|_| rates.check(1, "ProcessMedia").is_ok()));
    }
}
