//! Many rows in one statement.

use std::fmt::Write as _;

/// More would not save much, and each length is a statement of its own.
const MOST: usize = 32;

/// Cuts rows into pieces whose lengths are powers of two: so few different statements stay prepared.
pub(crate) fn pieces<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = 1 << rows.len().min(MOST).checked_ilog2()?;
        let (piece, rest) = rows.split_at(length);
        rows = rest;
        Some(piece)
    })
}

/// `head VALUES ($1, $2 rest), ($3, $4 rest)` for this many rows of `bound` parameters each; `rest` is the same in
/// each row and begins with a comma, or is empty.
pub(crate) fn insert(head: &str, bound: usize, rest: &str, rows: usize) -> String {
    let mut text = String::with_capacity(head.len() + rows * (bound * 6 + rest.len() + 4));
    text.push_str(head);
    text.push_str(" VALUES ");
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=bound {
            let comma = if column == 1 { "" } else { ", " };
            let _ = write!(text, "{comma}${}", row * bound + column);
        }
        text.push_str(rest);
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_powers_of_two_and_lose_nothing() {
        let lengths = |count: usize| {
            let rows: Vec<usize> = (0..count).collect();
            assert_eq!(pieces(&rows).flatten().copied().collect::<Vec<_>>(), rows);
            pieces(&rows).map(<[usize]>::len).collect::<Vec<_>>()
        };
        assert_eq!(lengths(0), [] as [usize; 0]);
        assert_eq!(lengths(1), [1]);
        assert_eq!(lengths(7), [4, 2, 1]);
        assert_eq!(lengths(70), [32, 32, 4, 2]);
    }

    #[test]
    fn parameters_are_numbered_through() {
        let text = insert("INSERT INTO t (a, b, c)", 2, ", 0", 2);
        assert_eq!(text, "INSERT INTO t (a, b, c) VALUES ($1, $2, 0), ($3, $4, 0)");
    }
}
