//! `DescribeWordSamples`: the account's words, the newest first, filtered and paged.

use mps_media::answer::times::iso;
use mps_media::templates::word_samples as rules;
use mps_store::templates as rows;
use mps_wire::ApiError;
use mps_wire::types::{AiSampleWord, DescribeWordSamplesRequest, DescribeWordSamplesResponse};
use serde_json::Value;

use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Lists words.
pub(super) struct DescribeWordSamples;

impl Action for DescribeWordSamples {
    const NAME: &'static str = "DescribeWordSamples";
    type Request = DescribeWordSamplesRequest;
    type Response = DescribeWordSamplesResponse;

    async fn handle(
        app: &App,
        call: Call<DescribeWordSamplesRequest>,
    ) -> Result<DescribeWordSamplesResponse, ApiError> {
        rules::check_describe(&call.body)?;
        let account = call.caller.account;
        let read =
            app.store.read(|tx| Box::pin(async move { rows::list(tx, account, rules::STORED_AS).await }));
        let all = read.await.map_err(error::answer)?;
        let found: Vec<(rules::Sample, String, String)> = all
            .into_iter()
            .rev()
            .map(|row| {
                let times = (iso(Some(row.created_ms)), iso(Some(row.updated_ms)));
                (rules::Sample { keyword: row.name, body: row.body }, times.0, times.1)
            })
            .filter(|(sample, ..)| rules::passes(sample, &call.body))
            .collect();
        let total_count = found.len() as u64;
        let skip = usize::try_from(call.request.offset.unwrap_or(0)).unwrap_or(usize::MAX);
        let take = usize::try_from(call.request.limit.unwrap_or(100)).unwrap_or(usize::MAX);
        let word_set =
            found.into_iter().skip(skip).take(take).map(|(sample, create_time, update_time)| AiSampleWord {
                tag_set: texts(&sample.body["Tags"]),
                usage_set: texts(&sample.body["Usages"]),
                keyword: sample.keyword,
                create_time,
                update_time,
            });
        Ok(DescribeWordSamplesResponse { word_set: word_set.collect(), total_count })
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
