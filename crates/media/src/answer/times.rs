//! Times as the API prints them: ISO 8601 in UTC, to the second.

use mps_core::clock::Millis;

/// What stands for a time that was not reached.
pub const NEVER: &str = "0000-00-00T00:00:00Z";

/// `2019-07-16T06:21:27Z`, or [`NEVER`].
pub fn iso(at: Option<Millis>) -> String {
    let Some(at) = at else { return NEVER.to_owned() };
    let seconds = at.div_euclid(1000);
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, date) = civil(day);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and date of a day counted from 1970-01-01, in the Gregorian calendar.
fn civil(day: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, so that the leap day is the last of its year.
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_in_utc() {
        assert_eq!(iso(Some(0)), "1970-01-01T00:00:00Z");
        assert_eq!(iso(Some(1_563_258_087_999)), "2019-07-16T06:21:27Z");
        assert_eq!(iso(Some(951_782_400_000)), "2000-02-29T00:00:00Z");
        assert_eq!(iso(Some(4_107_542_399_000)), "2100-02-28T23:59:59Z");
        assert_eq!(iso(None), "0000-00-00T00:00:00Z");
    }
}
