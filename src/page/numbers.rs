//! Numbers for people.

/// A whole number with its thousands apart: 1,200.
pub(crate) fn whole(value: u64) -> String {
    grouped(&value.to_string())
}

/// A number with at most four significant digits, or all of a whole one.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "not finite".into();
    }
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e9 {
        return signed(grouped(&format!("{value:.0}")));
    }
    if !(1e-3..1e6).contains(&size) {
        return signed(format!("{value:.2e}"));
    }
    let before = size.log10().floor() as i32 + 1;
    let text = decimals(value, (4 - before).max(0) as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A number and its error, which has two significant digits, and the number no more: 0.906 and 0.056.
pub(crate) fn with_error(value: f64, error: f64) -> (String, String) {
    let is_plain = error.is_finite() && error > 1e-6 && error < 1e6 && value.abs() < 1e9;
    if !is_plain {
        return (number(value), number(error));
    }
    let places = places_of(error);
    (decimals(value, places), decimals(error, places))
}

/// Both ends of an interval, with the digits that its width tells apart.
pub(super) fn interval([low, high]: [f64; 2]) -> String {
    let width = (high - low).abs();
    if width > 1e-6 && width < 1e6 && low.abs().max(high.abs()) < 1e9 {
        let places = places_of(width);
        return format!("{} to {}", decimals(low, places), decimals(high, places));
    }
    format!("{} to {}", number(low), number(high))
}

/// Decimals that leave two significant digits of `size`.
fn places_of(size: f64) -> usize {
    (1 - size.log10().floor() as i32).max(0) as usize
}

fn decimals(value: f64, places: usize) -> String {
    signed(grouped(&format!("{value:.places$}")))
}

/// With a minus as wide as a plus; −0.00 is 0.00.
fn signed(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        _ => text.replace('-', "−"),
    }
}

/// With a comma between thousands.
fn grouped(text: &str) -> String {
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let digits = whole.trim_start_matches('-');
    let mut grouped = whole[..whole.len() - digits.len()].to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_mean_something() {
        assert_eq!(whole(1_234_567), "1,234,567");
        assert_eq!(number(-70.4706), "−70.47");
        assert_eq!(number(23444.9), "23,445");
        assert_eq!(number(0.0001234), "1.23e−4");
        assert_eq!(number(0.0), "0");
        assert_eq!(number(0.1), "0.1");
        assert_eq!(number(99.99999), "100");
        assert_eq!(number(-12.0), "−12");
        assert_eq!(number(f64::NAN), "not finite");
        let pair = |value: &str, error: &str| (value.to_owned(), error.to_owned());
        assert_eq!(with_error(238.89, 21.7), pair("239", "22"));
        assert_eq!(with_error(-0.0038, 0.0219), pair("−0.004", "0.022"));
        assert_eq!(with_error(-0.0001, 0.0219), pair("0.000", "0.022"));
        assert_eq!(with_error(5.0, 0.0), pair("5", "0"));
        assert_eq!(interval([-70.62, -70.3196]), "−70.62 to −70.32");
    }
}
