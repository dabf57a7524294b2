//! `DescribeAsrHotwords`: one library with its words, in the order asked for and page by page.

use mps_media::answer::times::iso;
use mps_media::templates::asr_hotwords as rules;
use mps_store::templates as rows;
use mps_wire::types::{AsrHotwordsSetItem, DescribeAsrHotwordsRequest, DescribeAsrHotwordsResponse};
use mps_wire::{ApiError, codes};

use super::{in_use, is_falling, limit, uses};
use crate::app::App;
use crate::dispatch::{Action, Call};
use crate::error;

/// Shows a library.
pub(super) struct DescribeAsrHotwords;

impl Action for DescribeAsrHotwords {
    const NAME: &'static str = "DescribeAsrHotwords";
    type Request = DescribeAsrHotwordsRequest;
    type Response = DescribeAsrHotwordsResponse;

    async fn handle(
        app: &App,
        call: Call<DescribeAsrHotwordsRequest>,
    ) -> Result<DescribeAsrHotwordsResponse, ApiError> {
        let request = call.request;
        let (offset, limit) = (request.offset.unwrap_or(0), limit(request.limit, 10, 100)?);
        let is_falling = is_falling(request.order_type)?;
        let (row, status) = find(app, call.caller.account, request.hotwords_id, request.name).await?;

        let words = rules::words(&row.body)?;
        let word_count = words.len() as u64;
        let mut items: Vec<AsrHotwordsSetItem> = (1..)
            .zip(words)
            .map(|(id, word)| AsrHotwordsSetItem { id, text: word.text, weight: word.weight })
            .collect();
        match request.order_by.as_deref().unwrap_or_default() {
            "" | "Default" => {}
            "Weight" => items.sort_by_key(|item| item.weight),
            "Lexical" => items.sort_by(|a, b| a.text.cmp(&b.text)),
            other => {
                let told = format!("OrderBy is {other:?}; it must be Default, Weight or Lexical");
                return Err(codes::value_of("OrderBy", told));
            }
        }
        if is_falling {
            items.reverse();
        }
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        let text = |name: &str| row.body[name].as_str().unwrap_or_default().to_owned();
        let kind = row.body["Type"].as_u64().unwrap_or_default();
        Ok(DescribeAsrHotwordsResponse {
            hotwords_id: rules::id(row.id),
            status,
            name: row.name.clone(),
            r#type: kind,
            file_name: text("FileName"),
            hot_words: items.into_iter().skip(skip).take(limit as usize).collect(),
            content: text(if kind == 0 { "Content" } else { "FileContent" }),
            word_count,
            offset,
            limit,
            create_time: iso(Some(row.created_ms)),
            update_time: iso(Some(row.updated_ms)),
        })
    }
}

/// The library of an id, or the newest of a name; and how many templates name it.
async fn find(
    app: &App,
    account: i64,
    id: Option<String>,
    name: Option<String>,
) -> Result<(rows::Template, u64), ApiError> {
    let (id, name) = (id.unwrap_or_default(), name.unwrap_or_default());
    if id.is_empty() && name.is_empty() {
        return Err(codes::missing_parameter("one of `HotwordsId` and `Name` is required"));
    }
    let (number, called) = (rules::number(&id), name.clone());
    let by_name = id.is_empty();
    let read = app.store.read(|tx| {
        Box::pin(async move {
            let row = if by_name {
                let all = rows::list(tx, account, rules::STORED_AS).await?;
                all.into_iter().filter(|row| row.name == called).max_by_key(|row| row.id)
            } else {
                rows::get(tx, account, rules::STORED_AS, number.unwrap_or_default()).await?
            };
            Ok((row, in_use(tx, account).await?))
        })
    });
    let (row, bound) = read.await.map_err(error::answer)?;
    let row = row.ok_or_else(|| rules::absent(if by_name { &name } else { &id }))?;
    let count = uses(&bound, row.id);
    Ok((row, count))
}
