//! Libraries of hotwords. A library that a template of subtitles names is in use and stays.

mod create_asr_hotwords;
mod delete_asr_hotwords;
mod describe_asr_hotwords;
mod describe_asr_hotwords_list;
mod modify_asr_hotwords;

use mps_core::Result;
use mps_media::templates::Family as _;
use mps_media::templates::asr_hotwords as rules;
use mps_media::templates::smart_subtitle::SmartSubtitle;
use mps_store::{Tx, templates as rows};
use mps_wire::ApiError;
use mps_wire::codes::value_of;

use crate::dispatch::Entry;

pub(super) const ACTIONS: &[Entry] = &[
    Entry::of::<create_asr_hotwords::CreateAsrHotwords>(),
    Entry::of::<modify_asr_hotwords::ModifyAsrHotwords>(),
    Entry::of::<delete_asr_hotwords::DeleteAsrHotwords>(),
    Entry::of::<describe_asr_hotwords::DescribeAsrHotwords>(),
    Entry::of::<describe_asr_hotwords_list::DescribeAsrHotwordsList>(),
];

/// The numbers of the libraries that templates of subtitles name, one for each template.
async fn in_use(tx: &mut Tx<'_>, account: i64) -> Result<Vec<i64>> {
    let templates = rows::list(tx, account, SmartSubtitle.name()).await?;
    let needs = templates.iter().flat_map(|template| SmartSubtitle.needs(&template.body));
    Ok(needs.filter(|need| need.family == rules::STORED_AS).map(|need| need.definition).collect())
}

/// How many of `used` are `number`.
fn uses(used: &[i64], number: i64) -> u64 {
    used.iter().filter(|used| **used == number).count() as u64
}

/// The page size of a request.
fn limit(sent: Option<u64>, usual: u64, most: u64) -> Result<u64, ApiError> {
    let limit = sent.unwrap_or(usual);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(value_of("Limit", format!("Limit is {limit}; it must be 1 to {most}")))
}

/// Whether a listing is turned around.
fn is_falling(order: Option<u64>) -> Result<bool, ApiError> {
    match order.unwrap_or(0) {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(value_of("OrderType", format!("OrderType is {other}; it must be 0 or 1"))),
    }
}
