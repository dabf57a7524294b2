//! Times as the API writes them: ISO 8601 with seconds, and a word of zeros for what has not happened.

use mps_core::clock::Millis;
use mps_wire::{ApiError, codes};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// What stands for a time that has not come.
pub(crate) const NEVER: &str = "0000-00-00T00:00:00Z";

/// The time in UTC with whole seconds; [`NEVER`] for `None`.
pub(crate) fn written(at: Option<Millis>) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    at.and_then(|ms| OffsetDateTime::from_unix_timestamp(ms.div_euclid(1_000)).ok())
        .and_then(|time| time.format(&format).ok())
        .unwrap_or_else(|| NEVER.to_owned())
}

/// The time that the member `name` of a request tells; `None` when it is empty.
pub(crate) fn read(name: &str, text: Option<&str>) -> Result<Option<Millis>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
        codes::invalid_parameter_value(format!("`{name}` is a time such as 2026-01-31T09:30:00Z"))
    })?;
    Ok(Some((time.unix_timestamp_nanos() / 1_000_000) as Millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_whole_seconds() {
        assert_eq!(written(Some(1_545_919_035_999)), "2018-12-27T13:57:15Z");
        assert_eq!(written(None), "0000-00-00T00:00:00Z");
    }

    #[test]
    fn a_time_may_be_told_with_an_offset() {
        assert_eq!(read("StartTime", Some("2018-12-27T21:57:15+08:00")).unwrap(), Some(1_545_919_035_000));
        assert_eq!(read("StartTime", Some("")).unwrap(), None);
        assert_eq!(read("StartTime", Some("yesterday")).unwrap_err().code, "InvalidParameterValue");
    }
}
