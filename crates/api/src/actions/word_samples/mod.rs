//! Words that recognition and review look for. An account's words are remembered by themselves: a word is there once.

mod create_word_samples;
mod delete_word_samples;
mod describe_word_samples;
mod modify_word_sample;

use std::collections::HashMap;

use mps_core::Result;
use mps_media::templates::word_samples as rules;
use mps_store::{Tx, templates as rows};

use crate::dispatch::Entry;

pub(super) const ACTIONS: &[Entry] = &[
    Entry::of::<create_word_samples::CreateWordSamples>(),
    Entry::of::<modify_word_sample::ModifyWordSample>(),
    Entry::of::<delete_word_samples::DeleteWordSamples>(),
    Entry::of::<describe_word_samples::DescribeWordSamples>(),
];

/// The numbers of the account's words, as they stay until the end of the transaction: taking a number holds off
/// other writers.
async fn held(tx: &mut Tx<'_>, account: i64) -> Result<HashMap<String, i64>> {
    rows::next_id(tx, rules::STORED_AS, rules::FIRST).await?;
    Ok(rows::names(tx, account, rules::STORED_AS).await?.into_iter().collect())
}
