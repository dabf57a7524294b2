//! `DescribeAsrHotwordsList`: the account's libraries without their words.

use mps_media::answer::times::iso;
use mps_media::templates::asr_hotwords as rules;
use mps_store::templates as rows;
use mps_wire::ApiError;
use mps_wire::types::{AsrHotwordsSet, DescribeAsrHotwordsListRequest, DescribeAsrHotwordsListResponse};

use super::{in_use, is_falling, limit, uses};
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Lists libraries.
pub(super) struct DescribeAsrHotwordsList;

impl Action for DescribeAsrHotwordsList {
    const NAME: &'static str = "DescribeAsrHotwordsList";
    type Request = DescribeAsrHotwordsListRequest;
    type Response = DescribeAsrHotwordsListResponse;

    async fn handle(
        app: &App,
        call: Call<DescribeAsrHotwordsListRequest>,
    ) -> Result<DescribeAsrHotwordsListResponse, ApiError> {
        let (account, request) = (call.caller.account, call.request);
        let offset = request.offset.unwrap_or(0);
        let limit = limit(request.limit, rules::MAX_LIBRARIES as u64, rules::MAX_LIBRARIES as u64)?;
        let is_falling = is_falling(request.order_type)?;
        let read = app.store.read(|tx| {
            Box::pin(async move {
                Ok((rows::list(tx, account, rules::STORED_AS).await?, in_use(tx, account).await?))
            })
        });
        let (mut all, used) = read.await.map_err(error::answer)?;
        all.retain(|row| passes(row, &request));
        let count =
            |row: &rows::Template| rules::words(&row.body).map(|words| words.len()).unwrap_or_default();
        // What is no field to sort by counts as the default, by the word of the API.
        match request.order_by.as_deref().unwrap_or_default() {
            "UpdateTime" => all.sort_by_key(|row| row.updated_ms),
            "Name" => all.sort_by(|a, b| a.name.cmp(&b.name)),
            "WordCount" => all.sort_by_cached_key(count),
            "HotwordsId" => all.sort_by_key(|row| row.id),
            _ => all.sort_by_key(|row| row.created_ms),
        }
        if is_falling {
            all.reverse();
        }
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        let shown = all.iter().skip(skip).take(limit as usize).map(|row| AsrHotwordsSet {
            hotwords_id: rules::id(row.id),
            status: uses(&used, row.id),
            name: row.name.clone(),
            word_count: count(row) as u64,
            file_name: row.body["FileName"].as_str().unwrap_or_default().to_owned(),
            create_time: iso(Some(row.created_ms)),
            update_time: iso(Some(row.updated_ms)),
            r#type: row.body["Type"].as_u64().unwrap_or_default(),
        });
        Ok(DescribeAsrHotwordsListResponse {
            asr_hotwords_set: shown.collect(),
            total_count: all.len() as i64,
            offset,
            limit,
        })
    }
}

fn passes(row: &rows::Template, request: &DescribeAsrHotwordsListRequest) -> bool {
    let wanted = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let kind = row.body["Type"].as_u64().unwrap_or_default();
    wanted(&request.hotwords_id).is_none_or(|id| id == rules::id(row.id))
        && wanted(&request.name).is_none_or(|name| row.name.contains(&name))
        && request.types.as_deref().is_none_or(|types| types.is_empty() || types.contains(&kind))
}
