//! Listing a bucket by pages of its index, folded at a delimiter when asked.
//!
//! A page costs a few index probes whatever the bucket's size: below a folded prefix the listing jumps over the
//! keys instead of reading them.

use mps_core::Result;
use mps_store::objects::{self, Object};

use super::LocalBuckets;

/// What to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListQuery<'a> {
    /// Only keys that begin with it.
    pub prefix: &'a str,
    /// Keys that hold it behind the prefix are folded to the part up to and with it; empty folds nothing.
    pub delimiter: &'a str,
    /// Only keys after this one; a folded prefix counts as a key.
    pub start_after: &'a str,
    /// Objects and folded prefixes together.
    pub limit: usize,
}

/// A page of a listing, in byte order.
#[derive(Debug, Default)]
pub struct Page {
    /// Objects.
    pub objects: Vec<Object>,
    /// Folded prefixes, each with the delimiter at its end.
    pub prefixes: Vec<String>,
    /// Where the next page begins ([`ListQuery::start_after`]); `None` at the end.
    pub next: Option<String>,
}

impl Page {
    fn len(&self) -> usize {
        self.objects.len() + self.prefixes.len()
    }
}

impl LocalBuckets {
    /// A page of the objects of a bucket.
    pub async fn list(&self, bucket: &str, query: &ListQuery<'_>) -> Result<Page> {
        let mut page = Page::default();
        if query.limit == 0 {
            return Ok(page);
        }
        let end = after_all(query.prefix);
        let mut from = From::after(query);
        let mut last = String::new();
        loop {
            let batch = query.limit - page.len() + 1;
            let rows = self.rows(bucket, &from, end.as_deref(), batch).await?;
            let is_end = rows.len() < batch;
            let mut jumped = None;
            for object in rows {
                if jumped.as_ref().is_some_and(|over: &String| object.key.starts_with(over.as_str())) {
                    continue;
                }
                jumped = None;
                if page.len() == query.limit {
                    page.next = Some(last);
                    return Ok(page);
                }
                if let Some(folded) = fold(&object.key, query) {
                    last.clone_from(&folded);
                    jumped = Some(folded.clone());
                    page.prefixes.push(folded);
                } else {
                    last.clone_from(&object.key);
                    page.objects.push(object);
                }
            }
            from = match jumped.as_deref().map(after_all) {
                _ if is_end => return Ok(page),
                None => From { key: last.clone(), is_after: true },
                Some(Some(key)) => From { key, is_after: false },
                Some(None) => return Ok(page),
            };
        }
    }

    async fn rows(&self, bucket: &str, from: &From, end: Option<&str>, limit: usize) -> Result<Vec<Object>> {
        let (bucket, from, end) = (bucket.to_owned(), from.clone(), end.map(str::to_owned));
        self.0
            .store
            .read(move |tx| {
                Box::pin(async move {
                    objects::list(tx, &bucket, &from.key, from.is_after, end.as_deref(), limit as i64).await
                })
            })
            .await
    }
}

#[derive(Clone)]
struct From {
    key: String,
    is_after: bool,
}

impl From {
    fn after(query: &ListQuery<'_>) -> Self {
        let start = query.start_after;
        if start < query.prefix {
            return Self { key: query.prefix.to_owned(), is_after: false };
        }
        // A page that ended with a folded prefix goes on behind everything below it.
        let folded = fold(start, query).filter(|folded| folded == start);
        match folded.as_deref().map(after_all) {
            Some(Some(key)) => Self { key, is_after: false },
            _ => Self { key: start.to_owned(), is_after: true },
        }
    }
}

/// The prefix that a key is folded to, if it is.
fn fold(key: &str, query: &ListQuery<'_>) -> Option<String> {
    if query.delimiter.is_empty() {
        return None;
    }
    let rest = key.strip_prefix(query.prefix)?;
    let at = rest.find(query.delimiter)?;
    Some(key[..query.prefix.len() + at + query.delimiter.len()].to_owned())
}

/// The least text, in byte order, that comes after every text with this prefix; `None` if there is none.
pub(super) fn after_all(prefix: &str) -> Option<String> {
    let mut next = prefix.to_owned();
    while let Some(c) = next.pop() {
        // The numbers of surrogates are no characters.
        let up = if c == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(c) + 1) };
        if let Some(up) = up {
            next.push(up);
            return Some(next);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_all_is_just_behind_the_prefix() {
        assert_eq!(after_all("a/").as_deref(), Some("a0"));
        assert_eq!(after_all("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_all("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(after_all("\u{10ffff}"), None);
        assert_eq!(after_all(""), None);
        assert!("a/\u{10ffff}zzz" < after_all("a/").unwrap().as_str());
    }
}
