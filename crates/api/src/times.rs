//! Times that requests tell, in ISO 8601.

use mps_core::clock::Millis;
use mps_wire::{ApiError, codes};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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
    fn a_time_may_be_told_with_an_offset() {
        assert_eq!(read("StartTime", Some("2018-12-27T21:57:15+08:00")).unwrap(), Some(1_545_919_035_000));
        assert_eq!(read("StartTime", Some("")).unwrap(), None);
        assert_eq!(read("StartTime", Some("yesterday")).unwrap_err().code, "InvalidParameterValue");
    }
}
